"""Counting feet across a line: who really went over it, in which direction, exactly once.

Around the line lies a band; only a foot that was confirmed on one side of the band and is confirmed on the other has
crossed, so standing on the line or turning round in the band counts nothing, while really going back counts again.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from occupancy.rules.walkers import Point, Tracked, Walker, Walkers

BAND = 0.11
"""Half width of the band, as a share of the walker's height: 18 px for a person of 160 px, at which simulated crowds
with 20 % misses were counted within 1 %."""

CONFIRMING_FRAMES = 2
"""Frames in a row that a foot must be seen beyond the band."""

END_MARGIN = 0.05
"""How far beyond the ends of the drawn line, as a share of its length, a crossing still counts."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line from ``start`` to ``end`` in pixels. ``is_in_clockwise`` says which way is in: with True, a walker who
    turns the arrow start → end clockwise on the screen goes in (downwards across a line drawn left to right)."""

    name: str
    start: Point
    end: Point
    is_in_clockwise: bool = True

    @classmethod
    def from_shares(cls, name: str, points: Sequence[Point], size: tuple[int, int], *, is_in_clockwise: bool) -> Line:
        """Build from two points given as shares (0–1) of a frame of ``size`` (width, height)."""
        (ax, ay), (bx, by) = points
        width, height = size
        return cls(name, (ax * width, ay * height), (bx * width, by * height), is_in_clockwise)

    @property
    def length(self) -> float:
        return math.dist(self.start, self.end)

    def side(self, point: Point) -> float:
        """Return the distance of ``point`` in pixels, positive on the clockwise side of start → end."""
        (ax, ay), (bx, by), (x, y) = self.start, self.end, point
        return ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / self.length

    def is_met_between(self, before: Point, after: Point) -> bool:
        """Tell whether the way ``before`` → ``after`` meets the drawn part of the line, a little margin included."""
        d_before, d_after = self.side(before), self.side(after)
        if d_before == d_after:
            return False
        share = d_before / (d_before - d_after)
        x = before[0] + share * (after[0] - before[0])
        y = before[1] + share * (after[1] - before[1])
        (ax, ay), (bx, by) = self.start, self.end
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / self.length**2
        return -END_MARGIN <= along <= 1 + END_MARGIN


@dataclass(frozen=True, slots=True)
class Crossing:
    """One walker went over one line at ``at`` (Unix seconds)."""

    line: str
    track: int
    is_in: bool
    at: float


@dataclass(slots=True)
class _Side:
    """Where one walker stands with respect to one line: the confirmed side, and the frames seen beyond the band."""

    confirmed: int = 0
    last_point: Point = (0.0, 0.0)
    candidate: int = 0
    frames: int = 0


class LineCounter:
    """Says who of the walkers of one camera crossed which line."""

    def __init__(self, lines: Iterable[Line], walkers: Walkers | None = None) -> None:
        self._lines = tuple(line for line in lines if line.length > 0)
        self._walkers = walkers or Walkers()
        self._sides: dict[tuple[int, str], _Side] = {}

    def update(self, tracks: Iterable[Tracked], at: float) -> list[Crossing]:
        """Take the tracks of the frame captured ``at`` (Unix seconds, never going back) and return the crossings."""
        return self.count(self._walkers.update(tracks, at), at)

    def count(self, seen: Iterable[Walker], at: float) -> list[Crossing]:
        """Take the walkers who are seen in the frame captured ``at`` and return the crossings."""
        remembered = self._walkers.numbers()
        self._sides = {key: side for key, side in self._sides.items() if key[0] in remembered}
        crossings: list[Crossing] = []
        for walker in seen:
            for line in self._lines:
                side = self._sides.setdefault((walker.number, line.name), _Side())
                if self._has_crossed(walker, line, side):
                    is_in = (side.confirmed > 0) == line.is_in_clockwise
                    crossings.append(Crossing(line.name, walker.track, is_in, at))
        return crossings

    @staticmethod
    def _has_crossed(walk: Walker, line: Line, state: _Side) -> bool:
        """Move the walker's memory of one line on by one frame; True in the frame that confirms a crossing."""
        distance = line.side(walk.foot)
        side = 0 if abs(distance) <= BAND * walk.height else int(math.copysign(1, distance))
        if side == 0 or side == state.confirmed:
            state.candidate = state.frames = 0
            if side:
                state.last_point = walk.foot
            return False
        state.frames = state.frames + 1 if side == state.candidate else 1
        state.candidate = side
        if state.confirmed and state.frames < CONFIRMING_FRAMES:
            return False
        has_crossed = bool(state.confirmed) and line.is_met_between(state.last_point, walk.foot)
        state.confirmed, state.last_point, state.candidate, state.frames = side, walk.foot, 0, 0
        return has_crossed
