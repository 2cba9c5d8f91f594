"""From counted punches to worked time: pairs, the first entry and the last exit, and unpaid breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from attendance.rules.intervals import NOTHING, Interval, total, without
from attendance.rules.matching import Direction, Placed, Punch
from attendance.rules.shifts import DAY, Occurrence, Shift, occurrence_on


@dataclass(frozen=True, slots=True)
class Presence:
    """The session of one occurrence: its first entry, its last exit, and what lies between them.

    ``spans`` are the stretches that count as presence, before breaks. ``open_since`` is the entry that has no exit.
    """

    first_in: Punch | None = None
    last_out: Punch | None = None
    spans: tuple[Interval, ...] = ()
    open_since: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.open_since is not None


def read_presence(counted: Sequence[Placed], shift: Shift) -> Presence:
    """Read the session from the counted punches of one occurrence, in order of time.

    A ``strict`` shift believes the directions that were sent; otherwise what a device did not say alternates, and the
    last of several undirected punches is the exit when only the first and the last count. Without a partner nothing
    counts.
    """
    if not counted:
        return Presence()
    goes = [placed.goes for placed in counted]
    if not (shift.is_strict or shift.counts_pairs) and _is_undirected(counted[-1].punch) and len(counted) > 1:
        goes[-1] = Direction.OUT
    punches = [placed.punch for placed in counted]
    first_in = next((punch for punch, way in zip(punches, goes, strict=True) if way is Direction.IN), None)
    last_out = punches[-1] if goes[-1] is Direction.OUT else None
    spans, open_since = _pairs(punches, goes)
    if not shift.counts_pairs:
        spans = _whole(punches, goes, first_in)
    return Presence(first_in, last_out, tuple(spans), open_since)


def _is_undirected(punch: Punch) -> bool:
    return punch.direction is Direction.UNKNOWN


def _pairs(punches: Sequence[Punch], goes: Sequence[Direction]) -> tuple[list[Interval], datetime | None]:
    """Pair each entry with the next exit; an entry while one is open changes nothing. Return the open one as well."""
    found: list[Interval] = []
    start: datetime | None = None
    for punch, way in zip(punches, goes, strict=True):
        if way is Direction.IN:
            start = punch.at if start is None else start
        elif start is not None:
            found.append(Interval(start, punch.at))
            start = None
    return found, start


def _whole(punches: Sequence[Punch], goes: Sequence[Direction], first_in: Punch | None) -> list[Interval]:
    """From the first entry to the last exit as one stretch, pauses included."""
    exits = [punch.at for punch, way in zip(punches, goes, strict=True) if way is Direction.OUT]
    if first_in is None or not exits or exits[-1] <= first_in.at:
        return []
    return [Interval(first_in.at, exits[-1])]


def paid_spans(presence: Presence, occurrence: Occurrence, zone: ZoneInfo) -> list[Interval]:
    """Take the unpaid breaks out of the presence: slots by the clock, then the deduction that pauses did not use up."""
    spans = without(presence.spans, break_slots(occurrence, zone))
    shift = occurrence.shift
    if not shift.break_deducted or total(presence.spans) <= shift.break_after:
        return spans
    return deduct_break(spans, shift.break_deducted)


def deduct_break(spans: list[Interval], length: timedelta) -> list[Interval]:
    """Take a break of ``length`` out of stretches in order, less the pauses that lie between them already."""
    paused = spans[-1].end - spans[0].start - total(spans) if spans else NOTHING
    return _without_middle(spans, length - paused)


def break_slots(occurrence: Occurrence, zone: ZoneInfo) -> list[Interval]:
    """Return the shift's unpaid slots on this date; a slot before the shift's start lies on the next day."""
    found = []
    for start, end in occurrence.shift.breaks:
        day = occurrence.shift_date
        if occurrence.shift.is_overnight and start < occurrence.shift.starts_at:
            day += DAY
        begins = datetime.combine(day, start, zone).astimezone(UTC)
        ends = datetime.combine(day + DAY if end <= start else day, end, zone).astimezone(UTC)
        found.append(Interval(begins, ends))
    return found


def _without_middle(spans: list[Interval], length: timedelta) -> list[Interval]:
    """Take ``length`` out of the middle of the longest stretch; whole stretches go when it is longer than that."""
    while spans and length > NOTHING:
        longest = max(spans, key=lambda span: (span.length, span.start))
        taken = min(length, longest.length)
        start = longest.start + (longest.length - taken) / 2
        spans = without(spans, [Interval(start, start + taken)])
        length -= taken
    return spans


def scheduled_hours(occurrence: Occurrence, zone: ZoneInfo) -> timedelta:
    """Return the hours that the whole shift asks for: its schedule without its unpaid breaks."""
    return _hours_on(occurrence.shift, occurrence.shift_date, zone)


@lru_cache(maxsize=8192)
def _hours_on(shift: Shift, day: date, zone: ZoneInfo) -> timedelta:
    """The same for everybody who works the shift that day."""
    occurrence = occurrence_on(shift, day, zone)
    whole = Presence(spans=(Interval(occurrence.starts_at, occurrence.ends_at),))
    return total(paid_spans(whole, occurrence, zone))


def due_hours(occurrence: Occurrence, zone: ZoneInfo) -> timedelta:
    """Return the hours to be worked of it: none on a day off or on leave, half of them on half a day of leave."""
    if occurrence.is_free:
        return NOTHING
    asked = scheduled_hours(occurrence, zone)
    return asked / 2 if occurrence.is_half_on_leave else asked
