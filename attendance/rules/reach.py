"""How far a change reaches: which other days may come out differently, and from when everything must be known.

A punch competes for the windows that hold it, and what becomes of it may change what becomes of the next one in the
same or in an overlapping window. Windows that overlap, as the shifts write them and before neighbours cut them, are one
chain; nothing passes from one chain to another. Punches without a shift are paired in order of time until a gap that
is longer than any session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from attendance.rules.intervals import DAY, Interval, midnight
from attendance.rules.shifts import Assignment, Occurrence, Shift, span_of, version_on

ALONE = timedelta(hours=23)
"""A single shift whose windows stay within this never touches its next day, on whichever day the clock changes."""

EDGE = 3 * DAY
STEP = 7 * DAY

Plan = Callable[[date, date], Sequence[Occurrence]]
"""Returns the occurrences that start from one date to another; it ends somewhere, or windows could go on for ever."""


@dataclass(frozen=True, slots=True)
class Span:
    """Dates from ``first`` to ``last``, both included."""

    first: date
    last: date

    def with_(self, other: Span) -> Span:
        """Return the span from the earlier first to the later last date of the two."""
        return Span(min(self.first, other.first), max(self.last, other.last))

    def holds(self, other: Span) -> bool:
        return self.first <= other.first and other.last <= self.last


def stands_alone(assignments: Sequence[Assignment], defaults: Sequence[Assignment], span: Span) -> bool:
    """Whether no window around ``span`` overlaps another: at most one shift in one version, with room between its days.

    Cheap, and true of most people: then a change reaches the day before and the day after, and no farther.
    """
    first, last = span.first - EDGE, span.last + EDGE
    held = [one for one in assignments if one.from_date <= last and (one.to_date is None or one.to_date >= first)]
    if not any(covers(one, first, last) for one in held):
        held += defaults
    shifts = {version for one in held for version in _versions_between(one, first, last)}
    if len(shifts) > 1:
        return False
    return all(one.window_before + span_of(one.starts_at, one.ends_at) + one.window_after <= ALONE for one in shifts)


def covers(assignment: Assignment, first: date, last: date) -> bool:
    """Whether an assignment is in force on every date."""
    return assignment.from_date <= first and (assignment.to_date is None or assignment.to_date >= last)


def _versions_between(assignment: Assignment, first: date, last: date) -> set[Shift]:
    found = {one for one in assignment.versions if first < one.effective_from <= last}
    before = version_on(assignment.versions, first)
    return found | {before} if before else found


def reach_of(span: Span, plan: Plan, zone: ZoneInfo) -> Span:
    """Return the dates whose records a change of the punches or the roster on ``span`` may touch."""
    low, high = midnight(span.first, zone), midnight(span.last + DAY, zone) - timedelta(microseconds=1)
    found = _grown(Interval(low, high), span, plan, zone)
    return Span(_date(found.start, zone), _date(found.end, zone))


def known_from(day: date, plan: Plan, zone: ZoneInfo) -> date:
    """Return from which date on plan and punches must be known so that ``day`` and what follows comes out right."""
    low = midnight(day, zone)
    return _date(_grown(Interval(low, low), Span(day, day), plan, zone).start, zone)


def _grown(frame: Interval, span: Span, plan: Plan, zone: ZoneInfo) -> Interval:
    """Grow ``frame`` by every window that touches it, and by those that touch these; look as far as that takes."""
    looked_at, step = Span(span.first - EDGE, span.last + EDGE), STEP
    while True:
        low_edge = plan(looked_at.first, min(span.first + DAY, looked_at.last))
        high_edge = plan(max(span.last - DAY, looked_at.first), looked_at.last)
        windows = [*low_edge, *high_edge]
        grown = _closure(frame, windows)
        is_enough = looked_at.first + 2 * DAY < _date(grown.start, zone) and _date(grown.end, zone) < looked_at.last
        if is_enough:
            return _with_double_entries(grown, windows)
        looked_at, step = Span(looked_at.first - step, looked_at.last + step), 2 * step


def _closure(frame: Interval, occurrences: Sequence[Occurrence]) -> Interval:
    left = [_window(one) for one in occurrences]
    while touching := [one for one in left if one.start <= frame.end and one.end >= frame.start]:
        left = [one for one in left if one not in touching]
        frame = Interval(
            min(frame.start, *(one.start for one in touching)), max(frame.end, *(one.end for one in touching))
        )
    return frame


def _window(occurrence: Occurrence) -> Interval:
    shift = occurrence.shift
    return Interval(occurrence.starts_at - shift.window_before, occurrence.ends_at + shift.window_after)


def _with_double_entries(frame: Interval, occurrences: Sequence[Occurrence]) -> Interval:
    """An entry again may be named a repeat after its window is over; it takes nothing away from anybody else."""
    inside = [one for one in occurrences if frame.start <= one.starts_at <= frame.end]
    return Interval(frame.start, max([frame.end, *(one.starts_at + one.shift.double_entry for one in inside)]))


def _date(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def chain_back(times: Sequence[datetime], until: datetime, gap: timedelta) -> datetime:
    """Return the first of ``times``, sorted, from which to ``until`` no gap is longer; ``until`` when there is none."""
    for at in reversed(times):
        if until - at > gap:
            break
        until = at
    return until


def chain_on(times: Sequence[datetime], since: datetime, gap: timedelta) -> datetime:
    """Return the last of ``times``, sorted, up to which from ``since`` no gap is longer; ``since`` if there is none."""
    for at in times:
        if at - since > gap:
            break
        since = at
    return since
