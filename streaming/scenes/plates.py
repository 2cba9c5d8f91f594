"""Indian number plates as vehicles wear them: high-security layout, 500 × 120 mm, one line, colour by use.

Colours and layout: Central Motor Vehicles Rules, rule 50 and 51: black on white private, black on yellow commercial,
white on green electric; a blue "IND" under a hologram at the left.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from streaming.scenes.glyphs import draw_text, text_width
from streaming.scenes.sprites import blend

SIZE_M = (0.5, 0.12)
PIXELS_PER_M = 1400
BLUE, SILVER = (150, 70, 20), (190, 188, 184)


class Use(Enum):
    """What a vehicle is for: its plate's ground and letters, BGR."""

    PRIVATE = ((245, 246, 246), (22, 20, 20))
    COMMERCIAL = ((40, 195, 245), (22, 20, 20))
    ELECTRIC = ((70, 135, 25), (245, 246, 246))


@dataclass(frozen=True, slots=True)
class Plate:
    """A registration as written on the plate, its groups apart: ``MH 12 DE 1433``."""

    text: str
    use: Use

    @property
    def key(self) -> str:
        """The registration without spaces."""
        return self.text.replace(" ", "")


def draw_plate(plate: Plate) -> np.ndarray:
    """Return the plate as a BGR picture of `SIZE_M` at `PIXELS_PER_M`."""
    width, height = (round(side * PIXELS_PER_M) for side in SIZE_M)
    ground, ink = plate.use.value
    image = np.full((height, width, 3), ground, np.uint8)
    cv2.rectangle(image, (4, 4), (width - 5, height - 5), ink, 4, cv2.LINE_AA)
    _draw_mark(image, height)
    room = (width * 0.1, width * 0.965)
    tall = height * 0.56
    tall *= min(1, (room[1] - room[0]) / text_width(plate.text, tall))
    left = (sum(room) - text_width(plate.text, tall)) / 2
    draw_text(image, plate.text, (left, (height - tall) / 2), tall, ink)
    return image


def _draw_mark(image: np.ndarray, height: int) -> None:
    """The hologram and the blue letters IND at the left edge."""
    cv2.rectangle(image, (14, round(height * 0.2)), (36, round(height * 0.42)), SILVER, -1)
    cv2.circle(image, (25, round(height * 0.31)), 7, (150, 150, 120), 2, cv2.LINE_AA)
    draw_text(image, "IND", (13, height * 0.64), height * 0.09, BLUE)


def put_plate(sprite: np.ndarray, plate: Plate, centre: tuple[float, float], width: float) -> None:
    """Fix a plate ``width`` pixels wide on a BGRA sprite, its middle at ``centre``."""
    size = round(width), round(width * SIZE_M[1] / SIZE_M[0])
    small = cv2.resize(draw_plate(plate), size, interpolation=cv2.INTER_AREA)
    left, top = round(centre[0] - size[0] / 2), round(centre[1] - size[1] / 2)
    part = sprite[top : top + size[1], left : left + size[0], :3]
    solid = np.full(small.shape[:2], 255, np.uint8)
    patch = np.ascontiguousarray(part)
    blend(patch, np.dstack([small, solid]))
    sprite[top : top + size[1], left : left + size[0], :3] = patch
