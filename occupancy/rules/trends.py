"""What is typical: the curve of a weekday, the fullest hours, and how much more or less than the month before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

WEEKDAYS = range(7)
WORKING_DAYS = range(5)
HOURS = range(24)


@dataclass(frozen=True, slots=True)
class HourFigures:
    """One summed hour on the clocks of its site: when it began, and its figures."""

    began: datetime
    average: float
    peak: int
    low: int


@dataclass(frozen=True, slots=True)
class Typical:
    """The mean of many hours alike: of their averages, peaks and lows; ``hours`` is how many there were."""

    average: float
    peak: float
    low: float
    hours: int


def typical_hours(hours: Iterable[HourFigures]) -> dict[tuple[int, int], Typical]:
    """Return what is typical for each weekday (Monday is 0) and local hour that was ever summed.

    The hour that a clock change repeats counts as two of its kind; the one it skips is simply not there.
    """
    groups: dict[tuple[int, int], list[HourFigures]] = defaultdict(list)
    for hour in hours:
        groups[hour.began.weekday(), hour.began.hour].append(hour)
    return {key: _mean(group) for key, group in groups.items()}


def typical_day(typical: dict[tuple[int, int], Typical], weekdays: Iterable[int] = WORKING_DAYS) -> dict[int, Typical]:
    """Return the curve of a typical day of these weekdays, by local hour; each hour ever summed weighs alike."""
    wanted = set(weekdays)
    groups: dict[int, list[Typical]] = defaultdict(list)
    for (weekday, hour), figures in typical.items():
        if weekday in wanted:
            groups[hour].append(figures)
    return {hour: _join(group) for hour, group in sorted(groups.items())}


def peak_hours(typical: dict[tuple[int, int], Typical], *, most: int = 3) -> list[tuple[int, int]]:
    """Return the weekdays and hours that are fullest on average, fullest first; none where nobody ever was."""
    ranked = sorted(typical, key=lambda key: (-typical[key].average, key))
    return [key for key in ranked if typical[key].average > 0][:most]


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """One summed month: its first day and figures."""

    date: date
    average: float
    peak: int
    entries: int


def growth_of(months: Sequence[MonthFigures]) -> dict[date, float | None]:
    """Return by how much, as a share, the average of each month is above that of the month before it.

    None where the month before is missing or nobody was there.
    """
    averages = {month.date: month.average for month in months}
    found: dict[date, float | None] = {}
    for month in months:
        before = averages.get(_month_before(month.date))
        found[month.date] = month.average / before - 1 if before else None
    return found


def _month_before(first: date) -> date:
    return first.replace(year=first.year - 1, month=12) if first.month == 1 else first.replace(month=first.month - 1)


def _mean(group: Sequence[HourFigures]) -> Typical:
    count = len(group)
    return Typical(
        sum(hour.average for hour in group) / count,
        sum(hour.peak for hour in group) / count,
        sum(hour.low for hour in group) / count,
        count,
    )


def _join(group: Sequence[Typical]) -> Typical:
    whole = sum(one.hours for one in group)
    return Typical(
        sum(one.average * one.hours for one in group) / whole,
        sum(one.peak * one.hours for one in group) / whole,
        sum(one.low * one.hours for one in group) / whole,
        whole,
    )
