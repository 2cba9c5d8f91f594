"""HR's decisions about flags: the first of two people wins, the other is told; every decision stays on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from attendance.models import AttendancePolicy, DayRecord, Decision, Flag
from attendance.models.days import Kind, Review
from attendance.services.rebuild import rebuild_people
from factoryai.rest import Refusal
from identity.models import Employee

OPEN_TO_DECISION = (Review.EXCUSED, Review.CONFIRMED)


@dataclass(slots=True)
class Decided:
    """What came of deciding many at once: ``refused`` holds a flag and why."""

    done: int = 0
    refused: list[tuple[Flag, Refusal]] = field(default_factory=list)


@transaction.atomic
def review_flag(*, flag: Flag, decision: str, note: str, by: Any, at: datetime) -> Flag:
    """Excuse or confirm a flag that waits.

    Raises `Refusal`: ``already_reviewed`` (409) for the second of two people, ``period_locked`` (409), ``own_record``
    (403) for one's own day, ``note_missing`` for an excuse without a reason.
    """
    _check(flag, decision, note, by)
    _take_turns(flag)
    changes = {"review": decision, "reviewed_by": by, "reviewed_at": at, "note": note.strip()[:500]}
    waiting = Flag.objects.filter(pk=flag.pk, review=Review.PENDING, digest=flag.digest)
    if not waiting.exclude(day__state=DayRecord.State.LOCKED).update(**changes):
        raise _why_not(flag)
    Decision.objects.create(
        employee=flag.day.employee,
        slot=flag.day.slot,
        shift_date=flag.shift_date,
        kind=flag.kind,
        digest=flag.digest,
        why=flag.why,
        decision=decision,
        note=changes["note"],
        by=by,
        at=at,
    )
    for name, value in changes.items():
        setattr(flag, name, value)
    _count_again(flag, at)
    return flag


def review_flags(*, flags: Sequence[Flag], decision: str, note: str, by: Any, at: datetime) -> Decided:
    """Decide many flags alike; each by itself, so that one that cannot be decided keeps no other back."""
    result = Decided()
    for flag in flags:
        try:
            review_flag(flag=flag, decision=decision, note=note, by=by, at=at)
        except Refusal as refusal:
            result.refused.append((flag, refusal))
        else:
            result.done += 1
    return result


@transaction.atomic
def reopen_flag(*, flag: Flag, note: str, by: Any, at: datetime) -> Flag:
    """Take a decision back; it stays on record, with the word of who took it back."""
    if flag.review == Review.PENDING:
        raise Refusal("not_reviewed", "Nobody has decided about this yet.", 409)
    _check_own(flag, by)
    _take_turns(flag)
    decided = Flag.objects.filter(pk=flag.pk, digest=flag.digest).exclude(review=Review.PENDING)
    changes = {"review": Review.PENDING, "reviewed_by": None, "reviewed_at": None, "note": ""}
    if not decided.exclude(day__state=DayRecord.State.LOCKED).update(**changes):
        raise _why_not(flag)
    Decision.objects.create(
        employee=flag.day.employee, slot=flag.day.slot, shift_date=flag.shift_date, kind=flag.kind,
        digest=flag.digest, why=flag.why, decision=Review.PENDING, note=note.strip()[:500], by=by, at=at,
    )  # fmt: skip
    flag.refresh_from_db()
    _count_again(flag, at)
    return flag


def _take_turns(flag: Flag) -> None:
    """Lock the person's row, as a rebuild does: a decision is never overtaken by records derived without it."""
    Employee.objects.select_for_update(no_key=True).get(pk=flag.day.employee_id)


def _check(flag: Flag, decision: str, note: str, by: Any) -> None:
    if decision not in OPEN_TO_DECISION:
        raise Refusal("bad_decision", "A flag is excused or confirmed.")
    if decision == Review.EXCUSED and not note.strip():
        raise Refusal("note_missing", "Say why it is excused: the note is kept with the decision.")
    _check_own(flag, by)


def _check_own(flag: Flag, by: Any) -> None:
    if flag.day.employee.user_id is not None and flag.day.employee.user_id == by.pk:
        raise Refusal("own_record", "Nobody decides about their own day.", 403)


def _why_not(flag: Flag) -> Refusal:
    now = Flag.objects.select_related("day", "reviewed_by").filter(pk=flag.pk).first()
    if now is None or now.digest != flag.digest:
        return Refusal("flag_changed", "The facts have changed since; look at it again.", 409)
    if now.day.state == DayRecord.State.LOCKED:
        return Refusal("period_locked", "This day is in a locked pay period.", 409)
    who = f" by {now.reviewed_by}" if now.reviewed_by else ""
    return Refusal("already_reviewed", f"This was {now.get_review_display()}{who} already.", 409)


def _count_again(flag: Flag, at: datetime) -> None:
    """An excused late day does not count towards half days: the month is derived again where that matters."""
    day = flag.day
    if flag.kind == Kind.LATE and AttendancePolicy.objects.filter(site=day.site_id, half_day_every__gt=0).exists():
        rebuild_people(site=day.site_id, employees=[day.employee_id], first=day.shift_date, last=day.shift_date, at=at)
