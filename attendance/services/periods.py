"""Pay periods: add, lock, unlock. A lock freezes the days, settles what was left over, and keeps the export's hash."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from attendance.export import freeze, live_table
from attendance.models import Adjustment, DayRecord, Flag, FrozenPayroll, PayPeriod, PeriodStep
from attendance.models.days import Review
from attendance.models.shifts import check_date
from attendance.services.rebuild import rebuild_site
from factoryai.rest import Refusal
from factoryai.sites.models import Site

LONGEST_DAYS = 366


@transaction.atomic
def add_period(*, site: Site, first: date, last: date, department: str = "") -> PayPeriod:
    """Add a period.

    Raises ``end_before_start``, ``period_too_long``, ``periods_overlap`` (409) when some of its days have one, and
    Django's ValidationError with ``bad_date`` for a date that is a slip of the pen.
    """
    for day in (first, last):
        check_date(day)
    if last < first:
        raise Refusal("end_before_start", "A period does not end before it starts.")
    if (last - first).days >= LONGEST_DAYS:
        raise Refusal("period_too_long", f"A period has at most {LONGEST_DAYS} days.")
    Site.objects.select_for_update(no_key=True).get(pk=site.pk)
    touching = PayPeriod.objects.filter(site=site, first_date__lte=last, last_date__gte=first)
    if department:
        touching = touching.filter(Q(department=department) | Q(department=""))
    if other := touching.first():
        raise Refusal("periods_overlap", f"Some of these days belong to {other}.", 409)
    return PayPeriod.objects.create(site=site, department=department, first_date=first, last_date=last)


def days_of(period: PayPeriod) -> Any:
    """Return the day records of a period."""
    rows = DayRecord.objects.filter(site=period.site).dated(period.first_date, period.last_date)
    return rows.filter(employee__department=period.department) if period.department else rows


def standing_in_the_way(period: PayPeriod) -> dict[str, int]:
    """Return what a lock would freeze unfinished: days that are not final, and flags that wait for HR."""
    days = days_of(period)
    waiting = Flag.objects.filter(day__in=days, review=Review.PENDING)
    return {
        "not_final": days.filter(state__in=[DayRecord.State.LIVE, DayRecord.State.PROVISIONAL]).count(),
        "unreviewed": waiting.count(),
    }


@transaction.atomic
def lock_period(*, period: PayPeriod, by: Any, at: datetime, accept_unreviewed: bool = False) -> PayPeriod:
    """Freeze a period's days and settle earlier adjustments in it.

    Raises ``already_locked``, ``days_not_final`` or ``flags_unreviewed`` (409); the last may be accepted.
    """
    period = PayPeriod.objects.select_for_update().get(pk=period.pk)
    if period.is_locked:
        raise Refusal("already_locked", "This period is locked already.", 409)
    if at.astimezone(period.site.zone).date() <= period.last_date:
        raise Refusal("days_not_final", f"This period lasts until {period.last_date}.", 409)
    rebuild_site(site=period.site, first=period.first_date, last=period.last_date, at=at)
    found = standing_in_the_way(period)
    if found["not_final"]:
        text = f"{found['not_final']} days are not final yet: their shifts run, or a source has not reported."
        raise Refusal("days_not_final", text, 409)
    if found["unreviewed"] and not accept_unreviewed:
        raise Refusal("flags_unreviewed", f"{found['unreviewed']} flags wait for a decision.", 409)
    days_of(period).exclude(state=DayRecord.State.LOCKED).update(state=DayRecord.State.LOCKED, period=period)
    _adjustments_before(period).update(settled_in=period)
    period.state, period.locked_at, period.locked_by = PayPeriod.State.LOCKED, at, by
    content, period.content_hash = freeze(live_table(period))
    FrozenPayroll.objects.update_or_create(period=period, defaults={"content": content})
    period.save(update_fields=["state", "locked_at", "locked_by", "content_hash"])
    PeriodStep.objects.create(period=period, step="locked", at=at, by=by, content_hash=period.content_hash)
    return period


def _adjustments_before(period: PayPeriod) -> Any:
    rows = Adjustment.objects.filter(employee__site=period.site, settled_in=None, shift_date__lt=period.first_date)
    return rows.filter(employee__department=period.department) if period.department else rows


@transaction.atomic
def unlock_period(*, period: PayPeriod, by: Any, reason: str, at: datetime) -> PayPeriod:
    """Open a locked period again; its days are derived anew, and what it had settled waits again.

    Raises ``not_locked`` (409), ``reason_missing``, or ``later_period_locked`` (409): periods open from the last on.
    """
    if not reason.strip():
        raise Refusal("reason_missing", "Say why it is opened again: the reason is kept.")
    period = PayPeriod.objects.select_for_update().get(pk=period.pk)
    if not period.is_locked:
        raise Refusal("not_locked", "This period is not locked.", 409)
    if _is_settled_later(period):
        text = "Adjustments of this period are settled in a later one; unlock that one first."
        raise Refusal("later_period_locked", text, 409)
    period.state, period.locked_at, period.locked_by = PayPeriod.State.OPEN, None, None
    period.save(update_fields=["state", "locked_at", "locked_by"])
    FrozenPayroll.objects.filter(period=period).delete()
    _unsettle(period)
    Adjustment.objects.filter(period=period, settled_in=None).delete()
    DayRecord.objects.filter(period=period).update(state=DayRecord.State.FINAL, digest="", period=None)
    PeriodStep.objects.create(
        period=period, step="unlocked", at=at, by=by, reason=reason.strip()[:500], content_hash=period.content_hash
    )
    rebuild_site(site=period.site, first=period.first_date, last=period.last_date, at=at)
    return period


def _is_settled_later(period: PayPeriod) -> bool:
    """Whether another period settled something of this one, or settled again what this one had settled."""
    elsewhere = Adjustment.objects.exclude(settled_in=None).exclude(settled_in=period)
    again = elsewhere.filter(employee=OuterRef("employee"), slot=OuterRef("slot"), pk__gt=OuterRef("pk"))
    return (
        elsewhere.filter(period=period).exists() or Adjustment.objects.filter(Exists(again), settled_in=period).exists()
    )


def _unsettle(period: PayPeriod) -> None:
    """Let what a period had settled wait again; what has come for the same record since becomes one with it."""
    settled = {(row.employee_id, row.slot): row for row in Adjustment.objects.filter(settled_in=period)}
    people, slots = {person for person, _ in settled}, {slot for _, slot in settled}
    for later in Adjustment.objects.filter(settled_in=None, employee__in=people, slot__in=slots):
        if row := settled.get((later.employee_id, later.slot)):
            row.after, row.found_at = later.after, later.found_at
            row.worked_minutes += later.worked_minutes
            row.overtime_minutes += later.overtime_minutes
            later.delete()
            row.save(update_fields=["after", "found_at", "worked_minutes", "overtime_minutes"])
    Adjustment.objects.filter(pk__in=[row.pk for row in settled.values() if row.before == row.after]).delete()
    Adjustment.objects.filter(settled_in=period).update(settled_in=None)
