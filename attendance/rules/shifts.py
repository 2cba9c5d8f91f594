"""Shifts, and their occurrences: one shift on one date, as instants.

A local time that a clock change skips or repeats means the first possible instant, for starts and ends alike.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


class DatedBy(StrEnum):
    """Which local date a shift belongs to: where it starts, ends, or has most of its work; or cut at midnight."""

    START = "start"
    END = "end"
    MOST = "most"
    SPLIT = "split"


class LeavePart(StrEnum):
    """How much of a shift a day of leave covers; a half is cut in the middle of the schedule."""

    WHOLE = "whole"
    FIRST_HALF = "first_half"
    SECOND_HALF = "second_half"


class OvertimePolicy(StrEnum):
    """No overtime, what is worked beyond the shift's own hours, or what lies after (or around) its schedule."""

    OFF = "off"
    BEYOND_HOURS = "beyond_hours"
    AFTER_END = "after_end"
    AROUND_SHIFT = "around_shift"


@dataclass(frozen=True, slots=True)
class Shift:
    """One version of a shift, in force from ``effective_from``. An ``ends_at`` not after ``starts_at`` is the next day.

    ``grace_in`` and ``grace_out`` are forgiven at the edges, ``window_before`` and ``window_after`` are the margins in
    which punches still belong to it. ``half_day_below`` and ``absent_below`` of zero are switched off. ``breaks`` are
    unpaid slots of wall clock; ``break_deducted`` is taken off work longer than ``break_after``, less the pauses that
    were punched. A punch within ``repeat_within`` of the one before, in the same or no direction, is a repeat.
    ``skips_holidays`` makes no record at all on a holiday. ``closes_itself`` ends a session without an exit at the
    scheduled end, marked.
    """

    name: str
    starts_at: time
    ends_at: time
    version: int = 1
    effective_from: date = date.min
    grace_in: timedelta = timedelta()
    grace_out: timedelta = timedelta()
    window_before: timedelta = timedelta(hours=1)
    window_after: timedelta = timedelta(hours=1)
    half_day_below: timedelta = timedelta()
    absent_below: timedelta = timedelta()
    breaks: tuple[tuple[time, time], ...] = ()
    break_deducted: timedelta = timedelta()
    break_after: timedelta = timedelta()
    double_entry: timedelta = timedelta(hours=12)
    repeat_within: timedelta = timedelta()
    is_strict: bool = False
    counts_pairs: bool = False
    skips_holidays: bool = False
    closes_itself: bool = False
    dated_by: DatedBy = DatedBy.START
    overtime: OvertimePolicy = OvertimePolicy.OFF
    key: int = 0

    def __hash__(self) -> int:
        """Cheap: equal shifts have equal names, and shifts are keys of a cache that is asked for every day."""
        return hash((self.name, self.version, self.key))

    @property
    def is_overnight(self) -> bool:
        return self.ends_at <= self.starts_at


@dataclass(frozen=True, slots=True)
class Cycle:
    """A roster that turns: of every ``length`` days from ``anchor`` on, those numbered in ``days``, from 0."""

    anchor: date
    length: int
    days: frozenset[int]

    def covers(self, day: date) -> bool:
        return (day - self.anchor).days % self.length in self.days


@dataclass(frozen=True, slots=True)
class Assignment:
    """A shift, in all its versions, for a person from one date to another, both included.

    ``weekdays`` are 0 to 6 from Monday, None for all; ``cycle`` is for rosters that turn.
    """

    versions: tuple[Shift, ...]
    from_date: date
    to_date: date | None = None
    weekdays: frozenset[int] | None = None
    cycle: Cycle | None = None

    @property
    def follows_the_week(self) -> bool:
        """Whether the site's days off are its own: it names no days itself."""
        return self.weekdays is None and self.cycle is None

    def is_in_force(self, day: date) -> bool:
        return self.from_date <= day and (self.to_date is None or day <= self.to_date)

    def shift_on(self, day: date) -> Shift | None:
        """Return the version that is worked on ``day``; None when it is not worked then."""
        if not self.is_in_force(day) or (self.weekdays is not None and day.weekday() not in self.weekdays):
            return None
        if self.cycle is not None and not self.cycle.covers(day):
            return None
        return version_on(self.versions, day)


def span_of(starts_at: time, ends_at: time) -> timedelta:
    """Return how long a shift lasts by the clock; an end that is not after the start is the next day's."""
    start, end = (timedelta(hours=at.hour, minutes=at.minute, seconds=at.second) for at in (starts_at, ends_at))
    return end - start if end > start else end - start + DAY


def judge_shift(starts_at: time, ends_at: time, window_before: timedelta, window_after: timedelta) -> str:
    """Return the code of why such a shift cannot be: ``no_length``, ``window_too_long``, or nothing.

    A shift and its windows stay under a day together: otherwise two days of it would share their punches.
    """
    if starts_at == ends_at:
        return "no_length"
    return "window_too_long" if window_before + span_of(starts_at, ends_at) + window_after >= DAY else ""


def version_on(versions: Sequence[Shift], day: date) -> Shift | None:
    """Return the version in force on ``day``: the one that took effect last; None before the first."""
    held = [shift for shift in versions if shift.effective_from <= day]
    return max(held, key=lambda shift: (shift.effective_from, shift.version)) if held else None


@dataclass(frozen=True, slots=True)
class Leave:
    """Days of leave, both dates included, or the same half of each of them."""

    first: date
    last: date
    part: LeavePart = LeavePart.WHOLE


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One shift on one date. All four instants are UTC and belong to it; windows of neighbours may be cut.

    ``leave`` is the part of it on which the person need not come, None when there is no leave. ``is_day_off`` marks one
    that nobody has to work, held ready for whoever comes all the same.
    """

    shift: Shift
    shift_date: date
    starts_at: datetime
    ends_at: datetime
    window_start: datetime
    window_end: datetime
    is_default: bool = False
    is_holiday: bool = False
    is_day_off: bool = False
    leave: LeavePart | None = None

    @property
    def is_free(self) -> bool:
        """Whether nobody has to come: a holiday, a day off, or a day of leave."""
        return self.is_holiday or self.is_day_off or self.is_on_leave

    @property
    def is_on_leave(self) -> bool:
        """Whether nothing of it is to be worked."""
        return self.leave is LeavePart.WHOLE

    @property
    def is_half_on_leave(self) -> bool:
        return self.leave in (LeavePart.FIRST_HALF, LeavePart.SECOND_HALF)

    @property
    def due_from(self) -> datetime:
        """When the person has to be there: the start, or the middle after a half on leave."""
        return self._middle if self.leave is LeavePart.FIRST_HALF else self.starts_at

    @property
    def due_until(self) -> datetime:
        """Until when the person has to be there: the end, or the middle before a half on leave."""
        return self._middle if self.leave is LeavePart.SECOND_HALF else self.ends_at

    @property
    def _middle(self) -> datetime:
        return self.starts_at + (self.ends_at - self.starts_at) / 2

    @property
    def key(self) -> tuple[date, str, datetime]:
        """What tells it from every other occurrence of the same person."""
        return (self.shift_date, self.shift.name, self.starts_at)

    def holds(self, at: datetime) -> bool:
        return self.window_start <= at <= self.window_end

    def is_scheduled(self, at: datetime) -> bool:
        return self.starts_at <= at <= self.ends_at

    def distance(self, at: datetime) -> timedelta:
        """Return how far ``at`` is from the nearer of the two scheduled edges."""
        return min(abs(at - self.starts_at), abs(at - self.ends_at))


@lru_cache(maxsize=8192)
def occurrence_on(shift: Shift, day: date, zone: ZoneInfo, *, is_default: bool = False) -> Occurrence:
    """Return the occurrence of ``shift`` that starts on the local date ``day``."""
    end_day = day + DAY if shift.is_overnight else day
    starts_at = datetime.combine(day, shift.starts_at, zone).astimezone(UTC)
    ends_at = datetime.combine(end_day, shift.ends_at, zone).astimezone(UTC)
    return Occurrence(
        shift, day, starts_at, ends_at, starts_at - shift.window_before, ends_at + shift.window_after, is_default
    )


def occurrences(
    assignments: Iterable[Assignment],
    defaults: Iterable[Assignment],
    first: date,
    last: date,
    zone: ZoneInfo,
    days_off: Collection[date] = (),
) -> list[Occurrence]:
    """Return every occurrence that starts on the dates ``first`` to ``last``, by start.

    Where neighbours' margins overlap, the later one begins when the earlier one's schedule ends. A default stands in
    on dates on which no assignment is in force; a day off of an assignment stays a day off. ``days_off`` are the site's
    and hold for what names no days of its own.
    """
    given, spare = list(assignments), list(defaults)
    assigned: dict[tuple[date, str, datetime], Occurrence] = {}
    found: list[Occurrence] = []
    for day in days_between(first, last):
        in_force = [assignment for assignment in given if assignment.is_in_force(day)]
        is_off = day in days_off
        for shift in _worked_on(day, in_force, is_off=is_off):
            occurrence = occurrence_on(shift, day, zone)
            assigned[occurrence.key] = occurrence
        if not in_force:
            found += [
                occurrence_on(shift, day, zone, is_default=True) for shift in _worked_on(day, spare, is_off=is_off)
            ]
    return sorted([*_cut_windows(sorted(assigned.values(), key=by_start)), *found], key=by_start)


def occurrences_off(
    assignments: Iterable[Assignment], defaults: Iterable[Assignment], day: date, zone: ZoneInfo
) -> list[Occurrence]:
    """Return what would be worked on ``day`` by whoever comes although it is off: the shifts that are in force.

    A shift that keeps no records of holidays keeps none of days off.
    """
    in_force = [one for one in assignments if one.is_in_force(day)]
    in_force = in_force or [one for one in defaults if one.is_in_force(day)]
    shifts = {shift for one in in_force if (shift := version_on(one.versions, day)) and not shift.skips_holidays}
    return sorted((replace(occurrence_on(shift, day, zone), is_day_off=True) for shift in shifts), key=by_start)


def _worked_on(day: date, assignments: Iterable[Assignment], *, is_off: bool) -> Iterator[Shift]:
    for assignment in assignments:
        if is_off and assignment.follows_the_week:
            continue
        if shift := assignment.shift_on(day):
            yield shift


def by_start(occurrence: Occurrence) -> tuple[datetime, datetime, str]:
    return (occurrence.starts_at, occurrence.ends_at, occurrence.shift.name)


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield the dates from ``first`` to ``last``, both included."""
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
    found = [one for given in assignments for one in occurrences([given], (), first - DAY, last, zone)]
    ordered = sorted(found, key=by_start)
    for earlier, later in pairwise(ordered):
        if later.starts_at < earlier.ends_at:
            return later.shift_date
    return None
