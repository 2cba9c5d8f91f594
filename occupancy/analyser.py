"""Counts people over the lines of one camera and watches its zones while frames come in. Runs in the camera process."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from occupancy.rules.crossings import Crossing, Line, LineCounter
from occupancy.rules.presence import Area, AreaWatch, Presence, Stay
from occupancy.rules.walkers import Walkers
from streaming.frames import PERSON, Analysis, Frame, Observation, Track, group_of

Points = Sequence[tuple[float, float]]
TELL_EVERY_S = 1.0
"""Who is in a zone is told at most so often: a crowd at its edge would fill the database."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn on a camera, in shares (0–1): lines with a name, two points and whether in is clockwise; zones with
    a name and corners."""

    lines: Sequence[tuple[str, Points, bool]] = ()
    zones: Sequence[tuple[str, Points]] = ()


@dataclass(slots=True)
class Tally:
    """Entries and exits over each line since local midnight, to be shown in the picture."""

    zone: dt.tzinfo = dt.UTC
    date: dt.date | None = None
    ways: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, crossings: Sequence[Crossing], at: float) -> None:
        """Count crossings of the frame captured ``at``; a new local day begins at nothing."""
        today = dt.datetime.fromtimestamp(at, self.zone).date()
        if today != self.date:
            self.date, self.ways = today, {}
        for crossing in crossings:
            entries, exits = self.ways.get(crossing.line, (0, 0))
            self.ways[crossing.line] = (entries + crossing.is_in, exits + (not crossing.is_in))


class CountingAnalyser:
    """Implements `streaming.frames.Analyser` for cameras with lines or zones.

    ``tally`` is what was counted today before this process began. A change of the picture's size starts the counting
    anew, because every pixel means another place then.
    """

    def __init__(self, drawn: Drawn, tally: Tally | None = None) -> None:
        self._drawn, self._tally = drawn, tally or Tally()
        self._size: tuple[int, int] | None = None
        self._told: Mapping[str, Presence] = {}
        self._told_at = float("-inf")
        self._begin((0, 0))

    def analyse(self, frame: Frame, tracks: Sequence[Track]) -> Analysis:
        size, at = (frame.image.shape[1], frame.image.shape[0]), frame.captured_at
        if size != self._size:
            self._begin(size)
        people = [track for track in tracks if group_of(track.label) == PERSON]
        seen = self._walkers.update(people, at)
        crossings, stays = self._counter.count(seen, at), self._watch.look(seen, at)
        self._tally.add(crossings, at)
        present = self._watch.present()
        return Analysis(
            [
                *(_crossing(crossing, frame) for crossing in crossings),
                *(_stay(stay, frame) for stay in stays),
                *self._changes(present, frame),
            ],
            lines={name: self._tally.ways.get(name, (0, 0)) for name, _, _ in self._drawn.lines},
            zones={name: (one.people, one.since) for name, one in present.items()},
        )

    def _begin(self, size: tuple[int, int]) -> None:
        self._size, self._walkers = size, Walkers()
        lines = (Line.from_shares(name, points, size, is_in_clockwise=way) for name, points, way in self._drawn.lines)
        self._counter = LineCounter(lines, self._walkers)
        self._watch = AreaWatch(Area.from_shares(name, points, size) for name, points in self._drawn.zones)

    def _changes(self, present: Mapping[str, Presence], frame: Frame) -> list[Observation]:
        """Return who is in each zone whose answer differs from the one last told."""
        if frame.captured_at - self._told_at < TELL_EVERY_S:
            return []
        changed = {name: one for name, one in present.items() if one != self._told.get(name)}
        if changed:
            self._told, self._told_at = dict(present), frame.captured_at
        return [
            Observation(
                kind="presence",
                camera=frame.camera,
                captured_at=frame.captured_at,
                data={"area": name, "people": one.people, "since": one.since},
            )
            for name, one in changed.items()
        ]


def _crossing(crossing: Crossing, frame: Frame) -> Observation:
    return Observation(
        kind="crossing",
        camera=frame.camera,
        captured_at=crossing.at,
        data={"line": crossing.line, "track": crossing.track, "is_in": crossing.is_in},
    )


def _stay(stay: Stay, frame: Frame) -> Observation:
    return Observation(
        kind="stay",
        camera=frame.camera,
        captured_at=stay.left_at,
        data={"area": stay.area, "track": stay.track, "entered_at": stay.entered_at},
    )
