"""People drawn by geometry: a body of tapered limbs, lit from above, walking. No photograph of anyone is used.

A body is a list of limbs in metres: x to the right of the picture, y up from the ground, z towards the viewer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from streaming.scenes.relief import Face

Colour = tuple[int, int, int]
Vector = tuple[float, float, float]

PIXELS_PER_M = 160
"""Of the finished sprite: a person 260 to 290 pixels tall."""
FINER = 2
"""The body is drawn so many times larger and scaled down: smooth edges."""
PHASES = 10
"""Pictures in one walking cycle of two steps."""
STANDING = -1
STRIDE_M = 1.45
"""Ground covered by one walking cycle."""
CANVAS_M = (1.3, 2.0)
LIGHT = np.float32([-0.35, 0.75, 0.56])
TRUNK = ((1.0, 0.065, 0.105), (1.12, 0.05, 0.103), (1.25, 0.072, 0.116), (1.34, 0.092, 0.113), (1.4, 0.112, 0.085))
"""The trunk from the hip up: height, half the axis, radius, in metres for a person of 1.75."""
SHOE, STRIPE = (32, 30, 30), (225, 235, 235)


@dataclass(frozen=True, slots=True)
class Person:
    """How someone looks. Colours are BGR. ``vest`` and ``helmet`` are None for who wears none.

    Who has a ``face`` shows it when walking towards the viewer; the figure is then drawn without a head.
    """

    height_m: float
    skin: Colour
    hair: Colour
    shirt: Colour
    trousers: Colour
    vest: Colour | None = None
    helmet: Colour | None = None
    has_long_hair: bool = False
    face: Face | None = None

    def shows_face(self, heading: int) -> bool:
        return self.face is not None and heading == 0


@dataclass(frozen=True, slots=True)
class Limb:
    """A cone with round ends from ``a`` to ``b``, in metres; ``bands`` are heights where it reflects light."""

    a: Vector
    b: Vector
    radius_a: float
    radius_b: float
    colour: Colour
    bands: tuple[tuple[float, float], ...] = ()


@cache
def figure(person: Person, heading: int, phase: int) -> np.ndarray:
    """Return someone walking, or standing when ``phase`` is `STANDING`, as a BGRA sprite at `PIXELS_PER_M`.

    ``heading`` in degrees: 0 towards the viewer, 90 to the right, 180 away. ``phase`` counts from 0 to `PHASES` - 1.
    The ground is the lower edge, the middle of the body the middle. Drawn once (about 8 ms) and kept (some 120 kB).
    """
    limbs = body(person, 0.0, swing=0.12) if phase == STANDING else body(person, phase / PHASES)
    head = [] if person.shows_face(heading) else _head(person, rise_at(phase))
    return _trimmed(draw_body(limbs + [_grown(limb, person.height_m / 1.75) for limb in head], heading))


def rise_at(phase: int) -> float:
    """Return by how many metres somebody of 1.75 is lifted in a phase of the walk."""
    share, swing = (0.0, 0.12) if phase == STANDING else (phase / PHASES, 1.0)
    return _rise(share, swing)


def _rise(share: float, swing: float) -> float:
    return 0.02 * swing * math.cos(4 * math.pi * share)


def _trimmed(sprite: np.ndarray) -> np.ndarray:
    """Cut empty rows above and as many empty columns on both sides: the middle stays the middle."""
    rows, columns = np.flatnonzero(sprite[..., 3].any(axis=1)), np.flatnonzero(sprite[..., 3].any(axis=0))
    empty = max(0, min(columns[0], sprite.shape[1] - 1 - columns[-1]))
    return sprite[rows[0] :, empty : sprite.shape[1] - empty].copy()


def body(person: Person, phase: float, swing: float = 1.0) -> list[Limb]:
    """Return trunk, arms and legs ``phase`` (0–1) through the walking cycle; ``swing`` 0 stands, 1 walks."""
    size = person.height_m / 1.75
    angle = 2 * math.pi * phase
    rise = _rise(phase, swing)
    limbs = _trunk(person, rise)
    for side in (-1, 1):
        step = math.sin(angle) * side * swing
        limbs += _leg(person, side, step, math.cos(angle) * side * swing, rise)
        limbs += _arm(person, side, -step, rise)
    return [_grown(limb, size) for limb in limbs]


def _leg(person: Person, side: int, step: float, lift: float, rise: float) -> list[Limb]:
    hip = (0.095 * side, 0.93 + rise, 0.0)
    thigh, bend = 0.48 * step + 0.08, 0.12 + 0.75 * max(0.0, lift) * (1 - 0.35 * abs(step))
    knee = _below(hip, 0.43, thigh)
    ankle = _below(knee, 0.42, thigh - bend)
    toe = (ankle[0] + 0.02 * side, ankle[1] - 0.045 + 0.1 * max(0.0, step), ankle[2] + 0.17)
    return [
        Limb(hip, knee, 0.095, 0.066, person.trousers),
        Limb(knee, ankle, 0.064, 0.046, person.trousers),
        Limb((ankle[0], ankle[1] - 0.03, ankle[2]), toe, 0.047, 0.04, SHOE),
    ]


def _arm(person: Person, side: int, swing: float, rise: float) -> list[Limb]:
    shoulder = (0.19 * side, 1.405 + rise, -0.01)
    elbow = _below((shoulder[0] + 0.04 * side, shoulder[1], 0.0), 0.29, 0.5 * swing)
    wrist = _below(elbow, 0.26, 0.5 * swing + 0.35)
    hand = _below(wrist, 0.09, 0.5 * swing + 0.4)
    return [
        Limb(shoulder, elbow, 0.06, 0.045, person.shirt),
        Limb(elbow, wrist, 0.044, 0.034, person.shirt),
        Limb(wrist, hand, 0.034, 0.03, person.skin),
    ]


def _trunk(person: Person, rise: float) -> list[Limb]:
    """Stack slices of a trunk, as wide as `TRUNK` says: their seams look like folds in the cloth."""
    cloth = person.vest or person.shirt
    bands = ((1.03, 1.075), (1.2, 1.245)) if person.vest else ()
    trunk = [Limb((-0.075, 0.95 + rise, 0), (0.075, 0.95 + rise, 0), 0.105, 0.105, person.trousers)]
    for height, half_width, radius in _slices():
        left, right = ((side * half_width, height + rise, 0.01) for side in (-1, 1))
        trunk.append(Limb(left, right, radius, radius, cloth, bands))
    for side in (-1, 1):
        neck, shoulder = (0.02 * side, 1.475 + rise, -0.02), (0.165 * side, 1.415 + rise, -0.01)
        trunk.append(Limb(neck, shoulder, 0.05, 0.062, cloth))
    return trunk


def _slices() -> list[tuple[float, float, float]]:
    heights, widths, radii = np.array(TRUNK).T
    between = np.arange(heights[0], heights[-1], 0.022)
    shape = (np.interp(between, heights, part) for part in (widths, radii))
    return [tuple(map(float, row)) for row in zip(between, *shape, strict=True)]


def _head(person: Person, rise: float) -> list[Limb]:
    def at(x: float, y: float, z: float) -> Vector:
        return x, y + rise, z

    head = [
        Limb(at(0, 1.42, -0.01), at(0, 1.54, 0.01), 0.06, 0.055, person.skin),
        Limb(at(0, 1.575, 0.03), at(0, 1.665, 0.01), 0.07, 0.086, person.skin),
        Limb(at(0, 1.605, 0.105), at(0, 1.625, 0.1), 0.014, 0.01, person.skin),
        *_face(person, rise),
    ]
    if person.has_long_hair:
        head.append(Limb(at(0, 1.68, -0.045), at(0, 1.43, -0.075), 0.088, 0.06, person.hair))
    if person.helmet:
        crown, brim = Limb(at(0, 1.705, 0.0), at(0, 1.72, 0.0), 0.112, 0.1, person.helmet), at(0, 1.685, 0.1)
        return [*head, crown, Limb((-0.06, *brim[1:]), (0.06, *brim[1:]), 0.025, 0.025, person.helmet)]
    return [*head, Limb(at(0, 1.69, -0.022), at(0, 1.7, -0.012), 0.096, 0.093, person.hair)]


def _face(person: Person, rise: float) -> list[Limb]:
    dark, lips = (35, 30, 30), tuple(int(part * 0.7) for part in person.skin)
    features = [Limb((-0.02, 1.567 + rise, 0.094), (0.02, 1.567 + rise, 0.094), 0.007, 0.007, lips)]
    for side in (-1, 1):
        x = 0.031 * side
        features.append(Limb((x - 0.01, 1.642 + rise, 0.083), (x + 0.01, 1.642 + rise, 0.083), 0.01, 0.01, dark))
        features.append(Limb((x - 0.018, 1.668 + rise, 0.083), (x + 0.018, 1.668 + rise, 0.083), 0.007, 0.007, dark))
    return features


def _below(joint: Vector, length: float, swing: float) -> Vector:
    """Return the other end of a bone that hangs from ``joint`` and swings forward by ``swing`` radians."""
    x, y, z = joint
    return x, y - length * math.cos(swing), z + length * math.sin(swing)


def _grown(limb: Limb, size: float) -> Limb:
    a, b = (tuple(part * size for part in end) for end in (limb.a, limb.b))
    bands = tuple((low * size, high * size) for low, high in limb.bands)
    return Limb(a, b, limb.radius_a * size, limb.radius_b * size, limb.colour, bands)


def draw_body(limbs: list[Limb], heading: int) -> np.ndarray:
    """Draw limbs turned by ``heading`` degrees as a BGRA sprite of `CANVAS_M` at `PIXELS_PER_M`."""
    scale = PIXELS_PER_M * FINER
    width, height = (round(side * scale) for side in CANVAS_M)
    colour = np.zeros((height, width, 4), np.uint8)
    depth = np.full((height, width), -np.inf, np.float32)
    for limb in limbs:
        _draw_limb(colour, depth, _turned(limb, heading), scale)
    return cv2.resize(colour, None, fx=1 / FINER, fy=1 / FINER, interpolation=cv2.INTER_AREA)


def _turned(limb: Limb, heading: int) -> Limb:
    sine, cosine = math.sin(math.radians(heading)), math.cos(math.radians(heading))
    a, b = ((x * cosine + z * sine, y, z * cosine - x * sine) for x, y, z in (limb.a, limb.b))
    return Limb(a, b, limb.radius_a, limb.radius_b, limb.colour, limb.bands)


def _draw_limb(colour: np.ndarray, depth: np.ndarray, limb: Limb, scale: float) -> None:
    """Draw one limb where it is nearer than what is there: distance to its axis gives roundness and light."""
    window, x, y = _window(colour.shape, limb, scale)
    along, across = _nearest(limb, x, y)
    radius = limb.radius_a + (limb.radius_b - limb.radius_a) * along
    bulge = radius**2 - (across[0] ** 2 + across[1] ** 2)
    out = np.sqrt(np.maximum(bulge, 0))
    near = limb.a[2] + (limb.b[2] - limb.a[2]) * along + out
    seen = (bulge > 0) & (near > depth[window])
    light = _light(across[0] / radius, across[1] / radius, out / radius)
    paint = np.full((*seen.shape, 3), limb.colour, np.float32)
    for low, high in limb.bands:
        paint[np.broadcast_to((y > low) & (y < high), seen.shape)] = STRIPE
    colour[window][seen] = np.dstack([np.clip(paint * light[..., None], 0, 255), np.full(seen.shape, 255)])[seen]
    depth[window][seen] = near[seen]


def _window(shape: tuple[int, ...], limb: Limb, scale: float) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """Return the pixels a limb can touch, and their places in metres, x as a row and y as a column."""
    reach = max(limb.radius_a, limb.radius_b) * scale + 2
    columns = [shape[1] / 2 + end[0] * scale for end in (limb.a, limb.b)]
    rows = [shape[0] - end[1] * scale for end in (limb.a, limb.b)]
    left, right = max(0, int(min(columns) - reach)), min(shape[1], int(max(columns) + reach))
    top, bottom = max(0, int(min(rows) - reach)), min(shape[0], int(max(rows) + reach))
    x = (np.arange(left, right, dtype=np.float32)[None] - shape[1] / 2) / scale
    y = (shape[0] - np.arange(top, bottom, dtype=np.float32)[:, None]) / scale
    return (slice(top, bottom), slice(left, right)), x, y


def _nearest(limb: Limb, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return how far along the limb (0–1) each pixel's nearest axis point lies, and the way from there to the pixel."""
    (ax, ay, _), (bx, by, _) = limb.a, limb.b
    length = (bx - ax) ** 2 + (by - ay) ** 2
    along = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / max(length, 1e-9), 0, 1)
    return along, (x - ax - along * (bx - ax), y - ay - along * (by - ay))


def _light(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Brightness of a surface that faces (x, y, z): a lamp above and a softer light from all around."""
    lamp = np.maximum(x * LIGHT[0] + y * LIGHT[1] + z * LIGHT[2], 0)
    return 0.5 + 0.1 * y + 0.58 * lamp
