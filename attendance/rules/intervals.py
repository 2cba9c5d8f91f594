"""Stretches of time as pairs of instants: add up, take away, cut at midnight. Half-open and in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
NOTHING = timedelta()


class Interval(NamedTuple):
    """From ``start`` up to ``end``, both UTC."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def total(intervals: Iterable[Interval]) -> timedelta:
    """Return the elapsed time of all of them."""
    return sum((interval.length for interval in intervals), NOTHING)


def overlap(interval: Interval, other: Interval) -> timedelta:
    """Return how long the two have in common."""
    return max(NOTHING, min(interval.end, other.end) - max(interval.start, other.start))


def without(intervals: Sequence[Interval], holes: Iterable[Interval]) -> list[Interval]:
    """Return ``intervals`` with every hole cut out."""
    left = list(intervals)
    for hole in holes:
        left = [part for interval in left for part in _around(interval, hole)]
    return left


def within(intervals: Sequence[Interval], frame: Interval) -> list[Interval]:
    """Return the parts that lie inside ``frame``."""
    cut = (Interval(max(i.start, frame.start), min(i.end, frame.end)) for i in intervals)
    return [interval for interval in cut if interval.start < interval.end]


def _around(interval: Interval, hole: Interval) -> Iterator[Interval]:
    if hole.start >= hole.end:
        yield interval
        return
    if interval.start < min(hole.start, interval.end):
        yield Interval(interval.start, min(hole.start, interval.end))
    if max(hole.end, interval.start) < interval.end:
        yield Interval(max(hole.end, interval.start), interval.end)


def beyond(intervals: Sequence[Interval], allowance: timedelta) -> list[Interval]:
    """Return what is left of ``intervals`` after the first ``allowance`` of time, as it was lived through."""
    left, tail = allowance, []
    for interval in intervals:
        if interval.length > left:
            tail.append(Interval(interval.start + left, interval.end))
        left = max(NOTHING, left - interval.length)
    return tail


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day. Where a clock change skips midnight, the day begins after the gap."""
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    if start.astimezone(zone).date() < day:
        start = datetime.combine(day, time(), zone).replace(fold=1).astimezone(UTC)
    return start


def day_length(day: date, zone: ZoneInfo) -> timedelta:
    """Return how long a local day lasts: 23, 24 or 25 hours in most zones."""
    return midnight(day + DAY, zone) - midnight(day, zone)


def by_day(intervals: Iterable[Interval], zone: ZoneInfo) -> dict[date, timedelta]:
    """Share elapsed time out to local days, cut at midnight. The days add up to the whole."""
    shares: dict[date, timedelta] = {}
    for interval in intervals:
        start = interval.start
        while start < interval.end:
            day = start.astimezone(zone).date()
            end = min(interval.end, midnight(day + DAY, zone))
            shares[day] = shares.get(day, NOTHING) + (end - start)
            start = end
    return shares


def whole_minutes(shares: Iterable[tuple[date, timedelta]]) -> dict[date, int]:
    """Return shares in whole minutes that add up to the whole minutes of them all: seconds go on to the next date."""
    found, passed = {}, NOTHING
    for day, length in shares:
        found[day] = (passed + length) // MINUTE - passed // MINUTE
        passed += length
    return found
