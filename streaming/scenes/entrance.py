"""The entrance hall: people come from the glass doors, pass the turnstiles, and leave the same way."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from streaming.scenes import cast
from streaming.scenes.scene import Scene
from streaming.scenes.sprites import lay_over
from streaming.scenes.stage import View, polygon, shade, vignette, weather
from streaming.scenes.walkers import Step, Walker, bystander, draw_step, steps_at

SIZE = (1280, 720)
FPS = 12
LOOP_S = 30
VIEW = View(SIZE, focal_px=900, height_m=2.75, centre=(640, 185))
WALL_Z, NEAR_Z, CEILING_M, SIDE_M = 15.0, 3.0, 3.5, 5.2
CABINETS_X = (-3.2, -1.6, 0.0, 1.6, 3.2)
CABINET_Z = (8.4, 9.6)
FLOOR, TILE_EDGE, WALL, SIDE_WALL, CEILING = (
    (150, 158, 162),
    (132, 140, 145),
    (188, 196, 200),
    (168, 176, 180),
    (205, 208, 208),
)
CABINETS_TOP, CABINETS_BOTTOM = 350, 500
STEEL, DAYLIGHT, FRAME = (128, 124, 120), (246, 240, 226), (70, 66, 62)


def lane(number: int) -> float:
    """Middle of a turnstile lane in metres; lanes count from 0 on the left."""
    return (CABINETS_X[number] + CABINETS_X[number + 1]) / 2


def coming_in(number: int, exit_x: float) -> tuple[tuple[float, float], ...]:
    x = lane(number)
    return ((-0.4, 14.2), (-0.4, 13.4), (x, 11.6), (x, 7.0), (exit_x, 7.0))


def going_out(number: int, from_x: float) -> tuple[tuple[float, float], ...]:
    return tuple(reversed(coming_in(number, from_x)))


WALKERS = (
    Walker(cast.FITTER, coming_in(1, 6.5), 0.0),
    Walker(cast.ACCOUNTANT, coming_in(2, 6.5), 3.5),
    Walker(cast.CLERK, going_out(0, -6.5), 5.0),
    Walker(cast.WELDER, coming_in(2, -6.5), 10.0),
    Walker(cast.INSPECTOR, going_out(3, 6.5), 13.0),
    Walker(cast.ENGINEER, going_out(1, -6.5), 18.0),
    Walker(cast.DRIVER, coming_in(0, 6.5), 22.5),
    Walker(cast.STOREKEEPER, going_out(3, 6.5), 26.0),
)
RECEPTION = bystander(cast.GUARD, 2.1, 12.0, 0)


def open_entrance(name: str, title: str) -> Scene:
    """Draw the hall once; the people are drawn into every picture."""
    hall, cabinets = draw_hall(), draw_cabinets()
    return Scene(name, title, SIZE, FPS, FPS * LOOP_S, partial(picture, hall, cabinets))


def people_at(index: int) -> list[Step]:
    """Everybody in the hall in picture ``index``, the farthest first."""
    seen = [*steps_at(WALKERS, index / FPS, LOOP_S), RECEPTION]
    return sorted(seen, key=lambda step: -step.z)


def picture(hall: np.ndarray, cabinets: np.ndarray, index: int) -> np.ndarray:
    """Draw picture ``index`` of the loop: hall, who is beyond the turnstiles, the turnstiles, who is before them."""
    image, people = hall.copy(), people_at(index)
    for step in people:
        if step.z >= CABINET_Z[0]:
            draw_step(image, VIEW, step)
    lay_over(image, cabinets, (0, CABINETS_TOP))
    for step in people:
        if step.z < CABINET_Z[0]:
            draw_step(image, VIEW, step)
    return image


def draw_hall() -> np.ndarray:
    """Draw everything that never moves and stands in nobody's way."""
    image = np.full((SIZE[1], SIZE[0], 3), CEILING, np.uint8)
    _draw_shell(image)
    _draw_doors(image)
    _draw_wall_things(image)
    _draw_desk(image)
    image = weather(image, seed=4, grain=2.5, patches=3)
    _draw_lamps(image)
    return vignette(image)


def _draw_shell(image: np.ndarray) -> None:
    side, top, far, near = SIDE_M, CEILING_M, WALL_Z, NEAR_Z
    VIEW.surface(image, [(-side, 0, near), (side, 0, near), (side, 0, far), (-side, 0, far)], FLOOR)
    for z in np.arange(near, far, 0.8):
        VIEW.surface(image, [(-side, 0, z), (side, 0, z), (side, 0, z + 0.02), (-side, 0, z + 0.02)], TILE_EDGE)
    for x in np.arange(-side, side, 0.8):
        VIEW.surface(image, [(x, 0, near), (x + 0.02, 0, near), (x + 0.02, 0, far), (x, 0, far)], TILE_EDGE)
    VIEW.surface(image, [(-side, 0, far), (side, 0, far), (side, top, far), (-side, top, far)], WALL)
    for x in (-side, side):
        VIEW.surface(image, [(x, 0, near), (x, top, near), (x, top, far), (x, 0, far)], SIDE_WALL)
        VIEW.surface(image, [(x, 0, near), (x, 0.16, near), (x, 0.16, far), (x, 0, far)], STEEL)
        VIEW.surface(image, [(x, 1.0, near), (x, 1.12, near), (x, 1.12, far), (x, 1.0, far)], (150, 120, 70))
    VIEW.surface(image, [(-side, 0, far), (side, 0, far), (side, 0.16, far), (-side, 0.16, far)], STEEL)
    VIEW.surface(image, [(-2.0, 0.0, 13.9), (1.2, 0.0, 13.9), (1.2, 0.0, 12.4), (-2.0, 0.0, 12.4)], (88, 84, 80))


def _draw_doors(image: np.ndarray) -> None:
    """Glass doors with the yard in the light behind them."""
    z = WALL_Z - 0.01
    VIEW.surface(image, [(-2.3, 0, z), (1.5, 0, z), (1.5, 2.75, z), (-2.3, 2.75, z)], FRAME)
    for x in (-2.2, -0.95, 0.3):
        pane = [(x, 0.06, z), (x + 1.12, 0.06, z), (x + 1.12, 2.3, z), (x, 2.3, z)]
        VIEW.surface(image, pane, DAYLIGHT)
        VIEW.surface(image, [(x, 0.06, z), (x + 1.12, 0.06, z), (x + 1.12, 0.7, z), (x, 0.7, z)], (196, 204, 206))
        VIEW.surface(image, [(x, 0.7, z), (x + 1.12, 0.7, z), (x + 1.12, 1.1, z), (x, 1.0, z)], (150, 186, 160))
        VIEW.surface(image, [(x + 1.0, 0.9, z), (x + 1.04, 0.9, z), (x + 1.04, 1.3, z), (x + 1.0, 1.3, z)], FRAME)
    VIEW.surface(image, [(-2.2, 2.36, z), (1.42, 2.36, z), (1.42, 2.68, z), (-2.2, 2.68, z)], (120, 150, 40))
    _letter(image, "ENTRANCE", (-1.35, 2.43, z), 0.62, (245, 250, 245))


def _draw_wall_things(image: np.ndarray) -> None:
    z = WALL_Z - 0.01
    VIEW.surface(image, [(-4.4, 1.2, z), (-3.0, 1.2, z), (-3.0, 2.2, z), (-4.4, 2.2, z)], (90, 140, 60))
    VIEW.surface(image, [(-4.3, 1.3, z), (-3.1, 1.3, z), (-3.1, 1.85, z), (-4.3, 1.85, z)], (225, 232, 228))
    _letter(image, "SAFETY FIRST", (-4.3, 1.97, z), 0.34, (240, 245, 240))
    VIEW.surface(image, [(2.4, 1.6, z), (4.6, 1.6, z), (4.6, 2.3, z), (2.4, 2.3, z)], (120, 82, 40))
    _letter(image, "RECEPTION", (2.6, 1.84, z), 0.56, (245, 245, 245))


def _draw_desk(image: np.ndarray) -> None:
    VIEW.box(image, (2.7, 0, 11.9), (5.1, 1.02, 12.5), (96, 130, 160))
    VIEW.box(image, (2.6, 1.02, 11.8), (5.15, 1.1, 12.5), (60, 66, 72))
    VIEW.box(image, (-5.0, 0, 13.2), (-4.4, 0.5, 13.8), (90, 100, 120))
    x, y = VIEW.project((-4.7, 0.5, 13.4))
    for angle in range(200, 345, 18):
        tip = (x + 52 * np.cos(np.radians(angle)), y + 62 * np.sin(np.radians(angle)))
        polygon(
            image, [(x - 4, y), (x + 4, y), ((x + tip[0]) / 2 + 8, (y + tip[1]) / 2), tip], (60, 110 + angle % 40, 50)
        )


def _draw_lamps(image: np.ndarray) -> None:
    """Ceiling lights, and their soft reflection on the floor."""
    glow = np.zeros(image.shape[:2], np.float32)
    for z in (6.0, 9.0, 12.0):
        for x in (-2.6, 2.0):
            lamp = [(x, CEILING_M, z), (x + 0.6, CEILING_M, z), (x + 0.6, CEILING_M, z + 1.2), (x, CEILING_M, z + 1.2)]
            VIEW.surface(image, lamp, (255, 255, 255))
            VIEW.surface(glow, [(px, 0.0, pz) for px, _, pz in lamp], (70, 70, 70))
    spill = [(-2.0, 0.0, WALL_Z), (1.4, 0.0, WALL_Z), (2.6, 0.0, 10.0), (-3.2, 0.0, 10.0)]
    VIEW.surface(glow, spill, (45, 45, 45))
    soft = cv2.GaussianBlur(glow, (0, 0), 22)[..., None]
    np.copyto(image, np.clip(image + soft, 0, 255).astype(np.uint8))


def draw_cabinets() -> np.ndarray:
    """Draw the row of turnstiles as a BGRA strip that belongs `CABINETS_TOP` pixels down."""
    colour = np.full((SIZE[1], SIZE[0], 3), STEEL, np.uint8)
    mask = np.zeros_like(colour)
    for x in CABINETS_X:
        near, far = (x - 0.13, 0.0, CABINET_Z[0]), (x + 0.13, 1.0, CABINET_Z[1])
        VIEW.box(colour, near, far, STEEL)
        VIEW.box(mask, near, far, (255, 255, 255))
        _draw_panel(colour, x)
    return np.dstack([colour, mask[..., 0]])[CABINETS_TOP:CABINETS_BOTTOM]


def _draw_panel(image: np.ndarray, x: float) -> None:
    z = CABINET_Z[0]
    VIEW.surface(image, [(x - 0.1, 0.7, z), (x + 0.1, 0.7, z), (x + 0.1, 0.92, z), (x - 0.1, 0.92, z)], (40, 38, 36))
    VIEW.surface(
        image, [(x - 0.05, 0.76, z), (x + 0.05, 0.76, z), (x + 0.05, 0.86, z), (x - 0.05, 0.86, z)], (90, 210, 80)
    )
    VIEW.surface(
        image, [(x - 0.13, 0.0, z), (x + 0.13, 0.0, z), (x + 0.13, 0.08, z), (x - 0.13, 0.08, z)], shade(STEEL, 0.6)
    )


def _letter(image: np.ndarray, text: str, point: tuple[float, float, float], size: float, colour: tuple) -> None:
    x, y = VIEW.project(point)
    cv2.putText(image, text, (round(x), round(y)), cv2.FONT_HERSHEY_DUPLEX, size, colour, 1, cv2.LINE_AA)
