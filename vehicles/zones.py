"""A gate zone: a part of the picture where a plate is read although no vehicle is detected, when something changes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from streaming.frames import Box
from vehicles.passage import Passage

SMALL = (48, 27)
CHANGED, PLACES = 20.0, 0.01
"""Grey levels by which a place in the small picture has changed, and the share of places that makes another look worth
its cost: a motorcycle's plate does, noise does not."""

PACE_S, FRUITLESS_PACE_S = 0.4, 2.0
AFTERWARDS_S = 2.0
"""How long a zone is looked at after its last change: what came has now stopped."""

FRUITLESS_LOOKS = 6
COVERED = 0.15
"""Share of the zone's width that a detected vehicle may take before the zone is that vehicle's."""

OVER_S = 4.0
MISSES = 3


class GateZone:
    """One zone of one camera. ``points`` are the corners as shares of the picture."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        self._points = np.array(points, np.float32)
        self._small: np.ndarray | None = None
        self._looked_at = self._changed_at = self._found_at = 0.0
        self._fruitless = 0
        self.passage: Passage | None = None

    def bounds(self, image: np.ndarray) -> tuple[int, int, int, int]:
        """Return the box around the zone in whole pixels, at least one on each side."""
        height, width = image.shape[:2]
        (x1, y1), (x2, y2) = self._points.min(axis=0), self._points.max(axis=0)
        left, top = min(width - 1, int(x1 * width)), min(height - 1, int(y1 * height))
        return left, top, max(left + 1, round(x2 * width)), max(top + 1, round(y2 * height))

    def holds(self, point: tuple[float, float], image: np.ndarray) -> bool:
        height, width = image.shape[:2]
        share = (float(point[0] / width), float(point[1] / height))
        return cv2.pointPolygonTest(self._points.reshape(-1, 1, 2), share, False) >= 0

    def is_look_due(self, image: np.ndarray, vehicles: Sequence[Box], at: float) -> bool:
        """Whether to read here now: something has changed, lately, and no vehicle is detected here.

        Costs a tenth of a millisecond.
        """
        left, top, right, bottom = bounds = self.bounds(image)
        if any(_shared_width(box, bounds) > COVERED * (right - left) for box in vehicles):
            self._small, self._fruitless = None, max(self._fruitless, MISSES)
            return False
        grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
        small = cv2.resize(grey, SMALL, interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._small is None or float((np.abs(small - self._small) > CHANGED).mean()) > PLACES:
            self._changed_at, self._small = at, small
        pace = FRUITLESS_PACE_S if self._fruitless >= FRUITLESS_LOOKS else PACE_S
        return at - self._changed_at <= AFTERWARDS_S and at - self._looked_at >= pace

    def look(self, at: float, *, has_found: bool) -> None:
        self._looked_at = at
        self._fruitless = 0 if has_found else self._fruitless + 1
        if has_found:
            self._found_at = at

    @property
    def stands_still(self) -> bool:
        """Whether nothing has changed since a plate was found: its vehicle stands where it stood."""
        return self._small is not None and self._changed_at <= self._found_at

    def is_over(self, at: float) -> bool:
        """Whether the vehicle that was read here has gone: several looks have found nothing, for some seconds.

        While nothing changes nobody looks, and the vehicle stands where it stood.
        """
        if at < self._found_at:
            return True
        return self._fruitless >= MISSES and at - self._found_at >= OVER_S


def _shared_width(box: Box, bounds: tuple[int, int, int, int]) -> float:
    """Return over how many pixels across two boxes overlap; 0 when they do not."""
    if min(box[3], bounds[3]) <= max(box[1], bounds[1]):
        return 0.0
    return max(0.0, min(box[2], bounds[2]) - max(box[0], bounds[0]))
