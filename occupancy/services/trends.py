"""What is typical for a zone, from its summed hours and months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from occupancy.models import Zone
from occupancy.rules.trends import (
    HourFigures,
    MonthFigures,
    Typical,
    growth_of,
    peak_hours,
    typical_day,
    typical_hours,
)

LOOK_BACK = timedelta(weeks=12)
"""Long enough for a weekday to come twelve times, short enough to follow a season."""
MONTHS_SHOWN = 13
"""A year and the same month of the year before."""


@dataclass(frozen=True, slots=True)
class Trends:
    """``typical`` is by weekday (Monday is 0) and local hour, ``weekday`` by local hour from Monday to Friday;
    ``growth`` is by the first day of the month, as a share of the month before."""

    typical: dict[tuple[int, int], Typical]
    weekday: dict[int, Typical]
    peaks: list[tuple[int, int]]
    months: list[MonthFigures]
    growth: dict

    @property
    def highest(self) -> float:
        return max((figures.average for figures in self.typical.values()), default=0.0)


def trends_of(zone: Zone, at: datetime) -> Trends:
    """Return the trends of the twelve weeks and thirteen months before ``at``. Costs two queries."""
    rows = zone.hours.filter(start__gte=at - LOOK_BACK, start__lt=at).order_by("start")
    figures = rows.values_list("start", "weighted_us", "length_us", "peak", "low")
    hours = [
        HourFigures(start.astimezone(zone.site.zone), weighted / length, peak, low)
        for start, weighted, length, peak, low in figures
    ]
    typical = typical_hours(hours)
    newest = zone.months.order_by("-date")[:MONTHS_SHOWN]
    months = [MonthFigures(row.date, row.average, row.peak, row.entries) for row in reversed(newest)]
    return Trends(typical, typical_day(typical), peak_hours(typical), months, growth_of(months))
