"""The data that flows from a camera to whoever looks at it: frames, detections, tracks, observations.

Values only. Pictures are BGR uint8 arrays of shape (height, width, 3); boxes are ``(x1, y1, x2, y2)`` in pixels of
the frame they belong to; ``captured_at`` is Unix time in seconds, taken when the reader got the picture.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

Box = tuple[float, float, float, float]

PERSON = "person"
VEHICLE = "vehicle"
OTHER = "other"

GROUPS = {
    "person": PERSON,
    "bicycle": VEHICLE,
    "car": VEHICLE,
    "motorcycle": VEHICLE,
    "bus": VEHICLE,
    "truck": VEHICLE,
}


def group_of(label: str) -> str:
    """Return ``person``, ``vehicle`` or ``other`` for a detector's class name."""
    return GROUPS.get(label, OTHER)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of one camera. ``sequence`` grows by at least one and never repeats within a reader's life."""

    camera: str
    sequence: int
    captured_at: float
    image: np.ndarray


@dataclass(frozen=True, slots=True)
class Detection:
    """One object in one frame; ``confidence`` is 0–1.

    ``look`` is what its colours are like (`streaming.appearance`), None from an engine that does not say.
    """

    label: str
    confidence: float
    box: Box
    look: np.ndarray | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Track:
    """One object followed over frames.

    ``id`` is never given twice while the process lives. ``is_confirmed`` is False for the first sightings, which
    are neither drawn nor counted. ``missed_s`` is the time since the object was last detected, 0 when it was seen
    in the newest frame.
    """

    id: int
    label: str
    confidence: float
    box: Box
    is_confirmed: bool
    first_seen_at: float
    last_seen_at: float
    missed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Observation:
    """Something an analyser noticed and wants recorded, exactly once, under its own uuid."""

    kind: str
    camera: str
    captured_at: float
    data: Mapping[str, Any]
    event_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class Analysis:
    """What an analyser gives back for one frame: facts to record, and what to draw.

    ``names`` are by track id. ``lines`` are entries and exits by the name of a line; ``zones`` the people in a zone and
    since when (Unix time) the one is there who is there longest, by the name of the zone.
    """

    observations: Sequence[Observation] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    lines: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    zones: Mapping[str, tuple[int, float | None]] = field(default_factory=dict)


class Analyser(Protocol):
    """Looks at a frame and its tracks in the camera process. Called once per detected frame, in capture order."""

    def analyse(self, frame: Frame, tracks: Sequence[Track]) -> Analysis: ...
