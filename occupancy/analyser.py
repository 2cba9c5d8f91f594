"""Counts people over the lines of one camera while its frames come in. Runs in the camera process."""

from __future__ import annotations

from collections.abc import Sequence

from occupancy.rules.crossings import Line, LineCounter
from streaming.frames import PERSON, Analysis, Frame, Observation, Track, group_of


class CrossingAnalyser:
    """Implements `streaming.frames.Analyser` for cameras with lines.

    ``lines`` are the camera's own: a name, two points as shares (0–1) of the picture, and whether in is clockwise.
    A change of the picture's size starts the counting anew, because every pixel means another place then.
    """

    def __init__(self, lines: Sequence[tuple[str, Sequence[tuple[float, float]], bool]]) -> None:
        self._lines = tuple(lines)
        self._size: tuple[int, int] | None = None
        self._counter = LineCounter(())

    def analyse(self, frame: Frame, tracks: Sequence[Track]) -> Analysis:
        self._fit(frame)
        people = [track for track in tracks if group_of(track.label) == PERSON]
        crossings = self._counter.update(people, frame.captured_at)
        return Analysis(
            [
                Observation(
                    kind="crossing",
                    camera=frame.camera,
                    captured_at=crossing.at,
                    data={"line": crossing.line, "track": crossing.track, "is_in": crossing.is_in},
                )
                for crossing in crossings
            ]
        )

    def _fit(self, frame: Frame) -> None:
        size = (frame.image.shape[1], frame.image.shape[0])
        if size != self._size:
            self._size = size
            self._counter = LineCounter(
                Line.from_shares(name, points, size, is_in_clockwise=way) for name, points, way in self._lines
            )
