"""Portraits of people who do not exist: a relief, lit and painted. A face engine finds them and tells them apart.

No photograph of anyone is used, nor anything learnt from photographs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from streaming.scenes import features
from streaming.scenes.features import Canvas
from streaming.scenes.relief import Face, half_width, relief, smooth
from streaming.scenes.sprites import lay_over

WIDE, HIGH = 1.19, 1.55
"""Half the width and half the height of a portrait, in the units of `relief`; its middle is the middle of the face."""

WARPS = 8
"""Steps in which the place on the face that a pixel of a turned head shows is found."""


@dataclass(frozen=True, slots=True)
class Pose:
    """How a head is held and lit. Angles in degrees, positive to the right of the picture and downwards;
    ``light`` is where the lamp stands: right, down, towards the viewer."""

    turn: float = 0.0
    nod: float = 0.0
    smile: float = 0.0
    light: tuple[float, float, float] = (-0.35, -0.55, 0.75)
    ambient: float = 0.42


FRONTAL = Pose()


PHOTO_PX = 220
PHOTO_POSES = (Pose(), Pose(turn=11, nod=-3, smile=0.6, light=(0.5, -0.4, 0.7), ambient=0.4))
BACKDROP, CLOTH = (172, 168, 160), (105, 84, 66)


def photograph(face: Face, number: int) -> np.ndarray:
    """Return a photo for a pass, BGR: the same person each time, held and lit otherwise, with a camera's grain."""
    head = portrait(face, PHOTO_PX, PHOTO_POSES[number % len(PHOTO_POSES)])
    height, width = round(head.shape[0] * 1.35), round(head.shape[1] * 1.5)
    image = np.full((height, width, 3), BACKDROP, np.uint8)
    shoulders = (width // 2, height + PHOTO_PX // 8), (round(width * 0.46), round(PHOTO_PX * 0.36))
    cv2.ellipse(image, *shoulders, 0, 0, 360, CLOTH, -1, cv2.LINE_AA)
    lay_over(image, head, ((width - head.shape[1]) / 2, height * 0.1))
    grain = np.random.default_rng((face.seed, number)).normal(0, 3, image.shape)
    return cv2.GaussianBlur(np.clip(image + grain, 0, 255).astype(np.uint8), (0, 0), 0.7)


@cache
def portrait(face: Face, width: int, pose: Pose = FRONTAL) -> np.ndarray:
    """Return a head with its neck as a BGRA sprite ``width`` pixels wide; the face is two thirds of it.

    Drawn once (about 60 ms at 130 pixels) and kept; not to be written to.
    """
    size = (round(width * HIGH / WIDE), width)
    y, x = np.mgrid[-HIGH : HIGH : size[0] * 1j, -WIDE : WIDE : size[1] * 1j].astype(np.float32)
    u, v = _places(face, x, y, pose)
    canvas = Canvas(face, u, v, np.empty((*size, 3), np.float32))
    hair = _paint(canvas, pose)
    _light(canvas, hair, pose)
    sprite = _cut_out(canvas, x, y)
    sprite.setflags(write=False)
    return sprite


def _places(face: Face, x: np.ndarray, y: np.ndarray, pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """Return which point of the face each pixel shows, once the head is turned."""
    turn, nod = math.radians(pose.turn), math.radians(pose.nod)
    u, v = x, y
    if not turn and not nod:
        return u, v
    for _ in range(WARPS):
        ahead = relief(face, u, v) - 0.5
        u = 0.5 * u + 0.5 * (x - ahead * math.sin(turn)) / math.cos(turn)
        v = 0.5 * v + 0.5 * (y - ahead * math.sin(nod)) / math.cos(nod)
    return u, v


def _paint(canvas: Canvas, pose: Pose) -> np.ndarray:
    features.paint_skin(canvas)
    lips = features.paint_mouth(canvas, pose.smile)
    for side in (-1, 1):
        features.paint_eye(canvas, side)
    features.paint_beard(canvas, lips)
    return features.paint_hairline(canvas)


def _light(canvas: Canvas, hair: np.ndarray, pose: Pose) -> None:
    """Shade the painted relief: a lamp, light from all around, dark hollows, a shine on the skin."""
    height, width = canvas.u.shape
    depth = cv2.GaussianBlur(relief(canvas.face, canvas.u, canvas.v).astype(np.float32), (0, 0), width / 220)
    down, across = np.gradient(depth, 2 * HIGH / height, 2 * WIDE / width)
    normal = np.dstack([-across, -down, np.ones_like(depth)])
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    lamp = np.float32(pose.light) / np.linalg.norm(pose.light)
    hollow = np.clip(depth - cv2.GaussianBlur(depth, (0, 0), width / 18), -0.12, 0.05)
    lit = pose.ambient * (1 + 0.25 * normal[..., 2]) + 0.62 * np.clip(normal @ lamp, 0, 1) + 1.6 * hollow
    halfway = lamp + np.float32([0, 0, 1])
    shine = np.clip(normal @ (halfway / np.linalg.norm(halfway)), 0, 1) ** 28
    canvas.colour = canvas.colour * lit[..., None] + (22 * shine * (1 - hair))[..., None]


def _cut_out(canvas: Canvas, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Lay the lit face over ears, hair and neck, and cut along their outline."""
    face, u, v, front = canvas.face, canvas.u, canvas.v, canvas.colour
    skin, edge = np.float32(face.skin), half_width(face, v)
    inside = smooth(edge - np.abs(u), 0.0, 0.03) * (np.abs(v) < face.chin_length)
    ears = smooth(np.clip(1 - ((np.abs(u) - face.width * 0.98) / 0.11) ** 2 - ((v - 0.08) / 0.24) ** 2, 0, 1), 0, 0.05)
    neck = smooth(0.46 - np.abs(x), 0, 0.05) * smooth(y, 0.5, 0.6)
    back = Canvas(face, u, v, np.empty_like(front))
    throat = (0.55 - 0.15 * np.exp(-(((y - 1.2) / 0.25) ** 2))) * (1 - 0.35 * (x / 0.5) ** 2)
    back.colour[:] = skin * throat[..., None]
    back.paint(ears, skin * 0.62)
    shape = _lay_hair(back, inside, y)
    back.paint(inside, front)
    if face.has_glasses:
        features.paint_glasses(back)
    outline = np.maximum.reduce([inside, ears, neck, shape])
    return np.dstack([np.clip(back.colour, 0, 255), outline * 255]).astype(np.uint8)


def _lay_hair(back: Canvas, inside: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Paint the hair around the head, and return where it is (0–1)."""
    face, beside, v = back.face, np.abs(back.u), back.v
    around = 1.06 * half_width(face, v / 1.1)
    shape = smooth(around - beside, 0, 0.03) * (1 - smooth(v, -0.25, 0.05))
    round_ = 0.5 + 0.44 * np.sqrt(np.clip(1 - beside / np.maximum(around, 1e-3), 0, 1))
    colours = features.hair_colours(back)
    back.paint(shape, colours * round_[..., None])
    if face.has_long_hair:
        fall = smooth(face.width * 1.16 + 0.06 * np.maximum(v, 0) - beside, 0, 0.05)
        fall *= smooth(v, -0.5, -0.2) * (1 - smooth(y, 1.15, 1.4)) * (1 - inside)
        back.paint(fall, colours * (0.45 + 0.35 * np.sin(9 * beside) ** 2)[..., None])
        shape = np.maximum(shape, fall)
    return shape
