"""Where text stands in a picture: PP-OCR's detector, and the straightened picture of one line of text.

The detector gives for each point how likely it lies inside a line of text (differentiable binarisation, arXiv
1911.08947); what is joined becomes one line, with the margin that the training had taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from streaming.frames import Box
from vehicles.readers.weights import FINDER, open_net

STRIDE = 32
MEAN = np.array((0.485, 0.456, 0.406), np.float32) * 255
STD = np.array((0.229, 0.224, 0.225), np.float32) * 255
"""ImageNet's, in the order of the picture's channels, as the net was trained."""

INSIDE, TEXT = 0.3, 0.5
"""A point is inside from here on; a line is one whose points reach the second on average (PP-OCR's own limits)."""

UNCLIP = 1.8
"""How much the margin is: area times this over circumference, on each side. PP-OCR's own 1.6 cuts leaning plates so
close that the net is less sure of them; with 2.0 the rim is read as letters (measured on real plates, turned)."""

SMALLEST_SIDE, MOST_ENLARGED = 320, 3.0
"""A smaller picture is enlarged to this, so that the letters of a plate cut out are as large as the net knows them."""

THINNEST = 3
"""Lines thinner than this many points of the net's picture hold nothing legible."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A line of text. ``corners`` are (x, y) in pixels, float32 (4, 2): upper left, upper right, lower right, lower
    left, as the text is read."""

    corners: np.ndarray
    score: float

    @property
    def width(self) -> float:
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    @property
    def height(self) -> float:
        return height_of(self.corners)

    @property
    def middle(self) -> np.ndarray:
        return self.corners.mean(axis=0)

    @property
    def box(self) -> Box:
        return box_around([self.corners])


def height_of(corners: np.ndarray) -> float:
    """Return how high a line is at its left end, in pixels."""
    return float(np.linalg.norm(corners[3] - corners[0]))


def widen(corners: np.ndarray, heights: float) -> np.ndarray:
    """Return the corners of a line that goes on at both ends by so many of its heights."""
    along = corners[1] - corners[0]
    step = along / max(float(np.linalg.norm(along)), 1e-6) * heights * height_of(corners)
    return corners + np.array((-step, step, step, -step), np.float32)


def box_around(shapes: list[np.ndarray]) -> Box:
    """Return the ``xyxy`` box that holds all the points."""
    points = np.concatenate(shapes)
    (x1, y1), (x2, y2) = points.min(axis=0), points.max(axis=0)
    return float(x1), float(y1), float(x2), float(y2)


class TextFinder:
    """Finds lines of text; one may be shared by any number of threads."""

    def __init__(self) -> None:
        self._session = open_net(FINDER)
        self._input = self._session.get_inputs()[0].name

    def find(self, image: np.ndarray, long_side: int) -> list[Line]:
        """Return the lines of a BGR picture, the largest first; it is shrunk to ``long_side`` pixels.

        Costs about 45 ms at 640 × 360 on one core, and less in proportion to the area.
        """
        height, width = image.shape[:2]
        ratio = min(MOST_ENLARGED, max(1.0, SMALLEST_SIDE / max(height, width)), long_side / max(height, width))
        size = _fit(width * ratio), _fit(height * ratio)
        likely = self._session.run(None, {self._input: prepare(image, size)})[0][0, 0]
        scale = np.array((width / size[0], height / size[1]), np.float32)
        lines = [Line(order_corners(corners * scale), score) for corners, score in find_shapes(likely)]
        return sorted(lines, key=lambda line: -line.width * line.height)


def _fit(side: float) -> int:
    return max(STRIDE, round(side / STRIDE) * STRIDE)


def prepare(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the net's input, float32 of shape (1, 3, height, width); ``size`` is (width, height)."""
    small = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return np.ascontiguousarray(((small - MEAN) / STD).transpose(2, 0, 1)[None])


def find_shapes(likely: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """Yield the rectangles, as corners (4, 2), and mean likelihoods of what is joined in a picture of likelihoods."""
    inside = cv2.dilate((likely > INSIDE).astype(np.uint8), np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for outline in outlines:
        middle, (width, height), angle = cv2.minAreaRect(outline)
        if min(width, height) < THINNEST:
            continue
        score = _mean_inside(likely, outline)
        if score >= TEXT:
            margin = 2 * width * height * UNCLIP / (2 * (width + height))
            yield cv2.boxPoints((middle, (width + margin, height + margin), angle)), score


def _mean_inside(likely: np.ndarray, outline: np.ndarray) -> float:
    x, y, width, height = cv2.boundingRect(outline)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [outline.reshape(-1, 2) - (x, y)], 1)
    return float(cv2.mean(likely[y : y + height, x : x + width], mask)[0])


def order_corners(corners: np.ndarray) -> np.ndarray:
    """Return corners as upper left, upper right, lower right, lower left, of text that runs from left to right."""
    left, right = np.split(corners[np.argsort(corners[:, 0], kind="stable")], 2)
    upper_left, lower_left = left[np.argsort(left[:, 1], kind="stable")]
    upper_right, lower_right = right[np.argsort(right[:, 1], kind="stable")]
    return np.array((upper_left, upper_right, lower_right, lower_left), np.float32)


def straighten(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Return the picture of a quadrilateral as seen from the front, BGR, at least 4 pixels on each side."""
    upper, right, lower, left = (np.linalg.norm(corners[a] - corners[b]) for a, b in ((0, 1), (1, 2), (2, 3), (3, 0)))
    width, height = max(4, round(max(upper, lower))), max(4, round(max(left, right)))
    target = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    turn = cv2.getPerspectiveTransform(np.ascontiguousarray(corners, np.float32), target)
    return cv2.warpPerspective(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC)
