"""The rows behind charts, tables and exports: today by hour, a week or a month by day, and the drift over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from occupancy.charts import Bar
from occupancy.models import Log, Totals, Zone
from occupancy.rules.sums import Kind, hours_of

PERIODS = {"today": 1, "week": 7, "month": 31}


@dataclass(frozen=True, slots=True)
class Row:
    """One bucket of a table; ``total`` is None where nothing is summed."""

    label: str
    total: Totals | None

    def as_bar(self) -> Bar:
        total = self.total
        if total is None:
            return Bar(self.label)
        return Bar(self.label, total.average, total.peak, total.low, total.is_complete)


def rows_of(zone: Zone, period: str, at: datetime) -> list[Row]:
    """Return the buckets of ``period`` that ends today, oldest first. Costs one query."""
    today = at.astimezone(zone.site.zone).date()
    if period == "today":
        return _hours(zone, today)
    return _days(zone, [today - timedelta(days=back) for back in range(PERIODS[period], 0, -1)])


def _hours(zone: Zone, day: date) -> list[Row]:
    found = {hour.start: hour for hour in zone.hours.filter(date=day)}
    return [
        Row(f"{start.astimezone(zone.site.zone):%H:%M}", found.get(start)) for start, _ in hours_of(day, zone.site.zone)
    ]


def _days(zone: Zone, days: list[date]) -> list[Row]:
    found = {day.date: day for day in zone.days.filter(date__gte=days[0], date__lte=days[-1])}
    return [Row(f"{day:%d %b}", found.get(day)) for day in days]


def drifts(zone: Zone, *, most: int = 30) -> list[dict[str, object]]:
    """Return the newest corrections and resets with what the count was wrong by, on the clocks of the site."""
    logs = Log.objects.filter(zone=zone, kind__in=[Kind.RESET, Kind.CORRECTION]).select_related("by")[:most]
    return [
        {"at": log.at, "local": f"{log.at.astimezone(zone.site.zone):%Y-%m-%d %H:%M}", "kind": log.get_kind_display(),
         "drift": log.drift, "reason": log.reason, "by": log.by}
        for log in logs
    ]  # fmt: skip
