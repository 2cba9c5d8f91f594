"""Who stands in a zone of the picture, and for how long by the clock: frames that were lost change nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from occupancy.rules.walkers import Point, Walker

ENTER_S = 0.5
"""A foot must stay inside for so long before it counts as there: a corner that is cut is no stay."""

LEAVE_S = 2.0
"""How long nobody may be seen inside before a stay is over: longer than a tracker loses people behind each other."""


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon in pixels; its edges cross or not, what they enclose by the even-odd rule is inside."""

    name: str
    corners: tuple[Point, ...]

    @classmethod
    def from_shares(cls, name: str, points: Sequence[Point], size: tuple[int, int]) -> Area:
        """Build from corners given as shares (0–1) of a frame of ``size`` (width, height)."""
        return cls(name, tuple((x * size[0], y * size[1]) for x, y in points))

    def holds(self, point: Point) -> bool:
        """Tell whether ``point`` is inside."""
        x, y = point
        is_inside = False
        for (ax, ay), (bx, by) in zip(self.corners, (*self.corners[1:], *self.corners[:1]), strict=True):
            if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
                is_inside = not is_inside
        return is_inside


@dataclass(frozen=True, slots=True)
class Stay:
    """One walker was in one area from ``entered_at`` until last seen in it at ``left_at`` (Unix seconds)."""

    area: str
    track: int
    entered_at: float
    left_at: float


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is in an area at a moment: how many, and since when the one who is there longest."""

    people: int = 0
    since: float | None = None


@dataclass(slots=True)
class _Visit:
    track: int
    entered_at: float
    seen_at: float
    is_confirmed: bool = False


class AreaWatch:
    """Follows who is in which area of one camera."""

    def __init__(self, areas: Iterable[Area]) -> None:
        self._areas = tuple(areas)
        self._visits: dict[tuple[str, int], _Visit] = {}

    def look(self, seen: Iterable[Walker], at: float) -> list[Stay]:
        """Take the walkers seen in the frame captured ``at`` (never going back); return the stays that ended."""
        for walker in seen:
            for area in self._areas:
                if area.holds(walker.foot):
                    self._see((area.name, walker.number), walker.track, at)
        return self._end(at)

    def present(self) -> dict[str, Presence]:
        """Return who is in each area as of the last look."""
        found = {}
        for area in self._areas:
            here = (visit for (name, _), visit in self._visits.items() if name == area.name)
            inside = [visit.entered_at for visit in here if visit.is_confirmed]
            found[area.name] = Presence(len(inside), min(inside, default=None))
        return found

    def _see(self, key: tuple[str, int], track: int, at: float) -> None:
        visit = self._visits.setdefault(key, _Visit(track, at, at))
        visit.track, visit.seen_at = track, at
        visit.is_confirmed = visit.is_confirmed or at - visit.entered_at >= ENTER_S

    def _end(self, at: float) -> list[Stay]:
        over = {key: visit for key, visit in self._visits.items() if at - visit.seen_at > LEAVE_S}
        for key in over:
            del self._visits[key]
        return [
            Stay(name, visit.track, visit.entered_at, visit.seen_at)
            for (name, _), visit in over.items()
            if visit.is_confirmed
        ]
