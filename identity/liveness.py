"""Cheap signs that a face is a picture of a face. They may lower a decision to review and never raise one.

Pure: boxes and pictures in, a reason or None out. A video on a phone that is moved about, with its edges out of sight,
passes; who needs more than a sign keeps a person at the door.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from streaming.frames import Box

SHOTS = 3
STILL_SHIFT = 0.05
STILL_GROWTH = 0.04
"""Shares of the face's width. Four shots of a fixed picture with camera noise shift by 0.005–0.024 and grow by
0.005–0.021; a man who sits in a car shifts by 0.098–0.216 (measured on footage of a 45 px face)."""

NORMAL_WIDTH = 120.0
REACH = 1.2
EDGE = 100
"""Edges are looked for around a face of 120 px, as far as 1.2 faces away; one counts from 100 px on."""


def judge_liveness(boxes: Sequence[Box], image: np.ndarray, box: Box) -> str | None:
    """Return why the face of a passage may be a picture, or None.

    ``boxes`` are where the face was in the camera's whole picture, one a shot; ``image`` is what surrounds the best
    shot, and ``box`` where in it the face is.
    """
    if is_still(boxes):
        return "does_not_move"
    return "screen_edge" if has_frame(image, box) else None


def is_still(boxes: Sequence[Box]) -> bool:
    """Whether a face neither moved nor came nearer over at least `SHOTS` shots; fewer say nothing."""
    if len(boxes) < SHOTS:
        return False
    sides = np.array(boxes, np.float64)
    widths = sides[:, 2] - sides[:, 0]
    centres = (sides[:, :2] + sides[:, 2:]) / 2
    width = float(widths.mean())
    return float(np.ptp(centres, axis=0).max()) < STILL_SHIFT * width and float(np.ptp(widths)) < STILL_GROWTH * width


def has_frame(image: np.ndarray, box: Box) -> bool:
    """Whether straight edges frame a face of a BGR picture, as those of a screen or a print do.

    Edges above and below it, or on three sides. Pillars and door frames stand left and right, and do not count alone.
    """
    return {"above", "below"} <= (sides := framing_sides(image, box)) or len(sides) >= 3


def framing_sides(image: np.ndarray, box: Box) -> set[str]:
    """Return on which sides of a face a long straight edge runs past it: above, below, left, right."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    left, top = max(0, int(x1 - REACH * width)), max(0, int(y1 - REACH * height))
    part = image[top : int(y2 + REACH * height), left : int(x2 + REACH * width)]
    scale = NORMAL_WIDTH / width
    grey = cv2.resize(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), None, fx=scale, fy=scale)
    edges = cv2.Canny(cv2.GaussianBlur(grey, (5, 5), 0), 50, 150)
    lines = cv2.HoughLinesP(edges, 1, np.pi / 180, 60, minLineLength=EDGE, maxLineGap=6)
    face = ((x1 - left) * scale, (y1 - top) * scale, (x2 - left) * scale, (y2 - top) * scale)
    found = {_side(line, face) for line in (lines.reshape(-1, 4) if lines is not None else ())}
    return {side for side in found if side}


def _side(line: np.ndarray, face: Box) -> str | None:
    """Return the side of the face that a line runs along, None for one that is slanted, short of it, or across it."""
    ax, ay, bx, by = (float(value) for value in line)
    run, rise, x, y = abs(bx - ax), abs(by - ay), (ax + bx) / 2, (ay + by) / 2
    if rise > 6 * run and min(ay, by) < face[3] and max(ay, by) > face[1]:
        return "left" if x < face[0] else "right" if x > face[2] else None
    if run > 6 * rise and min(ax, bx) < face[2] and max(ax, bx) > face[0]:
        return "above" if y < face[1] else "below" if y > face[3] else None
    return None
