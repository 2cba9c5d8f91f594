"""Which punch belongs to which occurrence: all punches of a person as one problem, in order of time.

An open session keeps its exit; scheduled time beats a margin; at a common edge an entry goes to the later shift and an
exit to the earlier one; an assigned shift beats the default; then the nearer scheduled edge wins. Nothing is dropped.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from attendance.rules.shifts import Occurrence

REACH = timedelta(hours=48)
"""No window reaches farther from a scheduled start: a shift and its margins together stay under a day."""


class Direction(StrEnum):
    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"


def punch_key(person: int, at: datetime, direction: str) -> str:
    """Return what tells a punch of a sender without ids from every other: the person, the second and the direction."""
    return f"{person}:{int(at.timestamp())}:{direction}"


class PunchState(StrEnum):
    COUNTED = "counted"
    DUPLICATE = "duplicate"
    OFF_SHIFT = "off_shift"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Punch:
    """One fact: an instant (UTC), a direction, and where it was taken. ``id`` orders punches of one instant.

    ``is_doubtful`` marks a face that its recogniser was not sure of.
    """

    at: datetime
    direction: Direction = Direction.UNKNOWN
    place: str = ""
    id: int = 0
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a punch. ``occurrence`` is None off shift; ``reason`` says why it does not count.

    ``goes`` is the direction it is taken in: as it was sent, or inferred from the session it stands in.
    """

    punch: Punch
    state: PunchState
    occurrence: Occurrence | None = None
    reason: str = ""
    goes: Direction = Direction.UNKNOWN


@dataclass(slots=True)
class _Session:
    """What is known of one occurrence while its punches are walked through."""

    entry: Punch | None = None
    last: Punch | None = None
    last_goes: Direction = Direction.UNKNOWN
    is_open: bool = False


@dataclass(slots=True)
class _Walk:
    occurrences: Sequence[Occurrence]
    starts: list[datetime] = field(default_factory=list)
    sessions: dict[int, _Session] = field(default_factory=dict)
    latest: int | None = None
    """The occurrence that took the last punch that counts."""

    def awaits_exit(self, number: int) -> bool:
        """Whether an exit now must end this session: it is open, and no other one was entered since."""
        return number == self.latest and self.sessions[number].is_open

    def near(self, at: datetime) -> range:
        return range(bisect_left(self.starts, at - REACH), bisect_right(self.starts, at + REACH))


def place_punches(punches: Sequence[Punch], occurrences: Sequence[Occurrence]) -> list[Placed]:
    """Place every punch, in order of time, whatever the order they arrived in. ``occurrences`` are ordered by start."""
    walk = _Walk(occurrences, [occurrence.starts_at for occurrence in occurrences])
    return [_place(punch, walk) for punch in sorted(punches, key=in_order)]


def in_order(punch: Punch) -> tuple[datetime, bool, int]:
    """Order punches by time; of one instant the exit comes first, so that a transfer closes before it opens."""
    return (punch.at, punch.direction is Direction.IN, punch.id)


def _place(punch: Punch, walk: _Walk) -> Placed:
    held = [n for n in walk.near(punch.at) if _may_hold(punch, walk.occurrences[n], walk.sessions.get(n))]
    if not held:
        return Placed(punch, PunchState.OFF_SHIFT, reason="outside every shift's window", goes=punch.direction)
    chosen = min(held, key=lambda n: _rank(punch, n, walk))
    occurrence, session = walk.occurrences[chosen], walk.sessions.setdefault(chosen, _Session())
    goes = _direction(punch, session)
    if reason := _repeats(punch, goes, session, occurrence):
        return Placed(punch, PunchState.DUPLICATE, occurrence, reason, goes)
    if goes is Direction.IN:
        session.entry = punch
    session.is_open, walk.latest = goes is Direction.IN, chosen
    session.last, session.last_goes = punch, goes
    return Placed(punch, PunchState.COUNTED, occurrence, goes=goes)


def _direction(punch: Punch, session: _Session) -> Direction:
    """Infer what a device did not say: the first punch of a session goes in, the next one out, and so on."""
    if punch.direction is not Direction.UNKNOWN:
        return punch.direction
    return Direction.OUT if session.is_open else Direction.IN


def _repeats(punch: Punch, goes: Direction, session: _Session, occurrence: Occurrence) -> str:
    """Return why the punch says nothing of its own: an entry again without an exit in between, or one look twice."""
    shift, first, last = occurrence.shift, session.entry, session.last
    if goes is Direction.IN and session.is_open and first and punch.at - first.at < shift.double_entry:
        return f"entry already at {first.at:%H:%M:%S} UTC"
    is_same = last and (punch.direction is Direction.UNKNOWN or goes is session.last_goes)
    if last and is_same and punch.at - last.at < shift.repeat_within:
        return f"repeats the punch at {last.at:%H:%M:%S} UTC"
    return ""


def _may_hold(punch: Punch, occurrence: Occurrence, session: _Session | None) -> bool:
    """An exit may also use the margin that a neighbour has cut, while its own session is open; and so may an entry at
    the common edge or an entry by hand in the double entry window, to be shown as what it is."""
    if occurrence.holds(punch.at):
        return True
    if session is None or not session.is_open:
        return False
    if punch.direction is Direction.OUT:
        return occurrence.ends_at <= punch.at <= occurrence.ends_at + occurrence.shift.window_after
    return punch.direction is Direction.IN and punch.at < occurrence.starts_at + occurrence.shift.double_entry


def _rank(punch: Punch, number: int, walk: _Walk) -> tuple[object, ...]:
    """Order the occurrences that may hold a punch; the smallest is the one.

    An exit ends a session that is open, also when it comes in the schedule of a shift that was not entered yet. Where
    no device said which way a punch went, the assigned shift comes before the common edge.
    """
    occurrence, session = walk.occurrences[number], walk.sessions.get(number)
    is_open = session is not None and session.is_open
    is_sent = punch.direction is not Direction.UNKNOWN
    is_exit = punch.direction is Direction.OUT or (not is_sent and is_open)
    is_at_wrong_edge = punch.at == (occurrence.starts_at if is_exit else occurrence.ends_at)
    return (
        punch.direction is Direction.OUT and not walk.awaits_exit(number),
        _nearness(punch, occurrence),
        is_at_wrong_edge and (is_sent or is_exit),
        not (is_exit and is_open),
        occurrence.is_default,
        is_at_wrong_edge,
        _distance(punch, occurrence, is_exit=is_exit),
        occurrence.starts_at,
    )


def _nearness(punch: Punch, occurrence: Occurrence) -> int:
    """Inside the schedule beats the window, and the window a margin that was cut. Nobody is due on a day off."""
    if occurrence.is_scheduled(punch.at) and not occurrence.is_day_off:
        return 0
    return 1 if occurrence.holds(punch.at) else 2


def _distance(punch: Punch, occurrence: Occurrence, *, is_exit: bool) -> timedelta:
    """How far the nearer scheduled edge is; on a day off, where shifts may overlap, an entry asks for a start."""
    if occurrence.is_day_off and not is_exit:
        return abs(punch.at - occurrence.starts_at)
    return occurrence.distance(punch.at)
