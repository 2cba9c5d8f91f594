"""The rows behind charts, tables and exports: a day by hour, a week or a month by day, and the drift over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.db.models import Sum

from occupancy.charts import Bar
from occupancy.models import Log, Totals, Zone, microseconds
from occupancy.rules.sums import Fact, Kind, hour_of, hours_of, next_month, sum_bucket

MOST_LOGS_DRAWN = 5000
"""An hour that is not over is summed for the chart from at most so many logs."""


class Period(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Span:
    """The local days a page shows, both inclusive, and where its arrows lead; ``after`` is None for the newest."""

    period: Period
    first: date
    last: date
    before: date
    after: date | None

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def span_of(period: Period, wanted: date | None, today: date) -> Span:
    """Return the day, the seven days that end with, or the month that holds ``wanted``; None is the newest.

    A day that has not come is the newest.
    """
    day = min(wanted or today, today)
    if period is Period.DAY:
        return Span(period, day, day, day - timedelta(days=1), None if day == today else day + timedelta(days=1))
    if period is Period.WEEK:
        after = None if day == today else min(day + timedelta(days=7), today)
        return Span(period, day - timedelta(days=6), day, day - timedelta(days=7), after)
    first = day.replace(day=1)
    after = next_month(first)
    return Span(period, first, after - timedelta(days=1), first - timedelta(days=1), after if after <= today else None)


@dataclass(frozen=True, slots=True)
class Running:
    """The figures of an hour that is not over, so far."""

    average: float
    peak: int
    low: int
    entries: int
    exits: int
    logs: int
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One bucket of a table; ``total`` is None where nothing is summed. ``stamp`` is its start for programs."""

    label: str
    stamp: str
    total: Totals | Running | None

    @property
    def is_running(self) -> bool:
        return isinstance(self.total, Running)

    def as_bar(self) -> Bar:
        total = self.total
        if total is None:
            return Bar(self.label)
        return Bar(
            self.label, total.average, total.peak, total.low, total.is_complete or self.is_running, self.is_running
        )


def rows_of(zone: Zone, span: Span, at: datetime) -> list[Row]:
    """Return the buckets of a span, oldest first. Costs one query; two more for the hour that runs."""
    if span.period is Period.DAY:
        return _hours(zone, span.first, at)
    found = {day.date: day for day in zone.days.filter(date__gte=span.first, date__lte=span.last)}
    return [Row(f"{day:%d %b}", day.isoformat(), found.get(day)) for day in span.days]


def _hours(zone: Zone, day: date, at: datetime) -> list[Row]:
    found: dict[datetime, Totals | Running] = {hour.start: hour for hour in zone.hours.filter(date=day)}
    start = hour_of(at, zone.site.zone)[0]
    if start not in found and (running := _running(zone, start, at)):
        found[start] = running
    local = [(start, start.astimezone(zone.site.zone)) for start, _ in hours_of(day, zone.site.zone)]
    return [Row(f"{clock:%H:%M}", clock.isoformat(), found.get(start)) for start, clock in local]


def _running(zone: Zone, start: datetime, at: datetime) -> Running | None:
    """Sum the hour that runs, from what the hour before left; None while that is not summed, or for a flood of logs."""
    if zone.summed_until != start:
        return None
    before = zone.hours.filter(start__lt=start).order_by("-start").first()
    logs = Log.objects.filter(zone=zone, at_us__gte=microseconds(start), at_us__lte=microseconds(at)).order_by(
        "at_us", "pk"
    )
    facts = list(logs.values_list("at", "kind", "count")[: MOST_LOGS_DRAWN + 1])
    if len(facts) > MOST_LOGS_DRAWN or at <= start:
        return None
    opening = before.closing if before else zone.kept_count
    made = sum_bucket(start, at, opening, [Fact(when, Kind(kind), count) for when, kind, count in facts])
    return Running(made.average, made.peak, made.low, made.entries, made.exits, made.logs)


@dataclass(frozen=True, slots=True)
class Drift:
    """One reset or correction with what the count was wrong by (seen minus true), on the clocks of the site."""

    at: datetime
    local: datetime
    kind: str
    drift: int
    reason: str
    by: object

    @property
    def local_text(self) -> str:
        """The site's own clock as text: templates turn times to UTC."""
        return f"{self.local:%Y-%m-%d %H:%M}"


def drifts(zone: Zone, *, most: int = 30) -> list[Drift]:
    """Return the newest corrections and resets, newest first."""
    setting = Log.objects.filter(zone=zone, step=0)  # few, and indexed: one among thousands of crossings
    logs = setting.filter(kind__in=[Kind.RESET, Kind.CORRECTION]).select_related("by")[:most]
    return [
        Drift(log.at, log.at.astimezone(zone.site.zone), log.get_kind_display(), log.drift or 0, log.reason, log.by)
        for log in logs
    ]


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a zone counts: over whole days, everybody who comes in goes out."""

    entries: int
    exits: int

    @property
    def gap(self) -> int:
        return self.entries - self.exits

    @property
    def share(self) -> float | None:
        """Per cent of all crossings that have no counterpart; None when there were none."""
        whole = self.entries + self.exits
        return 100 * abs(self.gap) / whole if whole else None


def quality_of(zone: Zone, days: Sequence[date]) -> Quality:
    """Return entries and exits of the summed days among ``days``."""
    found = zone.days.filter(date__gte=days[0], date__lte=days[-1]).aggregate(ins=Sum("entries"), outs=Sum("exits"))
    return Quality(found["ins"] or 0, found["outs"] or 0)


def local_day(zone: Zone, at: datetime) -> date:
    """Return the date that the calendar of the zone's site shows."""
    return at.astimezone(zone.site.zone).date()
