"""Vehicles seen from the front, drawn part by part from tables of outlines in metres.

An outline is the right half of a part, from the middle outwards; it is mirrored. Corners are cut twice, which rounds
them as pressed steel is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from streaming.scenes.plates import SIZE_M as PLATE_M
from streaming.scenes.plates import Plate, put_plate
from streaming.scenes.stage import Colour, shade

PIXELS_PER_M = 300
FINER = 2
MARGIN_M = 0.15
Outline = tuple[tuple[float, float], ...]


class Layout(Enum):
    """How a part's outline is used: its mirror image joined to it, a second part opposite, or as a whole as it is."""

    JOINED = "joined"
    PAIR = "pair"


@dataclass(frozen=True, slots=True)
class Part:
    """An outline filled from ``top`` to ``bottom``; a colour of None is the vehicle's paint times ``light``."""

    outline: Outline
    top: Colour | None = None
    bottom: Colour | None = None
    light: tuple[float, float] = (1.0, 1.0)
    layout: Layout = Layout.JOINED
    is_sharp: bool = False


@dataclass(frozen=True, slots=True)
class Design:
    """A kind of vehicle: its parts back to front, outer size, and where the plate sits. Metres."""

    parts: tuple[Part, ...]
    size: tuple[float, float]
    plate_y: float


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle: a design, stretched in width and height, its paint (BGR) and its plate."""

    design: Design
    paint: Colour
    plate: Plate
    stretch: tuple[float, float] = (1.0, 1.0)

    @property
    def width_m(self) -> float:
        return self.design.size[0] * self.stretch[0]


RUBBER, GLASS_TOP, GLASS, BLACK, GRILLE = (26, 24, 24), (66, 60, 54), (30, 28, 26), (22, 20, 20), (34, 32, 32)
LAMP_TOP, LAMP, CHROME, DASH, AMBER = (250, 250, 248), (170, 175, 180), (205, 205, 205), (46, 42, 40), (40, 150, 250)
PAIR = Layout.PAIR

BODY = (
    *((0.0, 0.2), (0.74, 0.2), (0.82, 0.3), (0.86, 0.56), (0.86, 0.78), (0.8, 0.94)),
    *((0.72, 1.0), (0.6, 1.36), (0.5, 1.48), (0.3, 1.52), (0.0, 1.53)),
)

CAR = Design(
    parts=(
        Part(((0.56, 0.0), (0.8, 0.0), (0.82, 0.4), (0.56, 0.4)), RUBBER, BLACK, layout=PAIR),
        Part(((0.0, 0.16), (0.7, 0.16), (0.7, 0.4), (0.0, 0.4)), BLACK, BLACK),
        Part(((0.74, 1.02), (0.86, 0.97), (0.97, 0.99), (0.96, 1.1), (0.82, 1.12)), light=(1.0, 0.6), layout=PAIR),
        Part(BODY, light=(1.1, 0.62)),
        Part(((0.0, 1.02), (0.64, 1.02), (0.53, 1.36), (0.42, 1.44), (0.0, 1.46)), GLASS_TOP, GLASS),
        Part(((0.0, 1.02), (0.62, 1.02), (0.59, 1.12), (0.3, 1.1), (0.0, 1.09)), DASH, GLASS),
        Part(((0.0, 0.97), (0.68, 0.97), (0.76, 0.9), (0.7, 0.76), (0.4, 0.72), (0.0, 0.73)), light=(1.28, 0.95)),
        Part(((0.0, 1.0), (0.66, 1.0), (0.67, 0.97), (0.0, 0.97)), BLACK, BLACK, is_sharp=True),
        Part(
            ((0.42, 0.7), (0.72, 0.8), (0.83, 0.8), (0.84, 0.66), (0.6, 0.61), (0.44, 0.62)),
            LAMP_TOP,
            LAMP,
            layout=PAIR,
        ),
        Part(((0.56, 0.66), (0.7, 0.66), (0.7, 0.77), (0.56, 0.75)), (255, 255, 255), (205, 210, 215), layout=PAIR),
        Part(((0.76, 0.68), (0.82, 0.68), (0.82, 0.76), (0.76, 0.76)), AMBER, AMBER, layout=PAIR),
        Part(((0.0, 0.7), (0.39, 0.69), (0.37, 0.58), (0.0, 0.57)), GRILLE, BLACK),
        Part(((0.0, 0.665), (0.37, 0.66), (0.37, 0.645), (0.0, 0.65)), CHROME, CHROME, is_sharp=True),
        Part(((0.0, 0.615), (0.36, 0.612), (0.36, 0.598), (0.0, 0.6)), CHROME, CHROME, is_sharp=True),
        Part(((0.0, 0.4), (0.72, 0.4), (0.74, 0.22), (0.0, 0.2)), GRILLE, BLACK),
        Part(((0.6, 0.34), (0.74, 0.36), (0.74, 0.44), (0.6, 0.44)), LAMP, (120, 122, 125), layout=PAIR),
        Part(((0.7, 0.97), (0.706, 0.97), (0.776, 0.9), (0.77, 0.9)), BLACK, BLACK, layout=PAIR, is_sharp=True),
        Part(((0.0, 0.515), (0.84, 0.547), (0.84, 0.537), (0.0, 0.505)), BLACK, RUBBER, is_sharp=True),
        Part(((0.1, 1.03), (0.45, 1.06), (0.45, 1.073), (0.1, 1.043)), BLACK, BLACK, is_sharp=True),
    ),
    size=(1.94, 1.53),
    plate_y=0.47,
)

TRUCK = Design(
    parts=(
        Part(((0.62, 0.0), (1.08, 0.0), (1.1, 0.75), (0.62, 0.75)), RUBBER, BLACK, layout=PAIR),
        Part(((0.0, 0.35), (0.9, 0.35), (0.9, 0.8), (0.0, 0.8)), BLACK, BLACK),
        Part(((0.0, 0.9), (1.24, 0.9), (1.26, 3.0), (1.1, 3.14), (0.0, 3.2)), (110, 125, 120), (70, 82, 78)),
        Part(((1.14, 1.5), (1.36, 1.5), (1.36, 2.1), (1.18, 2.1)), BLACK, RUBBER, layout=PAIR),
        Part(((0.0, 0.5), (1.14, 0.5), (1.18, 0.9), (1.16, 2.3), (1.06, 2.66), (0.0, 2.74)), light=(1.12, 0.72)),
        Part(((0.0, 1.55), (1.04, 1.55), (1.0, 2.24), (0.92, 2.32), (0.0, 2.34)), GLASS_TOP, GLASS),
        Part(((0.0, 1.55), (1.0, 1.55), (0.98, 1.7), (0.5, 1.66), (0.0, 1.64)), DASH, GLASS),
        Part(((0.0, 1.55), (0.02, 1.55), (0.02, 2.32), (0.0, 2.32)), BLACK, BLACK, is_sharp=True),
        Part(((0.0, 2.42), (0.98, 2.4), (0.94, 2.6), (0.0, 2.62)), (60, 60, 190), (45, 45, 150)),
        Part(((0.0, 1.46), (1.1, 1.46), (1.1, 1.36), (0.0, 1.36)), (60, 60, 190), (45, 45, 150), is_sharp=True),
        Part(((0.0, 1.28), (0.72, 1.28), (0.68, 0.92), (0.0, 0.9)), GRILLE, BLACK),
        Part(((0.0, 1.2), (0.7, 1.2), (0.7, 1.16), (0.0, 1.16)), CHROME, CHROME, is_sharp=True),
        Part(((0.0, 1.06), (0.69, 1.06), (0.69, 1.02), (0.0, 1.02)), CHROME, CHROME, is_sharp=True),
        Part(((0.0, 0.4), (1.18, 0.4), (1.2, 0.6), (1.18, 0.84), (0.0, 0.84)), (92, 90, 88), (52, 50, 50)),
        Part(((0.72, 0.52), (1.06, 0.52), (1.06, 0.74), (0.72, 0.74)), LAMP_TOP, LAMP, layout=PAIR),
        Part(((1.02, 0.98), (1.13, 0.98), (1.13, 1.12), (1.02, 1.12)), AMBER, AMBER, layout=PAIR),
    ),
    size=(2.72, 3.2),
    plate_y=0.62,
)


def draw_vehicle(vehicle: Vehicle) -> np.ndarray:
    """Return a vehicle as a BGRA sprite at `PIXELS_PER_M`, wheels on the lower edge, `MARGIN_M` of air around it."""
    width, height = (size * by + 2 * MARGIN_M for size, by in zip(vehicle.design.size, vehicle.stretch, strict=True))
    scale = PIXELS_PER_M * FINER
    canvas = np.zeros((round((height - MARGIN_M) * scale), round(width * scale), 4), np.uint8)
    for part in vehicle.design.parts:
        for points in _pixels(canvas.shape, vehicle, part, scale):
            _fill(canvas, points, part, vehicle.paint)
    canvas = _worn(_rounded_light(canvas))
    middle = canvas.shape[1] / 2, canvas.shape[0] - vehicle.design.plate_y * vehicle.stretch[1] * scale
    put_plate(canvas, vehicle.plate, middle, PLATE_M[0] * scale)
    return cv2.resize(canvas, None, fx=1 / FINER, fy=1 / FINER, interpolation=cv2.INTER_AREA)


def _pixels(shape: tuple[int, ...], vehicle: Vehicle, part: Part, scale: float) -> list[np.ndarray]:
    """Return a part's polygons in pixels of the canvas."""
    half = np.float32(part.outline) * vehicle.stretch * scale
    mirrored = half * (-1, 1)
    outlines = [np.vstack([half, mirrored[::-1]])] if part.layout is Layout.JOINED else [half, mirrored]
    middle = (shape[1] / 2, shape[0])
    return [(outline if part.is_sharp else _rounded(outline)) * (1, -1) + middle for outline in outlines]


def _rounded(outline: np.ndarray) -> np.ndarray:
    """Cut every corner twice (Chaikin)."""
    for _ in range(2):
        following = np.roll(outline, -1, axis=0)
        outline = np.stack([0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following], 1).reshape(-1, 2)
    return outline


def _fill(canvas: np.ndarray, points: np.ndarray, part: Part, paint: Colour) -> None:
    """Fill a polygon with the part's colours, running from its top to its bottom."""
    x, y, width, height = cv2.boundingRect(np.round(points).astype(np.int32))
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(points - (x, y)).astype(np.int32)], 255)
    top, bottom = part.top or shade(paint, part.light[0]), part.bottom or shade(paint, part.light[1])
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    colours = np.float32([*top, 255]) * (1 - share) + np.float32([*bottom, 255]) * share
    window = canvas[max(0, y) : y + height, max(0, x) : x + width]
    visible = mask[max(0, -y) :, max(0, -x) :][: window.shape[0], : window.shape[1]] > 0
    rows = np.broadcast_to(colours, (height, width, 4))[max(0, -y) :, max(0, -x) :][
        : window.shape[0], : window.shape[1]
    ]
    window[visible] = rows[visible].astype(np.uint8)


def _rounded_light(canvas: np.ndarray) -> np.ndarray:
    """Darken towards the sides, as a body that bends away from the light."""
    across = np.linspace(-1, 1, canvas.shape[1], dtype=np.float32)
    light = 1.06 - 0.32 * np.abs(across) ** 2.5
    light = np.stack([light, light, light, np.ones_like(light)], axis=1)
    return np.clip(canvas * light[None], 0, 255).astype(np.uint8)


def _worn(canvas: np.ndarray) -> np.ndarray:
    """Put dust and the unevenness of real paint on a vehicle, the same on each."""
    height, width = canvas.shape[:2]
    random = np.random.default_rng(1)
    dust = cv2.resize(random.normal(0, 0.035, (height // 20, width // 20)).astype(np.float32), (width, height))
    fine = cv2.resize(random.normal(0, 0.04, (height // 2, width // 2)).astype(np.float32), (width, height))
    colours = canvas[..., :3] * (1 + dust + fine)[..., None]
    return np.dstack([np.clip(colours, 0, 255).astype(np.uint8), canvas[..., 3]])
