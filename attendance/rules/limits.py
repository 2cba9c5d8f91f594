"""The law's limits on hours, as data with a date from which they hold. They warn; they never change pay.

The figures of `FACTORIES_ACT_1948` are sections 51 (48 h a week), 52 (a day of rest), 54 (9 h a day), 55 (half an hour
of rest after 5 h), 56 (spread over 10.5 h), 57 (hours after midnight belong to the day before) and 59 (double pay);
those of `EU_2003_88` are articles 3 (11 h of daily rest), 4 (a break beyond 6 h) and 6 (48 h a week on average over 17
weeks). How long the break of article 4 is, is left to each country: a quarter of an hour is the least that is met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from attendance.rules.intervals import NOTHING, Interval, total, within
from attendance.rules.overtime import Overtime, OvertimeRule, Per, classify

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)


class Limit(StrEnum):
    DAILY_HOURS = "daily_hours"
    WEEKLY_HOURS = "weekly_hours"
    REST_INTERVAL = "rest_interval"
    SPREAD_OVER = "spread_over"
    WEEKLY_HOLIDAY = "weekly_holiday"
    DAILY_REST = "daily_rest"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits that hold from ``effective_from``; None is no limit.

    ``longest_stretch`` is how long one may work before a rest of ``shortest_rest``; shorter pauses count as work then.
    ``averaged_over`` weeks are looked at together for ``weekly_hours``.
    """

    name: str
    effective_from: date = date.min
    daily_hours: timedelta | None = None
    weekly_hours: timedelta | None = None
    averaged_over: int = 1
    longest_stretch: timedelta | None = None
    shortest_rest: timedelta = NOTHING
    spread: timedelta | None = None
    daily_rest: timedelta | None = None
    longest_run_of_days: int | None = None


FACTORIES_ACT_1948 = Limits(
    "Factories Act 1948",
    effective_from=date(1949, 4, 1),
    daily_hours=9 * HOUR,
    weekly_hours=48 * HOUR,
    longest_stretch=5 * HOUR,
    shortest_rest=timedelta(minutes=30),
    spread=10.5 * HOUR,
    longest_run_of_days=10,
)
EU_2003_88 = Limits(
    "Directive 2003/88/EC",
    effective_from=date(2004, 8, 2),
    weekly_hours=48 * HOUR,
    averaged_over=17,
    longest_stretch=6 * HOUR,
    shortest_rest=timedelta(minutes=15),
    daily_rest=11 * HOUR,
)
KNOWN: Mapping[str, Sequence[Limits]] = {"factories_act_1948": [FACTORIES_ACT_1948], "eu_2003_88": [EU_2003_88]}
"""Each law in its versions, by the date from which one holds: an amendment is one more, and days before keep theirs."""


@dataclass(frozen=True, slots=True)
class LimitPassed:
    """One limit passed on one date, by how much, and the sentence that says so."""

    limit: Limit
    day: date
    by: timedelta
    why: str


def versions_between(law: Sequence[Limits], since: date, until: date = date.max) -> list[Limits]:
    """Return what a law says from ``since`` on and before ``until``: the version in force, and those that follow."""
    first = in_force(law, since)
    later = sorted((one for one in law if since < one.effective_from < until), key=lambda one: one.effective_from)
    return [*([replace(first, effective_from=since)] if first else []), *later]


def in_force(limits: Sequence[Limits], day: date) -> Limits | None:
    """Return the limits that hold on ``day``: the ones that came into force last."""
    held = [one for one in limits if one.effective_from <= day]
    return max(held, key=lambda one: one.effective_from) if held else None


def watch_all(days: Mapping[date, Sequence[Interval]], limits: Sequence[Limits]) -> list[LimitPassed]:
    """Return what passes the limits that were in force on the day itself, by date."""
    found = [warning for one in limits for warning in watch(days, one) if in_force(limits, warning.day) is one]
    return sorted(found, key=lambda warning: (warning.day, warning.limit))


def beyond_law(days: Mapping[date, Sequence[Interval]], limits: Limits) -> list[Overtime]:
    """Return the stretches of one week beyond the law's hours of a day or of the week, each minute once.

    Section 59 of the Factories Act asks for double pay for them.
    """
    rules = [OvertimeRule("day", Per.DAY, limits.daily_hours)] if limits.daily_hours else []
    if limits.weekly_hours and limits.averaged_over == 1:
        rules.append(OvertimeRule("week", Per.WEEK, limits.weekly_hours))
    return classify(days, rules)


def watch(days: Mapping[date, Sequence[Interval]], limits: Limits) -> list[LimitPassed]:
    """Return what passes the limits, by date. ``days`` holds a person's worked stretches by the date they belong to.

    Hours after midnight already stand with the date on which the shift began. Weeks begin on Monday.
    """
    found = [*_by_day(days, limits), *_by_week(days, limits), *_rests(days, limits), *_runs(days, limits)]
    return sorted(found, key=lambda warning: (warning.day, warning.limit))


def _by_day(days: Mapping[date, Sequence[Interval]], limits: Limits) -> Iterator[LimitPassed]:
    for day, intervals in days.items():
        if not intervals:
            continue
        spread = intervals[-1].end - intervals[0].start
        yield from _over(
            Limit.DAILY_HOURS, day, total(intervals), limits.daily_hours, f"worked in a day, {limits.name}"
        )
        yield from _over(Limit.SPREAD_OVER, day, spread, limits.spread, f"from first to last, {limits.name}")
        stretch = max(_stretches(intervals, limits.shortest_rest))
        yield from _over(Limit.REST_INTERVAL, day, stretch, limits.longest_stretch, f"without a rest, {limits.name}")


def _over(limit: Limit, day: date, got: timedelta, most: timedelta | None, words: str) -> Iterator[LimitPassed]:
    if most is not None and got > most:
        yield LimitPassed(limit, day, got - most, f"{_hours(got)} {words} allows {_hours(most)}")


def _stretches(intervals: Sequence[Interval], rest: timedelta) -> Iterator[timedelta]:
    """Yield the length of each stretch of work that no rest interrupts, pauses that are too short included."""
    start = intervals[0].start
    for earlier, later in pairwise(intervals):
        if later.start > earlier.end and later.start - earlier.end >= rest:
            yield earlier.end - start
            start = later.start
    yield intervals[-1].end - start


def _by_week(days: Mapping[date, Sequence[Interval]], limits: Limits) -> Iterator[LimitPassed]:
    if limits.weekly_hours is None:
        return
    weeks: dict[date, timedelta] = {}
    for day, intervals in days.items():
        monday = day - day.weekday() * DAY
        weeks[monday] = weeks.get(monday, NOTHING) + total(intervals)
    for monday in weeks:
        looked_at = [weeks[start] for start in weeks if monday - limits.averaged_over * WEEK < start <= monday]
        mean = sum(looked_at, NOTHING) / len(looked_at)
        last = max(day for day in days if monday <= day < monday + WEEK and days[day]) if weeks[monday] else monday
        words = "worked in the week" if limits.averaged_over == 1 else f"a week on average over {len(looked_at)}"
        yield from _over(Limit.WEEKLY_HOURS, last, mean, limits.weekly_hours, f"{words}, {limits.name}")


def _rests(days: Mapping[date, Sequence[Interval]], limits: Limits) -> Iterator[LimitPassed]:
    """Look at each 24 hours from the beginning of work for one unbroken rest that is long enough."""
    if limits.daily_rest is None:
        return
    dated = sorted((interval, day) for day, intervals in days.items() for interval in intervals)
    work = [interval for interval, _ in dated]
    position = 0
    while position < len(work):
        start, day = work[position].start, dated[position][1]
        longest, resumed = _longest_rest(work, start)
        if longest < limits.daily_rest:
            why = f"longest rest in 24 hours was {_hours(longest)}, {limits.name} asks for {_hours(limits.daily_rest)}"
            yield LimitPassed(Limit.DAILY_REST, day, limits.daily_rest - longest, why)
        position = next((n for n, one in enumerate(work) if n > position and one.start >= resumed), len(work))


def _longest_rest(work: Sequence[Interval], start: datetime) -> tuple[timedelta, datetime]:
    """Return the longest rest in the 24 hours from ``start``, and when that rest is over."""
    frame = Interval(start, start + DAY)
    inside = within([one for one in work if one.end > start], frame)
    gaps = [(later.start - earlier.end, later.start) for earlier, later in pairwise(inside)]
    gaps.append((frame.end - inside[-1].end, frame.end))
    return max(gaps)


def _runs(days: Mapping[date, Sequence[Interval]], limits: Limits) -> Iterator[LimitPassed]:
    if limits.longest_run_of_days is None:
        return
    run = 0
    for day in sorted(day for day, intervals in days.items() if intervals):
        run = run + 1 if run and days.get(day - DAY) else 1
        if run > limits.longest_run_of_days:
            why = f"{run} days without one off, {limits.name} allows {limits.longest_run_of_days}"
            yield LimitPassed(Limit.WEEKLY_HOLIDAY, day, (run - limits.longest_run_of_days) * DAY, why)


def _hours(length: timedelta) -> str:
    minutes = length // timedelta(minutes=1)
    return f"{minutes // 60}:{minutes % 60:02} h"
