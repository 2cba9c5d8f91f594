"""Correction requests: asked by one person, decided by another, kept with the day before and after."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from attendance.models import Correction, DayRecord, Punch, SetAside, Source, Supersession
from attendance.models.days import describe
from attendance.rules.shifts import DAY
from attendance.services.punches import NewPunch, judge_time, record_punch, source_at
from attendance.services.rebuild import rebuild_people
from factoryai.rest import Refusal
from identity.models import Employee

BY_HAND = "correction"


def ask_correction(
    *,
    employee: Employee,
    kind: str,
    reason: str,
    by: Any,
    at: datetime,
    punch: Punch | None = None,
    punch_at: datetime | None = None,
    direction: str = Punch.Direction.UNKNOWN,
) -> Correction:
    """Ask for a punch to be added at ``punch_at``, replaced, or taken out.

    Raises `Refusal` for what makes no sense: ``reason_missing``, ``time_missing``, ``unknown_punch``, ``in_future``,
    ``already_superseded`` (409).
    """
    if not reason.strip():
        raise Refusal("reason_missing", "Say why: whoever decides reads it.")
    if kind != Correction.Kind.ADD and (punch is None or punch.employee_id != employee.pk):
        raise Refusal("unknown_punch", "There is no such punch of this person.")
    if kind != Correction.Kind.REMOVE and punch_at is None:
        raise Refusal("time_missing", "Say when the punch should have been.")
    if punch_at is not None and (refused := judge_time(punch_at, at)):
        raise Refusal(*refused)
    if punch is not None and Supersession.objects.filter(punch=punch).exists():
        raise Refusal("already_superseded", "This punch was corrected already.", 409)
    return Correction.objects.create(
        employee=employee,
        kind=kind,
        punch=punch if kind != Correction.Kind.ADD else None,
        at=punch_at if kind != Correction.Kind.REMOVE else None,
        direction=direction,
        reason=reason.strip()[:500],
        asked_by=by,
        asked_at=at,
    )


@transaction.atomic
def decide_correction(*, correction: Correction, approve: bool, note: str, by: Any, at: datetime) -> Correction:
    """Approve or refuse a request. Raises ``own_request`` (403), ``already_decided`` or ``already_superseded`` (409).

    Approved, the facts change by addition: a punch by hand, and the one it stands for superseded.
    """
    if by.pk in (correction.asked_by_id, correction.employee.user_id):
        raise Refusal("own_request", "Nobody decides about their own request or their own day.", 403)
    state = Correction.State.APPROVED if approve else Correction.State.REFUSED
    changes = {"state": state, "decided_by": by, "decided_at": at, "note": note.strip()[:500]}
    if not Correction.objects.filter(pk=correction.pk, state=Correction.State.PENDING).update(**changes):
        correction.refresh_from_db()
        text = f"This was {correction.get_state_display()} by {correction.decided_by} already."
        raise Refusal("already_decided", text, 409)
    correction.refresh_from_db()
    if approve:
        _apply(correction, by, at)
    return correction


def _apply(correction: Correction, by: Any, at: datetime) -> None:
    days = _days(correction)
    correction.before = _snapshot(correction.employee, days)
    replacement = None
    if correction.at is not None:
        replacement = _punch_by_hand(correction, by, at)
    if correction.punch is not None:
        try:
            with transaction.atomic():
                Supersession.objects.create(punch=correction.punch, correction=correction, replaced_by=replacement)
        except IntegrityError as error:
            raise Refusal("already_superseded", "This punch was corrected already.", 409) from error
        SetAside.objects.filter(punch=correction.punch).delete()
    rebuild_people(
        site=correction.employee.site_id, employees=[correction.employee_id], first=days[0], last=days[-1], at=at
    )
    correction.after = _snapshot(correction.employee, days)
    correction.save(update_fields=["before", "after"])


def _punch_by_hand(correction: Correction, by: Any, at: datetime) -> Punch:
    source = source_at(site=correction.employee.site, name=BY_HAND, kind=Source.Kind.MANUAL)
    row = NewPunch(
        employee=correction.employee_id,
        at=correction.at,  # type: ignore[arg-type]
        direction=correction.direction,
        event_id=f"correction:{correction.pk}",
        place="by hand",
    )
    return record_punch(row=row, employee=correction.employee, source=source, at=at, by=by).punch


def _days(correction: Correction) -> list[date]:
    zone = correction.employee.site.zone
    times = [at for at in (correction.at, correction.punch.at if correction.punch else None) if at]
    return sorted(at.astimezone(zone).date() for at in times)


def _snapshot(employee: Employee, days: list[date]) -> list[dict[str, Any]]:
    rows = DayRecord.objects.filter(employee=employee).dated(days[0] - DAY, days[-1] + timedelta(days=1))
    return [
        {"date": row.shift_date.isoformat(), **describe(row, row.shift_name)}
        for row in rows.select_related("version__shift").order_by("shift_date", "slot")
    ]
