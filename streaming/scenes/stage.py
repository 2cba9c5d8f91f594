"""A rendered place: a pinhole camera over flat ground, surfaces drawn in metres, and light that is not flat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

Point = tuple[float, float, float]
Colour = tuple[int, int, int]
SUBPIXEL_BITS = 4


@dataclass(frozen=True, slots=True)
class View:
    """Where the camera hangs: ``height_m`` over the ground, looking level along +z, its picture shifted, not tilted.

    ``focal_px`` is the size in pixels of one metre at one metre; ``centre`` is where the horizon meets x = 0.
    """

    size: tuple[int, int]
    focal_px: float
    height_m: float
    centre: tuple[float, float]

    def scale(self, z: float) -> float:
        """Pixels per metre at distance ``z`` in metres."""
        return self.focal_px / z

    def project(self, point: Point) -> tuple[float, float]:
        """Pixel of a point (x to the right, y up from the ground, z away), all in metres."""
        x, y, z = point
        return self.centre[0] + x * self.scale(z), self.centre[1] + (self.height_m - y) * self.scale(z)

    def surface(self, image: np.ndarray, corners: Sequence[Point], colour: Colour) -> None:
        """Fill a flat convex surface given by its corners."""
        polygon(image, [self.project(corner) for corner in corners], colour)

    def box(self, image: np.ndarray, near: Point, far: Point, colour: Colour) -> None:
        """Draw a closed box from its near lower left to its far upper right corner: top, inner side, front."""
        (x1, y1, z1), (x2, y2, z2) = near, far
        side = x2 if self.centre[0] > self.project(near)[0] else x1
        self.surface(image, [(x1, y2, z1), (x2, y2, z1), (x2, y2, z2), (x1, y2, z2)], shade(colour, 1.15))
        self.surface(image, [(side, y1, z1), (side, y2, z1), (side, y2, z2), (side, y1, z2)], shade(colour, 0.7))
        self.surface(image, [(x1, y1, z1), (x2, y1, z1), (x2, y2, z1), (x1, y2, z1)], colour)


def polygon(image: np.ndarray, points: Sequence[tuple[float, float]], colour: Colour) -> None:
    """Fill a convex or concave polygon with smooth edges, to a sixteenth of a pixel."""
    corners = np.clip(np.float32(points), -8000, 8000) * 2**SUBPIXEL_BITS
    cv2.fillPoly(image, [np.round(corners).astype(np.int32)], colour, cv2.LINE_AA, SUBPIXEL_BITS)


def shade(colour: Colour, factor: float) -> Colour:
    """Make a colour darker or lighter."""
    return tuple(int(min(255, part * factor)) for part in colour)


def gradient(size: tuple[int, int], top: Colour, bottom: Colour) -> np.ndarray:
    """Return a picture of ``size`` (width, height) that runs from one colour to another."""
    width, height = size
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    column = np.float32(top) * (1 - share) + np.float32(bottom) * share
    return np.repeat(column.astype(np.uint8), width, axis=1)


def weather(image: np.ndarray, seed: int, grain: float = 4.0, patches: float = 10.0) -> np.ndarray:
    """Return the picture with stains as large as a hand and fine grain: no real surface has one colour."""
    height, width = image.shape[:2]
    random = np.random.default_rng(seed)
    stains = cv2.resize(random.normal(0, patches, (height // 24, width // 24)).astype(np.float32), (width, height))
    fine = random.normal(0, grain, (height, width)).astype(np.float32)
    return np.clip(image + (stains + fine)[..., None], 0, 255).astype(np.uint8)


def vignette(image: np.ndarray, strength: float = 0.35) -> np.ndarray:
    """Return the picture darker towards its corners, as a lens draws it."""
    height, width = image.shape[:2]
    down, across = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    light = 1 - strength * (down**2 + across**2) / 2
    return np.clip(image * light[..., None], 0, 255).astype(np.uint8)
