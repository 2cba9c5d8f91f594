"""The staff door: one after the other they come down the corridor, stop before the camera, and go in on the right.

The camera hangs at the height of a face, so that faces are large enough to be recognised.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from streaming.scenes import cast
from streaming.scenes.people import PHASES, STANDING, STRIDE_M, Person
from streaming.scenes.scene import Scene
from streaming.scenes.stage import View, vignette, weather
from streaming.scenes.walkers import SPEED_M_S, SWAY, Step, draw_step

SIZE = (1280, 720)
FPS = 12
LOOP_S = 45
VIEW = View(SIZE, focal_px=1000, height_m=1.68, centre=(600, 300))
FAR_Z, STOP_Z, END_Z = 9.6, 2.35, 10.5
LEFT_X, RIGHT_X, CEILING_M = -1.5, 1.6, 2.9
OPENING_Z = 3.1
"""Up to there the wall on the right is open: there they go in."""

WAITS_S = 2.4
EVERY_S = 9.0
FLOOR, JOINT, WALL, DADO, CEILING = (122, 134, 140), (104, 116, 122), (196, 204, 206), (150, 132, 96), (214, 218, 218)
STEEL, DAYLIGHT = (120, 116, 112), (244, 240, 230)


@dataclass(frozen=True, slots=True)
class Comer:
    """Somebody who comes to the door at ``starts_s`` of every loop."""

    person: Person
    starts_s: float

    def at(self, seconds: float) -> Step | None:
        """Return where they are ``seconds`` into the scene; None while out of sight."""
        gone_s = (seconds - self.starts_s) % LOOP_S
        walk_s = (FAR_Z - STOP_Z) / SPEED_M_S
        turn = SWAY[int(gone_s * 2) % len(SWAY)]
        if gone_s < walk_s:
            return Step(self.person, 0.0, FAR_Z - gone_s * SPEED_M_S, 0, _phase(gone_s), turn)
        if gone_s < walk_s + WAITS_S:
            return Step(self.person, 0.0, STOP_Z, 0, STANDING, turn)
        aside = (gone_s - walk_s - WAITS_S) * SPEED_M_S
        return Step(self.person, aside, STOP_Z, 90, _phase(gone_s)) if aside < RIGHT_X + 0.4 else None


def _phase(seconds: float) -> int:
    return int(seconds * SPEED_M_S / STRIDE_M * PHASES) % PHASES


COMERS = tuple(Comer(person, number * EVERY_S) for number, person in enumerate(cast.AT_THE_DOOR))


def open_door(name: str, title: str) -> Scene:
    """Draw the corridor once; the people are drawn into every picture."""
    return Scene(name, title, SIZE, FPS, FPS * LOOP_S, partial(picture, draw_corridor()))


def people_at(index: int) -> list[Step]:
    """Everybody in the corridor in picture ``index``, the farthest first."""
    steps = [step for comer in COMERS if (step := comer.at(index / FPS))]
    return sorted(steps, key=lambda step: -step.z)


def picture(corridor: np.ndarray, index: int) -> np.ndarray:
    """Draw picture ``index`` of the loop."""
    image = corridor.copy()
    for step in people_at(index):
        draw_step(image, VIEW, step)
    return image


def draw_corridor() -> np.ndarray:
    """Draw everything that never moves and stands in nobody's way."""
    image = np.full((SIZE[1], SIZE[0], 3), CEILING, np.uint8)
    _draw_shell(image)
    _draw_end(image)
    _draw_boards(image)
    image = weather(image, seed=9, grain=2.5, patches=3)
    _draw_lamps(image)
    return vignette(image)


def _draw_shell(image: np.ndarray) -> None:
    near = 1.0
    _floor(image, LEFT_X, RIGHT_X + 2, near, END_Z, FLOOR)
    for z in np.arange(near, END_Z, 0.6):
        _floor(image, LEFT_X, RIGHT_X, z, z + 0.015, JOINT)
    for x in np.arange(LEFT_X, RIGHT_X, 0.6):
        _floor(image, x, x + 0.015, near, END_Z, JOINT)
    _side(image, LEFT_X, 0, CEILING_M, near, END_Z, WALL)
    _side(image, LEFT_X, 0, 1.05, near, END_Z, DADO)
    _side(image, RIGHT_X, 0, CEILING_M, OPENING_Z, END_Z, WALL)
    _side(image, RIGHT_X, 0, 1.05, OPENING_Z, END_Z, DADO)
    _front(image, OPENING_Z, (RIGHT_X, RIGHT_X + 2), (0, 2.4), (168, 184, 172))


def _floor(image: np.ndarray, left: float, right: float, near: float, far: float, colour: tuple) -> None:
    VIEW.surface(image, [(left, 0, near), (right, 0, near), (right, 0, far), (left, 0, far)], colour)


def _side(image: np.ndarray, x: float, low: float, high: float, near: float, far: float, colour: tuple) -> None:
    VIEW.surface(image, [(x, low, near), (x, high, near), (x, high, far), (x, low, far)], colour)


def _front(image: np.ndarray, z: float, across: tuple[float, float], up: tuple[float, float], colour: tuple) -> None:
    (left, right), (low, high) = across, up
    VIEW.surface(image, [(left, low, z), (right, low, z), (right, high, z), (left, high, z)], colour)


def _draw_end(image: np.ndarray) -> None:
    """The end of the corridor: a wall with a glazed door to the yard."""
    z = END_Z
    VIEW.surface(
        image, [(LEFT_X, 0, z), (RIGHT_X, 0, z), (RIGHT_X, CEILING_M, z), (LEFT_X, CEILING_M, z)], (182, 190, 192)
    )
    VIEW.surface(image, [(-0.7, 0, z), (0.7, 0, z), (0.7, 2.2, z), (-0.7, 2.2, z)], STEEL)
    for left in (-0.62, 0.04):
        VIEW.surface(image, [(left, 0.1, z), (left + 0.58, 0.1, z), (left + 0.58, 2.1, z), (left, 2.1, z)], DAYLIGHT)
        VIEW.surface(
            image, [(left, 0.1, z), (left + 0.58, 0.1, z), (left + 0.58, 0.8, z), (left, 0.8, z)], (170, 190, 176)
        )


def _draw_boards(image: np.ndarray) -> None:
    """Notice boards on the left wall, a clock-in reader on the right one."""
    for near, far in ((3.4, 4.4), (5.2, 6.4)):
        _side(image, LEFT_X + 0.01, 1.25, 2.05, near, far, (90, 140, 60))
        _side(image, LEFT_X + 0.015, 1.33, 1.97, near + 0.1, far - 0.1, (226, 232, 228))
    _side(image, RIGHT_X - 0.01, 1.2, 1.5, 3.5, 3.75, (52, 50, 48))
    _side(image, RIGHT_X - 0.015, 1.36, 1.46, 3.55, 3.7, (90, 200, 80))
    x, y = VIEW.project((-0.62, 2.36, END_Z))
    cv2.putText(image, "STAFF ONLY", (round(x), round(y)), cv2.FONT_HERSHEY_DUPLEX, 0.62, (70, 80, 60), 1, cv2.LINE_AA)


def _draw_lamps(image: np.ndarray) -> None:
    """Ceiling lights, and their soft reflection on the floor."""
    glow = np.zeros(image.shape[:2], np.float32)
    for z in (3.4, 5.6, 7.8):
        lamp = [(-0.3, CEILING_M, z), (0.4, CEILING_M, z), (0.4, CEILING_M, z + 1.1), (-0.3, CEILING_M, z + 1.1)]
        VIEW.surface(image, lamp, (255, 255, 255))
        VIEW.surface(glow, [(x, 0.0, pz) for x, _, pz in lamp], (60, 60, 60))
    soft = cv2.GaussianBlur(glow, (0, 0), 22)[..., None]
    np.copyto(image, np.clip(image + soft, 0, 255).astype(np.uint8))
