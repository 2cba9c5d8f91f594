"""People on their way through a scene: along a path on the ground, again and again, in step with their speed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from streaming.scenes.faces import WIDE, Pose, portrait
from streaming.scenes.people import PHASES, PIXELS_PER_M, STANDING, STRIDE_M, Person, figure, rise_at
from streaming.scenes.sprites import lay_over, shadow
from streaming.scenes.stage import View

SPEED_M_S = 1.25
FACE_M = 0.1
"""What one unit of a portrait is on a head of somebody of 1.75 m."""
FACE_AT_M = 1.645
"""How high the middle of that person's face is."""
FACE_PX = 150
SWAY = (0.0, 5.0, 9.0, 5.0, 0.0, -5.0, -9.0, -5.0)
"""How far the head is turned in degrees, one after the other in half seconds: nobody looks straight ahead for long."""
SOLE_PX = 3
"""How far a figure is sunk into its shadow, in its own pixels: the shoes touch the ground."""
TURN = 45
"""Headings are rounded to so many degrees: each one asks for sprites of its own."""


@dataclass(frozen=True, slots=True)
class Step:
    """Someone at one moment: where on the ground (metres), facing where, in which phase."""

    person: Person
    x: float
    z: float
    heading: int
    phase: int
    turn: float = 0.0


@dataclass(frozen=True, slots=True)
class Walker:
    """Someone who sets out along ``path`` (x, z in metres) at ``starts_s`` of every loop."""

    person: Person
    path: tuple[tuple[float, float], ...]
    starts_s: float

    def at(self, seconds: float, loop_s: float) -> Step | None:
        """Return where the walker is ``seconds`` into the scene; None while out of sight."""
        gone = (seconds - self.starts_s) % loop_s * SPEED_M_S
        phase = int(gone / STRIDE_M * PHASES) % PHASES
        for (x1, z1), (x2, z2) in zip(self.path, self.path[1:], strict=False):
            length = math.hypot(x2 - x1, z2 - z1)
            if gone <= length:
                share = gone / length
                return Step(
                    self.person, x1 + share * (x2 - x1), z1 + share * (z2 - z1), _heading(x1, z1, x2, z2), phase
                )
            gone -= length
        return None


def _heading(x1: float, z1: float, x2: float, z2: float) -> int:
    return round(math.degrees(math.atan2(x2 - x1, z1 - z2)) / TURN) * TURN % 360


def bystander(person: Person, x: float, z: float, heading: int) -> Step:
    """Someone who stands still all the time."""
    return Step(person, x, z, heading, STANDING)


def steps_at(walkers: Iterable[Walker], seconds: float, loop_s: float) -> list[Step]:
    """Return everybody in sight."""
    return [step for walker in walkers if (step := walker.at(seconds, loop_s))]


def draw_step(image: np.ndarray, view: View, step: Step) -> None:
    """Draw someone with a shadow at the feet."""
    scale, sprite = view.scale(step.z), figure(step.person, step.heading, step.phase)
    x, y = view.project((step.x, 0.0, step.z))
    shadow(image, (x, y), (0.42 * scale, 0.12 * scale), 0.5)
    by = scale / PIXELS_PER_M
    lay_over(image, sprite, (x - sprite.shape[1] / 2 * by, y - (sprite.shape[0] - SOLE_PX) * by), by)
    if step.person.shows_face(step.heading):
        _draw_face(image, view, step)


def _draw_face(image: np.ndarray, view: View, step: Step) -> None:
    sprite = portrait(step.person.face, FACE_PX, Pose(turn=step.turn))
    size = step.person.height_m / 1.75
    x, y = view.project((step.x, (FACE_AT_M + rise_at(step.phase)) * size, step.z))
    by = view.scale(step.z) * 2 * WIDE * FACE_M * size / FACE_PX
    lay_over(image, sprite, (x - sprite.shape[1] / 2 * by, y - sprite.shape[0] / 2 * by), by)


def face_width(view: View, step: Step) -> float:
    """Return how many pixels wide somebody's face is in the picture."""
    return 2 * step.person.face.width * FACE_M * step.person.height_m / 1.75 * view.scale(step.z)


def step_box(view: View, step: Step) -> tuple[float, float, float, float]:
    """Return the ``xyxy`` box of someone's upright body in pixels; arms and legs may reach beyond its sides."""
    scale = view.scale(step.z)
    x, y = view.project((step.x, 0.0, step.z))
    return x - 0.27 * scale, y - step.person.height_m * scale, x + 0.27 * scale, y
