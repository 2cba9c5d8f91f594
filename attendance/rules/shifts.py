"""Shifts, and their occurrences: one shift on one date, as instants.

A local time that a clock change skips or repeats means the first possible instant, for starts and ends alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shift:
    """One version of a shift. An ``ends_at`` that is not after ``starts_at`` lies on the next day.

    ``grace_in`` and ``grace_out`` are forgiven at the edges, ``window_before`` and ``window_after`` are the margins in
    which punches still belong to it. ``half_day_below`` and ``absent_below`` of zero are switched off. With
    ``has_holidays`` there is no record at all on a holiday.
    """

    name: str
    starts_at: time
    ends_at: time
    version: int = 1
    grace_in: timedelta = timedelta()
    grace_out: timedelta = timedelta()
    window_before: timedelta = timedelta(hours=1)
    window_after: timedelta = timedelta(hours=1)
    half_day_below: timedelta = timedelta()
    absent_below: timedelta = timedelta()
    break_deducted: timedelta = timedelta()
    double_entry: timedelta = timedelta(hours=12)
    is_strict: bool = False
    counts_pairs: bool = False
    has_holidays: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """A shift for a person from one date to another, both included; ``weekdays`` 0–6 from Monday, None for all."""

    shift: Shift
    from_date: date
    to_date: date | None = None
    weekdays: frozenset[int] | None = None

    def covers(self, day: date) -> bool:
        in_time = self.from_date <= day and (self.to_date is None or day <= self.to_date)
        return in_time and (self.weekdays is None or day.weekday() in self.weekdays)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One shift on one date. All four instants are UTC and belong to it; windows of neighbours may be cut."""

    shift: Shift
    shift_date: date
    starts_at: datetime
    ends_at: datetime
    window_start: datetime
    window_end: datetime
    is_default: bool = False

    def holds(self, at: datetime) -> bool:
        return self.window_start <= at <= self.window_end

    def is_scheduled(self, at: datetime) -> bool:
        return self.starts_at <= at <= self.ends_at

    def distance(self, at: datetime) -> timedelta:
        """Return how far ``at`` is from the nearer of the two scheduled edges."""
        return min(abs(at - self.starts_at), abs(at - self.ends_at))


def occurrence_on(shift: Shift, day: date, zone: ZoneInfo, *, is_default: bool = False) -> Occurrence:
    """Return the occurrence of ``shift`` that starts on the local date ``day``."""
    end_day = day if shift.ends_at > shift.starts_at else day + DAY
    starts_at = datetime.combine(day, shift.starts_at, zone).astimezone(UTC)
    ends_at = datetime.combine(end_day, shift.ends_at, zone).astimezone(UTC)
    return Occurrence(
        shift, day, starts_at, ends_at, starts_at - shift.window_before, ends_at + shift.window_after, is_default
    )


def occurrences(
    assignments: Iterable[Assignment], default: Shift | None, first: date, last: date, zone: ZoneInfo
) -> list[Occurrence]:
    """Return every occurrence that starts on the dates ``first`` to ``last``, by start.

    Where neighbours' margins overlap, the later one begins when the earlier one's schedule ends. The default shift
    stands in on dates without an assignment.
    """
    given = list(assignments)
    assigned = [
        occurrence_on(assignment.shift, day, zone)
        for day in _days(first, last)
        for assignment in given
        if assignment.covers(day)
    ]
    cut = _cut_windows(sorted(assigned, key=lambda o: (o.starts_at, o.ends_at)))
    taken = {occurrence.shift_date for occurrence in cut}
    if default is not None:
        cut += [occurrence_on(default, day, zone, is_default=True) for day in _days(first, last) if day not in taken]
    return sorted(cut, key=lambda o: (o.starts_at, o.ends_at))


def _days(first: date, last: date) -> Iterator[date]:
    return (first + n * DAY for n in range((last - first).days + 1))


def _cut_windows(ordered: Sequence[Occurrence]) -> list[Occurrence]:
    found: list[Occurrence] = []
    for occurrence in ordered:
        if found and occurrence.window_start < found[-1].window_end:
            start = max(found[-1].ends_at, occurrence.window_start)
            found[-1] = replace(found[-1], window_end=min(found[-1].window_end, start))
            occurrence = replace(occurrence, window_start=start)
        found.append(occurrence)
    return found


def find_overlap(assignments: Sequence[Assignment], zone: ZoneInfo, first: date, last: date) -> date | None:
    """Return the first date on which two assignments' scheduled times overlap, None when none do."""
    ordered = occurrences(assignments, None, first - DAY, last, zone)
    for earlier, later in pairwise(ordered):
        if later.starts_at < earlier.ends_at:
            return later.shift_date
    return None
