"""Pictures with an edge of their own (BGRA), and how they are laid over a frame: scaled, clipped, blended."""

from __future__ import annotations

import cv2
import numpy as np


def lay_over(image: np.ndarray, sprite: np.ndarray, corner: tuple[float, float], scale: float = 1.0) -> None:
    """Blend ``sprite`` (BGRA uint8) into ``image`` (BGR uint8), its upper left corner at ``corner`` in pixels.

    Parts outside the image are left out; only the visible part is scaled, so a huge sprite costs no more than a frame.
    """
    height, width = image.shape[:2]
    left, top = max(0, int(corner[0])), max(0, int(corner[1]))
    right = min(width, int(np.ceil(corner[0] + sprite.shape[1] * scale)))
    bottom = min(height, int(np.ceil(corner[1] + sprite.shape[0] * scale)))
    if right <= left or bottom <= top:
        return
    move = np.float32([[scale, 0, corner[0] - left], [0, scale, corner[1] - top]])
    size = (right - left, bottom - top)
    small = cv2.warpAffine(_fit(sprite, scale, move), move, size, flags=cv2.INTER_LINEAR)
    blend(image[top:bottom, left:right], small)


def blend(part: np.ndarray, sprite: np.ndarray) -> None:
    """Blend a BGRA picture into a part of an image of the same size, in place."""
    weight = cv2.cvtColor(sprite[..., 3], cv2.COLOR_GRAY2BGR)
    over = cv2.multiply(sprite[..., :3], weight, scale=1 / 255)
    under = cv2.multiply(part, 255 - weight, scale=1 / 255)
    cv2.add(over, under, dst=part)


def _fit(sprite: np.ndarray, scale: float, move: np.ndarray) -> np.ndarray:
    """Halve a sprite until bilinear scaling no longer skips pixels, and correct ``move`` for it, in place."""
    while scale < 0.5 and min(sprite.shape[:2]) > 2:
        sprite = cv2.resize(sprite, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        scale *= 2
        move[:, :2] *= 2
    return sprite


def shadow(image: np.ndarray, centre: tuple[float, float], radii: tuple[float, float], strength: float) -> None:
    """Darken an ellipse with soft edges: what stands on the ground touches it. ``strength`` is 0–1."""
    (x, y), (wide, high) = centre, radii
    left, right = max(0, int(x - wide)), min(image.shape[1], int(x + wide))
    top, bottom = max(0, int(y - high)), min(image.shape[0], int(y + high))
    if right <= left or bottom <= top:
        return
    across = (np.arange(left, right, dtype=np.float32) - x) / wide
    down = (np.arange(top, bottom, dtype=np.float32) - y) / high
    depth = np.float32(np.clip(1 - across[None] ** 2 - down[:, None] ** 2, 0, 1) * strength)
    part = image[top:bottom, left:right]
    cv2.multiply(part, cv2.cvtColor(1 - depth, cv2.COLOR_GRAY2BGR), dst=part, dtype=cv2.CV_8U)
