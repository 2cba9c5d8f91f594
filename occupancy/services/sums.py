"""Summing a zone's logs into hours, hours into days, days into months: from a watermark, one statement a step.

Only what is closed is summed. A step locks its zones, so a late log waits and then moves the watermark back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Least

from factoryai.sites.models import Site
from occupancy.models import Day, Hour, Month, Zone, microseconds
from occupancy.rules.sums import day_bounds, hour_of, next_month
from occupancy.services.statements import DAYS_FROM_HOURS, HOURS_FROM_LOGS, MONTHS_FROM_DAYS
from occupancy.services.watermarks import reopen

AT_ONCE = 500
"""Zones in one statement: SQLite takes 32,766 parameters, and a lock on few zones is short."""

Progress = Callable[[int, int], None]
"""Hears how many buckets are summed, and of how many."""
Sites = Sequence[Site] | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is summed in one step: [start, end) in UTC, and its local date."""

    start: datetime
    end: datetime
    date: date


def sum_hours(*, at: datetime, sites: Sites = None, progress: Progress | None = None) -> int:
    """Sum every closed hour that is not summed yet by ``at``; return how many. ``sites`` None means all."""
    return _sum(next_hour, _sum_hour, at, sites, progress)


def sum_days(*, at: datetime, sites: Sites = None) -> int:
    """Sum every local day whose hours are all summed; return how many."""
    return _sum(next_day, _sum_day, at, sites)


def sum_months(*, at: datetime, sites: Sites = None) -> int:
    """Sum every local month whose days are all summed; return how many."""
    return _sum(next_month_of, _sum_month, at, sites)


def next_hour(zone: Zone, at: datetime) -> Bucket | None:
    """Return the first hour that is to be summed; None when it is not over by ``at``."""
    if zone.summed_until is None:
        return None
    end = hour_of(zone.summed_until, zone.site.zone)[1]
    start = zone.summed_until.astimezone(UTC)
    return Bucket(start, end, start.astimezone(zone.site.zone).date()) if end <= at else None


def next_day(zone: Zone, at: datetime) -> Bucket | None:
    """Return the first local day that is to be summed; None while an hour of it is missing."""
    if zone.days_until is None or zone.summed_until is None:
        return None
    start, end = day_bounds(zone.days_until, zone.site.zone)
    return Bucket(start, end, zone.days_until) if end <= zone.summed_until else None


def next_month_of(zone: Zone, at: datetime) -> Bucket | None:
    """Return the first local month that is to be summed; None while a day of it is missing."""
    if zone.months_until is None or zone.days_until is None:
        return None
    after = next_month(zone.months_until)
    start, end = day_bounds(zone.months_until, zone.site.zone)[0], day_bounds(after, zone.site.zone)[0]
    return Bucket(start, end, zone.months_until) if after <= zone.days_until else None


def _sum(
    step: Callable[[Zone, datetime], Bucket | None],
    run: Callable[[Bucket, list[int]], None],
    at: datetime,
    sites: Sites,
    progress: Progress | None = None,
) -> int:
    summed, total = 0, 0
    if progress:
        total = sum(max(0, (at - zone.summed_until) // timedelta(hours=1)) for zone in zones_of(sites))
    while groups := _groups(zones_of(sites), step, at):
        for bucket, ids in groups.items():
            for first in range(0, len(ids), AT_ONCE):
                summed += _step(bucket, ids[first : first + AT_ONCE], step, run, at)
        if progress:
            progress(summed, max(total, summed))
    return summed


@transaction.atomic
def _step(bucket: Bucket, ids: list[int], step: Callable, run: Callable, at: datetime) -> int:
    """Sum one bucket of those zones that still wait for it now that they are locked."""
    locked = Zone.objects.select_for_update(of=("self",)).select_related("site").order_by("pk").filter(pk__in=ids)
    due = [zone.pk for zone in locked if step(zone, at) == bucket]
    if due:
        run(bucket, due)
    return len(due)


def zones_of(sites: Sites) -> list[Zone]:
    """Return the zones that have ever had a log, of some sites or all."""
    zones = Zone.objects.filter(summed_until__isnull=False).select_related("site").order_by("pk")
    return list(zones if sites is None else zones.filter(site__in=sites))


def _groups(zones: list[Zone], step: Callable, at: datetime) -> dict[Bucket, list[int]]:
    groups: dict[Bucket, list[int]] = defaultdict(list)
    for zone in zones:
        if bucket := step(zone, at):
            groups[bucket].append(zone.pk)
    return groups


def _sum_hour(bucket: Bucket, ids: list[int]) -> None:
    """Sum an hour. One that belongs to a day that was summed, since the site's clock went back, reopens the day."""
    Hour.objects.filter(zone__in=ids, start__gt=bucket.start, start__lt=bucket.end).delete()
    _execute(HOURS_FROM_LOGS, ids, start_us=microseconds(bucket.start), end_us=microseconds(bucket.end), **_of(bucket))
    Zone.objects.filter(pk__in=ids).update(
        summed_until=bucket.end,
        days_until=Least("days_until", Value(bucket.date)),
        months_until=Least("months_until", Value(bucket.date.replace(day=1))),
    )


def _sum_day(bucket: Bucket, ids: list[int]) -> None:
    hours = Hour.objects.filter(zone=OuterRef("zone"), date=OuterRef("date"))
    Day.objects.filter(~Exists(hours), zone__in=ids, date=bucket.date).delete()  # a change of the clock took them all
    _execute(DAYS_FROM_HOURS, ids, whole_us=microseconds(bucket.end) - microseconds(bucket.start), **_of(bucket))
    Zone.objects.filter(pk__in=ids).update(days_until=bucket.date + timedelta(days=1))


def _sum_month(bucket: Bucket, ids: list[int]) -> None:
    whole_us = microseconds(bucket.end) - microseconds(bucket.start)
    after = connection.ops.adapt_datefield_value(next_month(bucket.date))
    days = Day.objects.filter(zone=OuterRef("zone"), date__gte=bucket.date, date__lt=next_month(bucket.date))
    Month.objects.filter(~Exists(days), zone__in=ids, date=bucket.date).delete()
    _execute(MONTHS_FROM_DAYS, ids, whole_us=whole_us, after=after, **_of(bucket))
    Zone.objects.filter(pk__in=ids).update(months_until=next_month(bucket.date))


def _of(bucket: Bucket) -> dict[str, Any]:
    ops = connection.ops
    return {
        "start": ops.adapt_datetimefield_value(bucket.start),
        "end": ops.adapt_datetimefield_value(bucket.end),
        "date": ops.adapt_datefield_value(bucket.date),
    }


def _execute(statement: str, ids: list[int], **values: Any) -> None:
    """Run a statement; the zones are whole numbers of ours, so they stand in the text itself."""
    with connection.cursor() as cursor:
        cursor.execute(statement.replace("__ZONES__", ",".join(str(int(pk)) for pk in ids)), values)


def sum_again(*, at: datetime, sites: Sequence[Site], first: date | None, last: date | None) -> dict[str, int]:
    """Sum anew from the local day ``first`` to the end of ``last``; what follows ``last`` is summed too when it was
    summed before, because its counts begin where ``last`` ends. None for either means as far as there is."""
    zones = list(Zone.objects.filter(site__in=sites).select_related("site"))
    reached = max((zone.summed_until for zone in zones if zone.summed_until), default=at)
    if first:
        reopen(zones=zones, first=first)
    until = at
    if last and sites:
        ends = max(day_bounds(last, site.zone)[1] for site in sites)
        until = min(at, max(ends, reached))
    return {
        "hours": sum_hours(at=until, sites=sites),
        "days": sum_days(at=until, sites=sites),
        "months": sum_months(at=until, sites=sites),
    }
