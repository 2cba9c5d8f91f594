"""Watches people's hours against the law's limits and lists what passes them. Nothing else follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.db import transaction

from attendance.models import AttendancePolicy, DayRecord, LimitWarning
from attendance.rules.intervals import Interval
from attendance.rules.limits import KNOWN, Limits, watch
from attendance.rules.shifts import DAY
from attendance.services.rebuild import batches
from factoryai.sites.models import Site
from identity.models import Employee

WATCHED = timedelta(days=14)
"""Warnings of so many days are brought up to date at each look; older ones stand."""

MINUTE = timedelta(minutes=1)


def watch_limits(*, at: datetime) -> int:
    """Bring the warnings of the last two weeks up to date at every site that watches a law; return how many stand."""
    found = 0
    for site in Site.objects.filter(is_active=True):
        today = at.astimezone(site.zone).date()
        if limits := limits_of(site, today):
            for batch in batches(Employee.objects.for_site(site).order_by("pk").values_list("pk", flat=True)):
                found += _watch_people(site, batch, limits, today)
    return found


def limits_of(site: Site, day: date) -> Limits | None:
    """Return the limits that the site's policy of ``day`` names."""
    policy = AttendancePolicy.objects.filter(site=site, effective_from__lte=day).order_by("effective_from").last()
    return KNOWN.get(policy.law) if policy else None


@transaction.atomic
def _watch_people(site: Site, people: list[int], limits: Limits, today: date) -> int:
    since = today - WATCHED
    monday = since - timedelta(days=since.weekday())
    first = monday - timedelta(weeks=limits.averaged_over)
    hours: dict[int, dict[date, list[Interval]]] = defaultdict(lambda: defaultdict(list))
    rows = DayRecord.objects.filter(employee__in=people).dated(first, today).exclude(spans=[])
    for employee, day, spans in rows.order_by("starts_at").values_list("employee_id", "shift_date", "spans"):
        hours[employee][day] += [Interval(*map(datetime.fromisoformat, span)) for span in spans]
    LimitWarning.objects.filter(employee__in=people, date__gte=since).delete()
    warnings = [warning for person, days in hours.items() for warning in _warnings(site, person, days, limits, since)]
    return len(LimitWarning.objects.bulk_create(warnings, batch_size=500, ignore_conflicts=True))


def _warnings(
    site: Site, person: int, days: Mapping[date, list[Interval]], limits: Limits, since: date
) -> list[LimitWarning]:
    return [
        LimitWarning(
            site=site,
            employee_id=person,
            date=passed.day,
            limit=passed.limit.value,
            by_minutes=max(1, passed.by // MINUTE) if passed.by < DAY else passed.by // MINUTE,
            why=passed.why[:300],
        )
        for passed in watch({day: sorted(spans) for day, spans in days.items()}, limits)
        if passed.day >= since
    ]
