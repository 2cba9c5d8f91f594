"""Following people by their feet over the frames of one camera, over short losses of their track.

A person is where the feet are, the middle of the lower edge of the box. When a track dies and another begins close to
where the first was heading, they are one walker. What is remembered about a walker ends with the walker.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

Point = tuple[float, float]

SEARCH = 0.55
"""How far, in walker heights, a returning walker may be from where it was heading."""

PATIENCE_S = 1.5
"""How long a walker is remembered after its track was last seen."""


class Tracked(Protocol):
    """What counting needs of a track: ``box`` is ``(x1, y1, x2, y2)`` in pixels."""

    @property
    def id(self) -> int: ...
    @property
    def box(self) -> tuple[float, float, float, float]: ...
    @property
    def is_confirmed(self) -> bool: ...
    @property
    def missed_s(self) -> float: ...


@dataclass(slots=True)
class Walker:
    """One person; ``number`` stays the same when the track changes. ``height`` is in pixels, ``seen_at`` Unix time."""

    number: int
    track: int
    foot: Point
    height: float
    seen_at: float
    velocity: Point = (0.0, 0.0)

    def expected_at(self, at: float) -> Point:
        gap = at - self.seen_at
        return self.foot[0] + self.velocity[0] * gap, self.foot[1] + self.velocity[1] * gap

    def move(self, foot: Point, height: float, at: float) -> None:
        gap = at - self.seen_at
        if gap > 0:
            speed = ((foot[0] - self.foot[0]) / gap, (foot[1] - self.foot[1]) / gap)
            self.velocity = tuple(old + 0.4 * (new - old) for old, new in zip(self.velocity, speed, strict=True))
        self.foot, self.height, self.seen_at = foot, height, at


def foot_of(box: tuple[float, float, float, float]) -> Point:
    """Return the middle of the lower edge of a box."""
    return (box[0] + box[2]) / 2, box[3]


class Walkers:
    """Everybody whom one camera sees now or saw a moment ago."""

    def __init__(self) -> None:
        self._walkers: dict[int, Walker] = {}
        self._numbers = itertools.count(1)

    def update(self, tracks: Iterable[Tracked], at: float) -> list[Walker]:
        """Take the tracks of the frame captured ``at`` (Unix seconds, never going back); return who is seen in it.

        Unconfirmed tracks, and tracks that were only predicted in this frame, are not looked at.
        """
        seen = [track for track in tracks if track.is_confirmed and not track.missed_s]
        self._walkers = {key: walker for key, walker in self._walkers.items() if at - walker.seen_at <= PATIENCE_S}
        self._adopt([track for track in seen if track.id not in self._walkers], {track.id for track in seen}, at)
        for track in seen:
            self._walkers[track.id].move(foot_of(track.box), track.box[3] - track.box[1], at)
        return [self._walkers[track.id] for track in seen]

    def numbers(self) -> set[int]:
        """Return the numbers of all who are still remembered."""
        return {walker.number for walker in self._walkers.values()}

    def _adopt(self, newcomers: Sequence[Tracked], present: set[int], at: float) -> None:
        """Make each newcomer the lost walker it most likely is, or a new one."""
        lost = [walker for key, walker in self._walkers.items() if key not in present]
        pairs = sorted(
            (distance, index, newcomer.id)
            for newcomer in newcomers
            for index, walker in enumerate(lost)
            if (distance := math.dist(walker.expected_at(at), foot_of(newcomer.box))) <= SEARCH * walker.height
        )
        taken: set[int] = set()
        for _, index, track in pairs:
            if track not in self._walkers and index not in taken:
                taken.add(index)
                del self._walkers[lost[index].track]
                lost[index].track = track
                self._walkers[track] = lost[index]
        for newcomer in newcomers:
            if newcomer.id not in self._walkers:
                box, number = newcomer.box, next(self._numbers)
                self._walkers[newcomer.id] = Walker(number, newcomer.id, foot_of(box), box[3] - box[1], at)
