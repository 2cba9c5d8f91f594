"""Which punch belongs to which occurrence: all punches of a person as one problem, in order of time.

Scheduled time beats a margin; at a common edge an entry goes to the later shift and an exit to the earlier one; an open
session keeps its exit; an assigned shift beats the default; then the nearer scheduled edge wins. Nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from attendance.rules.shifts import Occurrence


class Direction(StrEnum):
    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"


class PunchState(StrEnum):
    COUNTED = "counted"
    DUPLICATE = "duplicate"
    OFF_SHIFT = "off_shift"


@dataclass(frozen=True, slots=True)
class Punch:
    """One fact: an instant (UTC), a direction, and where it was taken. ``id`` orders punches of one instant."""

    at: datetime
    direction: Direction = Direction.UNKNOWN
    place: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a punch. ``occurrence`` is None off shift; ``reason`` says why it does not count."""

    punch: Punch
    state: PunchState
    occurrence: Occurrence | None = None
    reason: str = ""


def place_punches(punches: Sequence[Punch], occurrences: Sequence[Occurrence]) -> list[Placed]:
    """Place every punch, in order of time, whatever the order they arrived in."""
    placed: list[Placed] = []
    entered: dict[Occurrence, Punch] = {}
    is_open: dict[Occurrence, bool] = {}
    for punch in sorted(punches, key=lambda p: (p.at, p.direction is Direction.IN, p.id)):
        occurrence = _choose(punch, occurrences, is_open)
        if occurrence is None:
            placed.append(Placed(punch, PunchState.OFF_SHIFT, reason="outside every shift's window"))
            continue
        first = entered.get(occurrence)
        if punch.direction is Direction.IN and first and _is_double(punch, first, is_open[occurrence], occurrence):
            reason = f"entry already at {first.at:%H:%M:%S} UTC"
            placed.append(Placed(punch, PunchState.DUPLICATE, occurrence, reason))
            continue
        _enter(punch, occurrence, entered, is_open)
        placed.append(Placed(punch, PunchState.COUNTED, occurrence))
    return placed


def _is_double(punch: Punch, first: Punch, is_open: bool, occurrence: Occurrence) -> bool:
    """A repeat of the entry: inside the window, with no exit in between."""
    return is_open and punch.at - first.at < occurrence.shift.double_entry


def _enter(
    punch: Punch, occurrence: Occurrence, entered: dict[Occurrence, Punch], is_open: dict[Occurrence, bool]
) -> None:
    if punch.direction is Direction.OUT:
        is_open[occurrence] = False
    elif punch.direction is Direction.IN:
        is_open[occurrence] = True
        entered[occurrence] = punch
    else:
        is_open[occurrence] = not is_open.get(occurrence, False)
        entered.setdefault(occurrence, punch)


def _choose(punch: Punch, occurrences: Sequence[Occurrence], is_open: dict[Occurrence, bool]) -> Occurrence | None:
    held = [occurrence for occurrence in occurrences if _may_hold(punch, occurrence, is_open)]
    return min(held, key=lambda o: _rank(punch, o, is_open)) if held else None


def _may_hold(punch: Punch, occurrence: Occurrence, is_open: dict[Occurrence, bool]) -> bool:
    """An exit may also use the margin that a neighbour has cut, while its own session is open; and so may an entry at
    the common edge or an entry by hand in the double entry window, to be shown as what it is."""
    if occurrence.holds(punch.at):
        return True
    if not is_open.get(occurrence):
        return False
    if punch.direction is Direction.OUT:
        return occurrence.ends_at <= punch.at <= occurrence.ends_at + occurrence.shift.window_after
    return punch.direction is Direction.IN and punch.at < occurrence.starts_at + occurrence.shift.double_entry


def _rank(punch: Punch, occurrence: Occurrence, is_open: dict[Occurrence, bool]) -> tuple[object, ...]:
    """Order the occurrences that may hold a punch; the smallest is the one."""
    is_exit = punch.direction is Direction.OUT or (punch.direction is Direction.UNKNOWN and is_open.get(occurrence))
    is_at_start, is_at_end = punch.at == occurrence.starts_at, punch.at == occurrence.ends_at
    edge = {True: 1, False: 0}[is_at_start if is_exit else is_at_end]
    keeps_exit = 0 if is_exit and is_open.get(occurrence) else 1
    return (
        0 if occurrence.is_scheduled(punch.at) else 1 if occurrence.holds(punch.at) else 2,
        edge,
        keeps_exit,
        occurrence.is_default,
        occurrence.distance(punch.at),
        occurrence.starts_at,
    )


def worked_time(counted: Sequence[Punch], *, is_strict: bool, counts_pairs: bool) -> timedelta:
    """Return the elapsed time between counted punches of one occurrence, in order of time.

    ``is_strict`` believes directions, otherwise punches alternate. Pairs are summed, or the first entry to the last
    exit counts whole. What has no partner counts nothing.
    """
    pairs = _strict_pairs(counted) if is_strict else _alternating_pairs(counted)
    if not pairs:
        return timedelta()
    if counts_pairs:
        return sum((end - start for start, end in pairs), timedelta())
    return pairs[-1][1] - pairs[0][0]


def _alternating_pairs(counted: Sequence[Punch]) -> list[tuple[datetime, datetime]]:
    times = [punch.at for punch in counted]
    if len(times) < 2:
        return []
    pairs = list(zip(times[::2], times[1::2], strict=False))
    if len(times) % 2:
        pairs[-1] = (pairs[-1][0], times[-1])
    return pairs


def _strict_pairs(counted: Sequence[Punch]) -> list[tuple[datetime, datetime]]:
    pairs, start = [], None
    for punch in counted:
        if punch.direction is not Direction.OUT:
            start = punch.at if start is None else start
        elif start is not None:
            pairs.append((start, punch.at))
            start = None
    return pairs
