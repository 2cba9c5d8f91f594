"""Derives day records again from the facts, and writes only what came out differently.

One transaction a batch of people, each person's row locked: two processes that rebuild the same person take turns, and
the second reads what the first has written. Days of a locked period stay as they are; what would change them is
listed as an adjustment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction

from attendance.models import DayRecord, DirtyDay, Flag, SetAside
from attendance.rules.intervals import Interval, whole_minutes
from attendance.rules.matching import Placed, PunchState
from attendance.rules.reach import Span
from attendance.rules.shifts import DAY
from attendance.services.adjustments import Key, Stored, Wanted, hold_back, stored_records
from attendance.services.deriving import Derivation, derive_people
from attendance.services.facts import Facts
from factoryai.sites.models import Site
from identity.models import Employee

BATCH = 200
"""People in one transaction: about 25,000 punches a month, under 100 MB, and locks held for two seconds."""

DIRTY_AT_ONCE = 20_000
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did, and for one person what became of each punch."""

    people: int = 0
    written: int = 0
    deleted: int = 0
    adjusted: int = 0
    slots: dict[int, tuple[str, PunchState]] = field(default_factory=dict)

    def as_counts(self) -> dict[str, int]:
        return {"people": self.people, "written": self.written, "deleted": self.deleted, "adjusted": self.adjusted}


def mark_dirty(spans: Iterable[tuple[int, date, date]]) -> None:
    """Note in the caller's transaction that dates of people are to be derived again."""
    DirtyDay.objects.bulk_create(
        [DirtyDay(employee_id=employee, first_date=first, last_date=last) for employee, first, last in spans],
        batch_size=1000,
    )


def rebuild_dirty(*, at: datetime) -> dict[str, int]:
    """Rebuild what is marked, oldest marks first; a mark goes with the rebuild that saw it."""
    done = Rebuilt()
    while marks := list(DirtyDay.objects.order_by("pk")[:DIRTY_AT_ONCE].select_related("employee")):
        spans: dict[tuple[int, date, date], list[DirtyDay]] = defaultdict(list)
        for mark in marks:
            spans[mark.employee.site_id, mark.first_date.replace(day=1), mark.last_date.replace(day=1)].append(mark)
        for (site, *_), grouped in spans.items():
            _rebuild_marks(site, grouped, done, at)
    return done.as_counts()


def _rebuild_marks(site: int, marks: Sequence[DirtyDay], done: Rebuilt, at: datetime) -> None:
    by_person: dict[int, list[DirtyDay]] = defaultdict(list)
    for mark in marks:
        by_person[mark.employee_id].append(mark)
    for people in batches(sorted(by_person)):
        seen = [mark for person in people for mark in by_person[person]]
        first, last = min(mark.first_date for mark in seen), max(mark.last_date for mark in seen)
        with transaction.atomic():
            rebuild_people(site=site, employees=people, first=first, last=last, at=at, into=done)
            DirtyDay.objects.filter(pk__in=[mark.pk for mark in seen]).delete()


def rebuild_site(*, site: Site, first: date, last: date, at: datetime) -> Rebuilt:
    """Rebuild everybody at a site, a month at a time."""
    done = Rebuilt()
    for start, end in months(first, last):
        people = Employee.objects.for_site(site).employed_between(start, end).order_by("pk")
        for batch in batches(people.values_list("pk", flat=True)):
            rebuild_people(site=site.pk, employees=batch, first=start, last=end, at=at, into=done)
    return done


def batches(people: Iterable[int]) -> Iterable[list[int]]:
    """Cut people into batches of `BATCH`."""
    rest = iter(people)
    while batch := list(islice(rest, BATCH)):
        yield batch


def months(first: date, last: date) -> Iterable[tuple[date, date]]:
    """Cut a span of dates into pieces of one month each."""
    while first <= last:
        end = min(last, (first.replace(day=1) + 31 * DAY).replace(day=1) - DAY)
        yield first, end
        first = end + DAY


@transaction.atomic
def rebuild_people(
    *, site: int, employees: Collection[int], first: date, last: date, at: datetime, into: Rebuilt | None = None
) -> Rebuilt:
    """Derive the days ``first`` to ``last`` of people of one site again and write what came out differently.

    See `derive_people` for the dates around them.
    """
    done = into or Rebuilt()
    locked = Employee.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=employees, site=site)
    people = list(locked.select_related("site").order_by("pk"))
    if not people:
        return done
    derived, near = _derive_all_of(people, Span(first, last), at)
    _write(derived, near, at, done)
    done.people += len(people)
    if len(people) == 1:
        placed = derived.days[people[0].pk].placed
        done.slots = {one.punch.id: (derived.slot_of_punch(one), one.state) for one in placed}
    return done


def _derive_all_of(people: Sequence[Employee], span: Span, at: datetime) -> tuple[Derivation, dict[Key, Stored]]:
    """Derive the dates of a span, and the ones to which records that are stored there have moved.

    Return the rows that are stored there and a day around as well. A record never stands on no date in between.
    """
    while True:
        derived = derive_people(people=people, first=span.first, last=span.last, at=at)
        first, last = derived.first, derived.last
        near = stored_records(people, first - DAY, last + DAY)
        beyond = derived.dates_beyond()
        moved = [beyond[key] for key, row in near.items() if first <= row.shift_date <= last and key in beyond]
        if not moved:
            return derived, near
        span = span.with_(Span(min(moved), max(moved)))


def _write(derived: Derivation, near: Mapping[Key, Stored], at: datetime, done: Rebuilt) -> None:
    people, facts, first, last = derived.people, derived.facts, derived.first, derived.last
    wanted = {one.key: one for one in derived.wanted()}
    # A shift may be dated by its other end since it was stored: the record is then found just outside the dates.
    stored = {key: row for key, row in near.items() if first <= row.shift_date <= last or key in wanted}
    held, adjusted = hold_back(people, stored, wanted, first, last, at)
    done.adjusted += adjusted
    changed = [key for key, one in wanted.items() if key not in held and _differs(stored.get(key), one)]
    gone = [row.pk for key, row in stored.items() if key not in wanted and key not in held]
    done.deleted += len(gone)
    DayRecord.objects.filter(pk__in=gone).delete()
    _insert([wanted[key] for key in changed if key not in stored], facts)
    _update([wanted[key] for key in changed if key in stored], facts)
    done.written += len(changed)
    _set_aside(derived)


def _differs(row: Stored | None, one: Wanted) -> bool:
    return row is None or row.digest != one.digest


def _insert(rows: Sequence[Wanted], facts: Facts) -> None:
    """Write records that were not there. The person's row is locked: nobody else writes the same."""
    days = DayRecord.objects.bulk_create([row_of(one) for one in rows], batch_size=2000)
    Flag.objects.bulk_create(_flags(days, rows, facts), batch_size=2000)


UPDATED = [
    "site", "version", "shift_date", "state", "status", "leave", "starts_at", "ends_at", "closes_at", "first_in",
    "last_out", "worked_minutes", "scheduled_minutes", "after_start_s", "past_grace_minutes", "grace_used_minutes",
    "early_exit_minutes", "overtime_minutes", "spans", "overtime", "shares", "digest",
]  # fmt: skip
FLAG_FIELDS = [
    "site", "shift_date", "minutes", "rule", "why", "inputs", "digest", "review", "reviewed_by", "reviewed_at", "note",
]  # fmt: skip


def _update(rows: Sequence[Wanted], facts: Facts) -> None:
    """Write records that were there otherwise; they keep their ids, and so do the flags that stay."""
    days = DayRecord.objects.bulk_create(
        [row_of(one) for one in rows],
        batch_size=500,
        update_conflicts=True,
        unique_fields=["employee", "slot"],
        update_fields=UPDATED,
    )
    flags = _flags(days, rows, facts)
    kept = {(flag.day_id, flag.kind) for flag in flags}
    old = Flag.objects.filter(day__in=[day.pk for day in days]).values_list("pk", "day_id", "kind")
    Flag.objects.filter(pk__in=[pk for pk, day, kind in old if (day, kind) not in kept]).delete()
    Flag.objects.bulk_create(
        flags, batch_size=500, update_conflicts=True, unique_fields=["day", "kind"], update_fields=FLAG_FIELDS
    )


def _flags(days: Sequence[DayRecord], rows: Sequence[Wanted], facts: Facts) -> list[Flag]:
    return [_flag(day, one, flag, facts) for day, one in zip(days, rows, strict=True) for flag in one.record.flags]


def row_of(one: Wanted) -> DayRecord:
    """Return a derived record as a row of the table."""
    record, occurrence = one.record, one.record.occurrence
    return DayRecord(
        site_id=one.person.site_id,
        employee_id=one.person.pk,
        slot=one.slot,
        version_id=occurrence.shift.key if occurrence else None,
        shift_date=record.shift_date,
        state=record.state.value,
        status=record.status.value if record.status else "",
        leave=record.leave.value if record.leave else "",
        starts_at=occurrence.starts_at if occurrence else None,
        ends_at=occurrence.ends_at if occurrence else None,
        closes_at=record.closes_at,
        first_in=record.first_in,
        last_out=record.last_out,
        worked_minutes=record.worked_minutes,
        scheduled_minutes=record.scheduled // MINUTE,
        after_start_s=int(record.after_start.total_seconds()),
        past_grace_minutes=record.past_grace_minutes,
        grace_used_minutes=record.grace_used_minutes,
        early_exit_minutes=record.early_exit_minutes,
        overtime_minutes=record.overtime_minutes,
        spans=_texts(record.worked),
        overtime=_texts(record.overtime),
        shares={day.isoformat(): minutes for day, minutes in whole_minutes(record.shares).items()},
        digest=one.digest,
    )


def _texts(intervals: Iterable[Interval]) -> list[list[str]]:
    return [[interval.start.isoformat(), interval.end.isoformat()] for interval in intervals]


def _flag(day: DayRecord, one: Wanted, flag: Any, facts: Facts) -> Flag:
    row = Flag(
        day_id=day.pk,
        site_id=day.site_id,
        shift_date=day.shift_date,
        kind=flag.kind.value,
        minutes=flag.minutes,
        rule=flag.rule,
        why=flag.why,
        inputs=dict(flag.inputs),
        digest=flag.digest,
    )
    if decision := facts.decisions.get((one.person.pk, one.slot, flag.kind.value, flag.digest)):
        row.review, row.reviewed_by_id = decision.decision, decision.by_id
        row.reviewed_at, row.note = decision.at, decision.note
    return row


def _set_aside(derived: Derivation) -> None:
    """Write why punches do not count, as far as it came out differently."""
    placed = [one for found in derived.days.values() for one in found.placed]
    if not placed:
        return
    wanted = {one.punch.id: one for one in placed if one.state is not PunchState.COUNTED}
    times = [one.punch.at for one in placed]
    near = SetAside.objects.filter(punch__employee__in=derived.people, punch__at__range=(min(times), max(times)))
    looked_at = {one.punch.id for one in placed}
    stored = {row.pk: row for row in near if row.pk in looked_at}
    SetAside.objects.filter(pk__in=[pk for pk in stored if pk not in wanted]).delete()
    rows = [_aside(one, derived.slot_of_punch(one)) for one in wanted.values()]
    SetAside.objects.bulk_create(
        [row for row in rows if row.pk not in stored or _said(stored[row.pk]) != _said(row)],
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["punch"],
        update_fields=["state", "reason", "slot"],
    )


def _said(row: SetAside) -> tuple[str, str, str]:
    return (row.state, row.reason, row.slot)


def _aside(one: Placed, slot: str) -> SetAside:
    return SetAside(punch_id=one.punch.id, state=one.state.value, reason=one.reason[:200], slot=slot)
