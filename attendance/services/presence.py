"""Who is at work: people whose session of a running shift is open."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from attendance.models import DayRecord
from factoryai.sites.models import Site


def open_sessions(site: Site, at: datetime) -> QuerySet[DayRecord]:
    """Return the day records of people who came in and have not left, as far as their shift's window reaches ``at``."""
    rows = DayRecord.objects.filter(site=site, first_in__lte=at, last_out=None, closes_at__gte=at)
    return rows.exclude(state=DayRecord.State.LOCKED)


def people_on_shift(site: Site, at: datetime) -> int:
    """Count the people with an open session; one with two shifts counts once."""
    return open_sessions(site, at).order_by().values("employee").distinct().count()
