"""The factory gate: vehicles come up the road one after another, stop at the barrier, and drive in when it lifts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from streaming.scenes import cast
from streaming.scenes.fleet import FLEET
from streaming.scenes.scene import Scene
from streaming.scenes.sprites import lay_over, shadow
from streaming.scenes.stage import View, gradient, vignette, weather
from streaming.scenes.vehicles import PIXELS_PER_M, draw_vehicle
from streaming.scenes.walkers import bystander, draw_step

SIZE = (1280, 720)
FPS = 12
VIEW = View(SIZE, focal_px=1750, height_m=1.95, centre=(500, 165))
LANE_X = 1.6
START_Z, STOP_Z, GONE_Z = 52.0, 7.85, 1.4
APPROACH_S, WAIT_S, EVERY_S = 8.0, 3.0, 10
PULL_M_S2 = 1.8
LIFT_AFTER_S, LIFT_S, DROP_AFTER_S, LIFT_DEGREES = 1.6, 1.2, 5.8, 87
LOOP_S = EVERY_S * len(FLEET)
BARRIER = (-1.08, 0.62, 4.7)
ARM_M, BANDS = 4.0, 10
RED, WHITE, ASPHALT, KERB, YARD, GRASS = (
    (40, 40, 200),
    (238, 238, 238),
    (92, 92, 94),
    (160, 165, 168),
    (128, 134, 138),
    (62, 118, 92),
)
GUARD = bystander(cast.GUARD, -1.45, 11.2, 45)


@dataclass(frozen=True, slots=True)
class Position:
    """A vehicle on the road: which of the fleet, and how far away in metres."""

    number: int
    z: float


def open_gate(name: str, title: str) -> Scene:
    """Draw the yard and the fleet once; position and barrier are worked out for every picture."""
    return Scene(name, title, SIZE, FPS, FPS * LOOP_S, partial(picture, draw_yard(), [draw_vehicle(v) for v in FLEET]))


def vehicles_at(index: int) -> list[Position]:
    """Return the vehicles in sight in picture ``index``, the farthest first."""
    ages = {number: (index / FPS - number * EVERY_S) % LOOP_S for number in range(len(FLEET))}
    seen = [Position(number, z) for number, age in ages.items() if (z := distance(age)) > GONE_Z]
    return sorted(seen, key=lambda position: -position.z)


def distance(age: float) -> float:
    """Return how far away a vehicle is ``age`` seconds after it came into sight: it brakes, waits, pulls away."""
    if age < APPROACH_S:
        return STOP_Z + (START_Z - STOP_Z) * (1 - age / APPROACH_S) ** 2
    pulling = max(0.0, age - APPROACH_S - WAIT_S)
    return STOP_Z - PULL_M_S2 / 2 * pulling**2


def barrier_angle(index: int) -> float:
    """Return by how many degrees the barrier is lifted in picture ``index``."""
    since_stop = (index / FPS - APPROACH_S) % EVERY_S
    lifted = min(1.0, max(0.0, (since_stop - LIFT_AFTER_S) / LIFT_S))
    dropped = min(1.0, max(0.0, (since_stop - DROP_AFTER_S) / LIFT_S))
    return LIFT_DEGREES * _eased(lifted - dropped)


def _eased(share: float) -> float:
    return (1 - math.cos(math.pi * share)) / 2


def vehicle_box(position: Position) -> tuple[float, float, float, float]:
    """Return the ``xyxy`` box of a vehicle in pixels, mirrors and air around it left out; may reach outside."""
    vehicle, scale = FLEET[position.number], VIEW.scale(position.z)
    x, y = VIEW.project((LANE_X, 0.0, position.z))
    half, high = vehicle.width_m / 2 * scale, vehicle.design.size[1] * vehicle.stretch[1] * scale
    return x - half, y - high, x + half, y


def picture(yard: np.ndarray, sprites: list[np.ndarray], index: int) -> np.ndarray:
    """Draw picture ``index`` of the loop."""
    image, positions = yard.copy(), vehicles_at(index)
    for position in positions:
        if position.z >= BARRIER[2]:
            _draw_position(image, sprites, position)
    draw_step(image, VIEW, GUARD)
    _draw_barrier(image, barrier_angle(index))
    for position in positions:
        if position.z < BARRIER[2]:
            _draw_position(image, sprites, position)
    return image


def _draw_position(image: np.ndarray, sprites: list[np.ndarray], position: Position) -> None:
    sprite, scale = sprites[position.number], VIEW.scale(position.z)
    x, y = VIEW.project((LANE_X, 0.0, position.z))
    shadow(image, (x, y), (FLEET[position.number].width_m * 0.56 * scale, 0.16 * scale), 0.75)
    by = scale / PIXELS_PER_M
    lay_over(image, sprite, (x - sprite.shape[1] / 2 * by, y - sprite.shape[0] * by), by)


def _draw_barrier(image: np.ndarray, degrees: float) -> None:
    x, y, z = BARRIER
    VIEW.box(image, (x - 0.12, 0.0, z), (x + 0.1, 0.74, z + 0.2), (118, 120, 122))
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    for band in range(BANDS):
        near, far = band * ARM_M / BANDS, (band + 1) * ARM_M / BANDS
        corners = [(near, -0.035), (far, -0.035), (far, 0.035), (near, 0.035)]
        points = [(x + along * cosine - up * sine, y + along * sine + up * cosine, z) for along, up in corners]
        VIEW.surface(image, points, WHITE if band % 2 else RED)


def draw_yard() -> np.ndarray:
    """Draw everything that never moves."""
    image = gradient(SIZE, (226, 196, 160), (236, 228, 216))
    horizon = round(VIEW.centre[1])
    image[horizon:] = YARD
    _draw_works(image)
    _draw_trees(image)
    _draw_ground(image)
    _draw_wall(image)
    image[horizon:] = weather(image[horizon:], seed=7, grain=4, patches=4)
    _draw_booth(image)
    return vignette(weather(image, seed=8, grain=2, patches=1.5), 0.25)


def _flat(image: np.ndarray, left: float, right: float, near: float, far: float, colour: tuple) -> None:
    VIEW.surface(image, [(left, 0, near), (right, 0, near), (right, 0, far), (left, 0, far)], colour)


def _wall(image: np.ndarray, left: float, right: float, low: float, high: float, z: float, colour: tuple) -> None:
    VIEW.surface(image, [(left, low, z), (right, low, z), (right, high, z), (left, high, z)], colour)


def _draw_works(image: np.ndarray) -> None:
    """A hall with a saw-tooth roof and a chimney, beyond the wall."""
    z = 95.0
    for bay in range(6):
        x = -34 + bay * 7.0
        VIEW.surface(image, [(x, 0, z), (x + 7, 0, z), (x + 7, 6.4, z), (x, 6.4, z)], (172, 170, 162))
        VIEW.surface(image, [(x, 6.4, z), (x + 7, 6.4, z), (x + 7, 9.0, z)], (150, 146, 138))
        VIEW.surface(
            image, [(x + 0.8, 3.2, z), (x + 6.2, 3.2, z), (x + 6.2, 4.8, z), (x + 0.8, 4.8, z)], (138, 120, 96)
        )
    _wall(image, 10, 36, 0, 7.2, 120, (186, 178, 168))
    _wall(image, 26, 28, 0, 11.0, 119, (150, 140, 150))


def _draw_trees(image: np.ndarray) -> None:
    random = np.random.default_rng(11)
    for x, z, size in ((-10, 52, 3.2), (-15, 58, 3.6), (9.5, 50, 3.0), (13, 56, 3.8), (18, 60, 3.2), (-20, 55, 3.0)):
        _wall(image, x - 0.2, x + 0.2, 0, 3, z, (52, 70, 88))
        for _ in range(90):
            middle = x + random.uniform(-0.5, 0.5) * size, 3.2 + random.uniform(-0.45, 0.45) * size, z
            green = (40 + random.integers(25), 88 + random.integers(50), 62 + random.integers(30))
            radius = round(VIEW.scale(z) * size * random.uniform(0.08, 0.2))
            cv2.circle(image, tuple(map(round, VIEW.project(middle))), radius, tuple(map(int, green)), -1, cv2.LINE_AA)


def _draw_ground(image: np.ndarray) -> None:
    _flat(image, -60, 60, 30, 400, GRASS)
    _flat(image, 3.9, 60, 3, 400, GRASS)
    _flat(image, -60, -3.2, 11, 400, GRASS)
    _flat(image, -0.5, 3.9, 2.5, 400, ASPHALT)
    for x in (-0.65, 3.75):
        _flat(image, x, x + 0.2, 2.5, 200, KERB)
    for z in np.arange(8, 90, 4.0):
        _flat(image, -0.28, -0.18, z, z + 2.0, WHITE)
    _flat(image, -0.3, 3.6, 6.2, 6.4, WHITE)


def _draw_wall(image: np.ndarray) -> None:
    """The boundary wall, its gate posts and the sign."""
    for left, right in ((-40, -1.3), (4.7, 40)):
        _wall(image, left, right, 0, 2.2, 30, (150, 176, 190))
        _wall(image, left, right, 2.2, 2.35, 30, (110, 126, 138))
        _wall(image, left, right, 0, 0.4, 30, (104, 118, 130))
    for x in (-1.9, 4.5):
        VIEW.box(image, (x, 0, 28), (x + 0.7, 3.1, 28.7), (120, 146, 168))
    z = 29.5
    _wall(image, 6.2, 11.2, 0.6, 1.9, z, (120, 76, 34))
    _letter(image, "GATE 1", (6.6, 1.3, z), 0.7)
    _letter(image, "STOP FOR CHECK", (6.45, 0.82, z), 0.5)


def _draw_booth(image: np.ndarray) -> None:
    """The guard's booth, left of the barrier."""
    front, back, left, right = 12.2, 14.0, -3.3, -1.85
    pane, glint = (132, 112, 84), (156, 138, 112)
    VIEW.box(image, (left, 0.0, front), (right, 2.3, back), (196, 204, 206))
    _wall(image, left + 0.15, right - 0.15, 1.0, 1.9, front, pane)
    shine = [(left + x, y, front) for x, y in ((0.2, 1.1), (0.55, 1.85), (0.8, 1.85), (0.45, 1.1))]
    VIEW.surface(image, shine, glint)
    beside = [(right, y, z) for y, z in ((0.9, front + 0.4), (1.9, front + 0.4), (1.9, back - 0.4), (0.9, back - 0.4))]
    VIEW.surface(image, beside, (104, 90, 70))
    _wall(image, left, right, 0.0, 0.7, front, (150, 96, 40))
    VIEW.box(image, (left - 0.15, 2.3, front - 0.2), (right + 0.15, 2.42, back), (150, 96, 40))
    _letter(image, "SECURITY", (left + 0.28, 2.04, front), 0.62, (60, 50, 40))


def _letter(
    image: np.ndarray, text: str, point: tuple[float, float, float], size: float, colour=(245, 245, 245)
) -> None:
    x, y = VIEW.project(point)
    cv2.putText(image, text, (round(x), round(y)), cv2.FONT_HERSHEY_DUPLEX, size, colour, 1, cv2.LINE_AA)
