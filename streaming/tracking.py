"""Follows objects from frame to frame: which detection is the same person or vehicle as before.

Two-stage association as in ByteTrack (sure detections first, then weak ones for tracks that found none), an exact
assignment, a motion model in seconds, and a memory for objects that were hidden for a while (OC-SORT's ideas).
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from streaming.assignment import assign
from streaming.frames import PERSON, Box, Detection, Track, group_of
from streaming.motion import Motion

PROCESS_IDS: Iterator[int] = itertools.count(1)
"""The ids of all trackers of this process, so that none is given twice while it lives."""


@dataclass(frozen=True, slots=True)
class TrackerPolicy:
    """When a track begins, is believed, is shown without being seen, and is forgotten.

    Confidences are those of the detector; times are in seconds of capture, whatever the frame rate.
    """

    sure_person: float = 0.45
    sure_other: float = 0.40
    weak: float = 0.2
    confirming_hits: int = 3
    tentative_s: float = 0.5
    memory_s: float = 3.0
    coasting_s: float = 0.5
    overlap: float = 0.2
    weak_overlap: float = 0.4

    def is_sure(self, detection: Detection) -> bool:
        is_person = group_of(detection.label) == PERSON
        return detection.confidence >= (self.sure_person if is_person else self.sure_other)


class _Trace:
    """One object while it is followed."""

    def __init__(self, detection: Detection, at: float) -> None:
        self.id = 0
        self.group = group_of(detection.label)
        self.motion = Motion(detection.box, at)
        self.votes: Counter[str] = Counter()
        self.first_seen_at = at
        self.hits = 0
        self.is_confirmed = False
        self._note(detection, at)

    @property
    def misses(self) -> int:
        return self.motion.misses

    def take(self, detection: Detection, at: float) -> None:
        self.motion.correct(detection.box, at)
        self._note(detection, at)

    def _note(self, detection: Detection, at: float) -> None:
        self.detection, self.last_seen_at = detection, at
        self.votes[detection.label] += detection.confidence
        self.hits += 1

    def shown(self, at: float) -> Track:
        is_seen = self.misses == 0
        return Track(
            id=self.id,
            label=max(self.votes, key=self.votes.__getitem__),
            confidence=self.detection.confidence,
            box=self.detection.box if is_seen else self.motion.box,
            is_confirmed=self.is_confirmed,
            first_seen_at=self.first_seen_at,
            last_seen_at=self.last_seen_at,
            missed_s=0.0 if is_seen else at - self.last_seen_at,
        )


class Tracker:
    """Follows the objects of one camera. Not for several threads at once."""

    def __init__(self, policy: TrackerPolicy | None = None, *, ids: Iterator[int] = PROCESS_IDS) -> None:
        self._policy, self._ids = policy or TrackerPolicy(), ids
        self._traces: list[_Trace] = []

    def update(self, detections: Sequence[Detection], at: float) -> list[Track]:
        """Take in what was detected in the frame captured at ``at`` and return the tracks, by id.

        Returned are the objects seen in this frame, and the confirmed ones missed for at most ``coasting_s``, where
        they are thought to be. Frames that are not newer than the last one are only matched, not predicted for.
        """
        for trace in self._traces:
            trace.motion.advance(at)
        sure = [d for d in detections if self._policy.is_sure(d)]
        weak = [d for d in detections if not self._policy.is_sure(d) and d.confidence >= self._policy.weak]
        believed = [t for t in self._traces if t.is_confirmed]
        sure = self._match(believed, sure, self._policy.overlap, at)
        self._match([t for t in believed if t.misses == 1], weak, self._policy.weak_overlap, at)
        sure = self._match([t for t in self._traces if not t.is_confirmed], sure, self._policy.overlap, at)
        self._traces.extend(_Trace(detection, at) for detection in sure)
        self._settle(at)
        return [t.shown(at) for t in self._traces if self._is_shown(t, at)]

    def _match(
        self, traces: Sequence[_Trace], detections: Sequence[Detection], overlap: float, at: float
    ) -> list[Detection]:
        """Give tracks their detections and return the detections nobody took."""
        gains = _gains(traces, detections, overlap)
        pairs = assign(gains)
        for row, column in pairs:
            traces[row].take(detections[column], at)
        taken = {column for _, column in pairs}
        return [d for number, d in enumerate(detections) if number not in taken]

    def _settle(self, at: float) -> None:
        """Confirm what was seen often enough, forget what is gone, and number what stays."""
        self._traces = [t for t in self._traces if at - t.last_seen_at <= self._patience_s(t)]
        for trace in self._traces:
            trace.is_confirmed = trace.is_confirmed or trace.hits >= self._policy.confirming_hits
            trace.id = trace.id or next(self._ids)

    def _patience_s(self, trace: _Trace) -> float:
        return self._policy.memory_s if trace.is_confirmed else self._policy.tentative_s

    def _is_shown(self, trace: _Trace, at: float) -> bool:
        if trace.misses == 0:
            return True
        return trace.is_confirmed and at - trace.last_seen_at <= self._policy.coasting_s


def _gains(traces: Sequence[_Trace], detections: Sequence[Detection], overlap: float) -> np.ndarray:
    """Return the overlap times the confidence, shape (traces, detections); 0 where groups differ or too little."""
    overlaps = overlaps_of([t.motion.box for t in traces], [d.box for d in detections])
    groups = [group_of(d.label) for d in detections]
    is_same = np.array([[t.group == group for group in groups] for t in traces], bool).reshape(overlaps.shape)
    confidences = np.array([d.confidence for d in detections])
    return np.where(is_same & (overlaps >= overlap), overlaps * confidences, 0.0)


def overlaps_of(first: Iterable[Box], second: Iterable[Box]) -> np.ndarray:
    """Return the intersection over union of each of ``first`` with each of ``second``, shape (n, m)."""
    a, b = np.array(list(first), float).reshape(-1, 1, 4), np.array(list(second), float).reshape(1, -1, 4)
    sides = np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None)
    shared = sides[..., 0] * sides[..., 1]
    union = _areas(a) + _areas(b) - shared
    return shared / np.maximum(union, 1e-9)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
