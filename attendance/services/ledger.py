"""The grace ledger of a person's month, read from the day records."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.db.models import Sum

from attendance.models import AttendancePolicy, DayRecord, Flag
from attendance.models.days import Kind, Review
from attendance.rules.grace import GracePolicy, Ledger, remaining
from identity.models import Employee


def ledger_of(employee: Employee, month: date) -> dict[str, Any]:
    """Return uses, minutes, lates and what remains of the month that begins on ``month``."""
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    days = DayRecord.objects.filter(employee=employee).dated(month, last)
    used = days.filter(after_start_s__gt=0).exclude(flags__kind=Kind.LATE)
    lates = Flag.objects.filter(day__in=days, kind=Kind.LATE).exclude(review=Review.EXCUSED).count()
    minutes = used.aggregate(total=Sum("grace_used_minutes"))["total"] or 0
    ledger = Ledger(used.count(), minutes, lates)
    policy = AttendancePolicy.objects.filter(site=employee.site, effective_from__lte=month).order_by("effective_from")
    uses_left, minutes_left = remaining(ledger, policy.last().grace if policy.exists() else GracePolicy())
    return {
        "employee": employee.pk,
        "uses": ledger.uses,
        "minutes": ledger.minutes,
        "lates": ledger.lates,
        "remaining_uses": uses_left,
        "remaining_minutes": minutes_left,
    }
