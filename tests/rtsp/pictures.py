"""What a test camera looks at: a looped clip, a time code, a still, or a block that moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from tests.rtsp.timecode import draw_timecode

PICTURES = ("blocks", "still", "timecode", "clip")
BLOCK = 120

Clock = Callable[[], float]


def open_pictures(kind: str, size: tuple[int, int], clip: Path | None, now: Clock) -> Iterator[np.ndarray]:
    """Return an endless iterator of BGR pictures. ``size`` is (width, height); a clip keeps its own size.

    ``now`` is a clock that returns Unix seconds; only the time code asks it, once a picture.
    """
    if kind == "clip":
        return clip_pictures(clip)
    if kind == "timecode":
        return timecode_pictures(size, now)
    return still_pictures(size) if kind == "still" else block_pictures(size)


def clip_pictures(path: Path) -> Iterator[np.ndarray]:
    """Yield the pictures of a clip for ever. Sides are cut to multiples of 8. Raises FileNotFoundError."""
    while True:
        clip, shown = cv2.VideoCapture(str(path)), 0
        while (read := clip.read())[0]:
            shown += 1
            height, width = (side // 8 * 8 for side in read[1].shape[:2])
            yield read[1][:height, :width]
        clip.release()
        if not shown:
            raise FileNotFoundError(f"no picture in {path}")


def timecode_pictures(size: tuple[int, int], now: Clock) -> Iterator[np.ndarray]:
    for image in block_pictures(size):
        draw_timecode(image, now())
        yield image


def still_pictures(size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yield the same picture for ever: a camera that works and sees nothing move."""
    image = background(size)
    while True:
        yield image.copy()


def block_pictures(size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yield pictures in which a bright block travels from left to right, eight pixels a picture."""
    width, height = size
    step, still = 0, background(size)
    while True:
        image, left = still.copy(), step * 8 % max(1, width - BLOCK)
        image[height * 2 // 5 : height * 3 // 5, left : left + BLOCK] = (40, 200, 40)
        yield image
        step += 1


def background(size: tuple[int, int]) -> np.ndarray:
    """A grey ramp with lines: enough detail that a damaged picture is seen to be damaged."""
    width, height = size
    ramp = np.linspace(60, 150, width, dtype=np.uint8)
    image = np.repeat(np.tile(ramp, (height, 1))[..., None], 3, axis=2)
    image[::40] = 190
    return image
