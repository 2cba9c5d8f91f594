"""Follows objects from frame to frame: which detection is the same person or vehicle as before.

Two looks as in ByteTrack (sure detections first, then weak ones for tracks that found none), exact pairing, a motion
model in seconds, and, as in OC-SORT and DeepSORT, finding again what was hidden: by place, and by colours when given.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from streaming.assignment import assign
from streaming.frames import OTHER, PERSON, Box, Detection, Track, group_of
from streaming.motion import Motion

PROCESS_IDS: Iterator[int] = itertools.count(1)
"""The ids of all trackers of this process, so that none is given twice while it lives."""


@dataclass(frozen=True, slots=True)
class TrackerPolicy:
    """When a track begins, is believed, goes on unseen, and is forgotten.

    Confidences are the detector's: a track begins with ``start``, goes on with ``sure``, and one that was just seen
    holds on to a ``weak`` sighting; traffic cones reach 0.5 as people, but not three times running. Overlaps are
    intersection over union. Likenesses are products of two looks (`streaming.appearance`). ``reach`` is how far
    something hidden may have gone, in its own sizes: at once, and more for each second.
    """

    start_person: float = 0.50
    start_other: float = 0.40
    sure_person: float = 0.45
    sure_other: float = 0.35
    weak: float = 0.20
    confirming_hits: int = 3
    tentative_misses: int = 1
    coasting_s: float = 0.4
    memory_s: float = 3.0
    overlap: float = 0.2
    weak_overlap: float = 0.5
    alike: float = 0.70
    same: float = 0.75
    reach: tuple[float, float] = (0.5, 1.0)

    def start(self, detection: Detection) -> float:
        return self.start_person if detection.label == PERSON else self.start_other

    def sure(self, detection: Detection) -> float:
        return self.sure_person if detection.label == PERSON else self.sure_other


DOUBTFUL, FAMILIAR, LEAST_WEIGHT = 0.4, 0.8, 0.3
"""Likeness at which an overlap counts least and fully, and the least it counts: light changes faster than people."""

CLEAR = 0.3
"""A detection that overlaps another more than this shows the colours of both, so its look is not remembered."""

REMEMBERED = 0.9
"""Share of the old look that is kept at each sighting."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sighting:
    """A detection of this frame; ``kind`` is what it can be followed as."""

    detection: Detection
    kind: str
    is_clear: bool


class _Trace:
    """One object while it is followed."""

    def __init__(self, sighting: _Sighting, at: float, number: int) -> None:
        self.id, self.kind, self.look = number, sighting.kind, sighting.detection.look
        self.motion = Motion(sighting.detection.box, at)
        self.first_seen_at, self.hits, self.is_confirmed = at, 0, False
        self._votes: Counter[str] = Counter()
        self._note(sighting.detection)

    @property
    def misses(self) -> int:
        """Frames since the last sighting; 0 when seen in the newest."""
        return self.motion.misses

    @property
    def seen_at(self) -> float:
        return self.motion.seen_at

    def take(self, sighting: _Sighting, at: float) -> None:
        self.motion.correct(sighting.detection.box, at)
        if sighting.is_clear:
            self.look = _blended(self.look, sighting.detection.look)
        self._note(sighting.detection)

    def _note(self, detection: Detection) -> None:
        self._detection = detection
        self._votes[detection.label] += detection.confidence
        self.hits += 1

    def likeness(self, sighting: _Sighting) -> float:
        """Return how alike the colours are, 0–1; 1 when either's are not known."""
        if self.look is None or sighting.detection.look is None:
            return 1.0
        return float(self.look @ sighting.detection.look)

    def shown(self, at: float) -> Track:
        return Track(
            id=self.id,
            label=max(self._votes, key=self._votes.__getitem__),
            confidence=self._detection.confidence,
            box=self.motion.box if self.misses else self._detection.box,
            is_confirmed=self.is_confirmed,
            first_seen_at=self.first_seen_at,
            last_seen_at=self.seen_at,
            missed_s=at - self.seen_at if self.misses else 0.0,
        )


class Tracker:
    """Follows the objects of one camera. For one thread."""

    def __init__(self, policy: TrackerPolicy | None = None, *, ids: Iterator[int] = PROCESS_IDS) -> None:
        self._policy, self._ids = policy or TrackerPolicy(), ids
        self._traces: list[_Trace] = []
        self._at = -math.inf

    def update(self, detections: Sequence[Detection], at: float) -> list[Track]:
        """Take in what was detected in the frame captured at ``at`` and return the tracks, oldest first.

        With detections that say how they look, objects that were hidden or crossed each other keep their ids: IDF1
        0.92 instead of 0.74 on a street with people behind a post. Returned are the objects seen in this frame, and
        the confirmed ones not seen for at most ``coasting_s``, where they are thought to be. The same time again
        changes nothing; an earlier one means that the clock was set
        back, and everything is forgotten but the ids.
        """
        if at < self._at:
            self._traces = []
        if at != self._at:
            self._at = at
            self._follow(_sightings(detections), at)
        return [trace.shown(at) for trace in self._traces if self._is_shown(trace)]

    def _follow(self, sightings: Sequence[_Sighting], at: float) -> None:
        policy = self._policy
        self._traces = [trace for trace in self._traces if at - trace.seen_at <= policy.memory_s]
        for trace in self._traces:
            trace.motion.advance(at)
        believed = [trace for trace in self._traces if trace.is_confirmed]
        tentative = [trace for trace in self._traces if not trace.is_confirmed]
        sure = [s for s in sightings if s.detection.confidence >= policy.sure(s.detection)]
        weak = [s for s in sightings if policy.weak <= s.detection.confidence < policy.sure(s.detection)]
        sure = _pair(believed, sure, self._gain_by_place, at)
        _pair([trace for trace in believed if trace.misses == 1], weak, self._gain_when_weak, at)
        sure = _pair([trace for trace in believed if trace.misses], sure, self._gain_by_look, at)
        sure = _pair(tentative, sure, self._gain_by_place, at)
        sure = _pair([trace for trace in tentative if trace.misses], sure, self._gain_by_look, at)
        self._begin(sure, at)
        self._settle()

    def _begin(self, sightings: Sequence[_Sighting], at: float) -> None:
        for sighting in sightings:
            if sighting.detection.confidence >= self._policy.start(sighting.detection):
                self._traces.append(_Trace(sighting, at, next(self._ids)))

    def _settle(self) -> None:
        """Confirm what was seen often enough, and forget first sightings that nothing followed."""
        for trace in self._traces:
            trace.is_confirmed = trace.is_confirmed or trace.hits >= self._policy.confirming_hits
        self._traces = [t for t in self._traces if t.is_confirmed or t.misses <= self._policy.tentative_misses]

    def _is_shown(self, trace: _Trace) -> bool:
        is_coasting = trace.is_confirmed and self._at - trace.seen_at <= self._policy.coasting_s
        return trace.misses == 0 or is_coasting

    def _gain_by_place(self, trace: _Trace, sighting: _Sighting, overlap: float) -> float:
        likeness = trace.likeness(sighting)
        if overlap < self._policy.overlap or (trace.misses > 1 and likeness < self._policy.alike):
            return 0.0
        return overlap * sighting.detection.confidence * _weight(likeness)

    def _gain_when_weak(self, trace: _Trace, sighting: _Sighting, overlap: float) -> float:
        if overlap < self._policy.weak_overlap:
            return 0.0
        return overlap * sighting.detection.confidence * _weight(trace.likeness(sighting))

    def _gain_by_look(self, trace: _Trace, sighting: _Sighting, overlap: float) -> float:
        """Find again what moved too far to overlap: it must look the same, be of like size, and be within reach."""
        if trace.look is None or sighting.detection.look is None:
            return 0.0
        at_once, a_second = self._policy.reach
        reach = at_once + a_second * (self._at - trace.seen_at)
        likeness = trace.likeness(sighting)
        is_possible = _is_within(trace.motion.seen, sighting.detection.box, reach)
        return likeness if likeness >= self._policy.same and is_possible else 0.0


Gain = Callable[[_Trace, _Sighting, float], float]


def _pair(traces: Sequence[_Trace], sightings: Sequence[_Sighting], gain: Gain, at: float) -> list[_Sighting]:
    """Give tracks their sightings so that the gains add up to most; return the sightings nobody took.

    ``gain`` is asked for each pair of one kind, with its overlap; 0 means that the two are not the same object.
    """
    if not traces or not sightings:
        return list(sightings)
    overlaps = overlaps_of([t.motion.box for t in traces], [s.detection.box for s in sightings])
    gains = np.zeros_like(overlaps)
    for row, trace in enumerate(traces):
        for column, sighting in enumerate(sightings):
            if trace.kind == sighting.kind:
                gains[row, column] = gain(trace, sighting, overlaps[row, column])
    pairs = assign(gains)
    for row, column in pairs:
        traces[row].take(sightings[column], at)
    taken = {column for _, column in pairs}
    return [sighting for number, sighting in enumerate(sightings) if number not in taken]


def _sightings(detections: Sequence[Detection]) -> list[_Sighting]:
    """Return the detections in an order of their own, so that the order they come in decides nothing."""
    boxes = [d.box for d in detections]
    overlaps = overlaps_of(boxes, boxes)
    np.fill_diagonal(overlaps, 0)
    found = [
        _Sighting(
            detection,
            _kind_of(detection.label),
            bool((overlaps[number] <= CLEAR).all()),
        )
        for number, detection in enumerate(detections)
    ]
    return sorted(found, key=lambda s: (-s.detection.confidence, s.detection.box, s.detection.label))


def _kind_of(label: str) -> str:
    """Return the group, in which a label may change (a van is now a car, now a truck), or the label if it has none."""
    group = group_of(label)
    return label if group == OTHER else group


def _blended(old: np.ndarray | None, new: np.ndarray | None) -> np.ndarray | None:
    if old is None or new is None:
        return new if old is None else old
    look = REMEMBERED * old + (1 - REMEMBERED) * new
    return look / max(float(np.linalg.norm(look)), 1e-9)


def _weight(likeness: float) -> float:
    share = (likeness - DOUBTFUL) / (FAMILIAR - DOUBTFUL)
    return min(1.0, max(LEAST_WEIGHT, share))


def _is_within(seen: np.ndarray, box: Box, reach: float) -> bool:
    """Tell whether a box is at most ``reach`` sizes from where something was last seen, and of about its height."""
    x1, y1, x2, y2 = box
    x, y, width, height = seen.tolist()
    size = max(width, height, x2 - x1, y2 - y1)
    distance = math.hypot((x1 + x2) / 2 - x, (y1 + y2) / 2 - y)
    return distance <= reach * size and 0.5 <= (y2 - y1) / height <= 2.0


def overlaps_of(first: Sequence[Box], second: Sequence[Box]) -> np.ndarray:
    """Return the intersection over union of each box of ``first`` with each of ``second``, shape (n, m)."""
    a, b = np.array(first, float).reshape(-1, 1, 4), np.array(second, float).reshape(1, -1, 4)
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    shared = sides[..., 0] * sides[..., 1]
    union = _areas(a) + _areas(b) - shared
    return shared / np.maximum(union, 1e-9)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
