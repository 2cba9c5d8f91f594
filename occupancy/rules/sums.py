"""Sums of a count over time: hours from facts, days from hours, months from days.

The average is weighted by time, so ten entries in one minute weigh a minute. A bucket starts with the count that was
inside when it began.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    """What a log says: somebody went in or out, a count was taken, a person corrected it, the night reset it."""

    IN = "in"
    OUT = "out"
    COUNT = "count"
    CORRECTION = "correction"
    RESET = "reset"


SETTING = frozenset({Kind.COUNT, Kind.CORRECTION, Kind.RESET})
"""Kinds that set the count to a value; the others move it by one."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One log at an aware instant. ``count`` is the value that a setting kind sets, and None for in and out."""

    at: datetime
    kind: Kind
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """One bucket. ``average`` is people, weighted by time; ``closing`` the raw count at its end, which may be below
    zero when exits outnumber entries: the shown count never is, the difference is drift."""

    average: float
    peak: int
    low: int
    entries: int
    exits: int
    logs: int
    closing: int


def count_after(count: int, fact: Fact) -> int:
    """Return the raw count once ``fact`` has happened."""
    if fact.kind in SETTING:
        return fact.count or 0
    return count + 1 if fact.kind == Kind.IN else count - 1


def shown(count: int) -> int:
    """Return the count that people see: never below zero."""
    return max(count, 0)


def sum_bucket(start: datetime, end: datetime, opening: int, facts: Iterable[Fact]) -> Sum:
    """Sum the facts of ``[start, end)``, given in order of time, on top of the raw count ``opening``."""
    count, since, weighted = opening, start, timedelta()
    peak = low = shown(opening)
    entries = exits = logs = 0
    for fact in facts:
        weighted += (fact.at - since) * shown(count)
        count, since = count_after(count, fact), fact.at
        peak, low = max(peak, shown(count)), min(low, shown(count))
        entries += fact.kind == Kind.IN
        exits += fact.kind == Kind.OUT
        logs += 1
    weighted += (end - since) * shown(count)
    return Sum(weighted / (end - start), peak, low, entries, exits, logs, count)


def join_sums(parts: Sequence[tuple[timedelta, Sum]]) -> Sum:
    """Join sums of neighbouring buckets, each with its length, in order of time: hours to a day, days to a month."""
    whole = sum((length for length, _ in parts), timedelta())
    return Sum(
        average=sum(length / whole * part.average for length, part in parts),
        peak=max(part.peak for _, part in parts),
        low=min(part.low for _, part in parts),
        entries=sum(part.entries for _, part in parts),
        exits=sum(part.exits for _, part in parts),
        logs=sum(part.logs for _, part in parts),
        closing=parts[-1][1].closing,
    )


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants at which a local day begins and ends; 23 or 25 hours apart when the clocks change."""
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    end = datetime(after.year, after.month, after.day, tzinfo=zone)
    return start.astimezone(ZoneInfo("UTC")), end.astimezone(ZoneInfo("UTC"))


def hours_of(day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Return the hour buckets of a local day as UTC instants, cut by elapsed hours from local midnight."""
    start, end = day_bounds(day, zone)
    count = math.ceil((end - start) / timedelta(hours=1))
    edges = [min(start + timedelta(hours=n), end) for n in range(count + 1)]
    return list(pairwise(edges))


def hour_of(at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the hour bucket that holds ``at``, as UTC instants."""
    start, end = day_bounds(at.astimezone(zone).date(), zone)
    begun = start + (at - start) // timedelta(hours=1) * timedelta(hours=1)
    return begun, min(begun + timedelta(hours=1), end)


def next_month(first: date) -> date:
    """Return the first day of the month after the one that begins on ``first``."""
    return (first + timedelta(days=31)).replace(day=1)
