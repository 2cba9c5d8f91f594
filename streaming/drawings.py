"""Zones, lines and privacy masks as they are stored: checked shapes in shares (0–1) of the picture. Pure."""

from __future__ import annotations

import math
from typing import Any

MOST_SHAPES = 50
MOST_POINTS = 100
MOST_LETTERS = 60


class DrawingError(ValueError):
    """A drawing that makes no sense; the text says where."""


def check_zones(value: Any) -> list[dict[str, Any]]:
    """Check ``[{"name", "points": [[x, y], …]}, …]``: names that differ, three points or more each."""
    return _check_named(value, fewest=3, most=MOST_POINTS)


def check_lines(value: Any) -> list[dict[str, Any]]:
    """Check ``[{"name", "points": [[x, y], [x, y]], "in": "left" | "right"}, …]``.

    ``in`` says on which hand people go in, seen when walking from the first point to the second; right by default.
    """
    lines = _check_named(value, fewest=2, most=2)
    for number, (line, given) in enumerate(zip(lines, value, strict=True), 1):
        line["in"] = given.get("in", "right")
        if line["in"] not in {"left", "right"}:
            raise DrawingError(f"Line {number}: in is left or right.")
        if line["points"][0] == line["points"][1]:
            raise DrawingError(f"Line {number}: both ends are the same point.")
    return lines


def check_masks(value: Any) -> list[list[list[float]]]:
    """Check ``[[[x, y], …], …]``: polygons of three points or more that cover something."""
    if not isinstance(value, list) or len(value) > MOST_SHAPES:
        raise DrawingError(f"Masks are a list of at most {MOST_SHAPES} polygons.")
    masks = [_check_points(points, f"Mask {n}", 3, MOST_POINTS) for n, points in enumerate(value, 1)]
    for number, mask in enumerate(masks, 1):
        if len({tuple(point) for point in mask}) < 3:
            raise DrawingError(f"Mask {number} covers nothing.")
    return masks


def _check_named(value: Any, *, fewest: int, most: int) -> list[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > MOST_SHAPES:
        raise DrawingError(f"This is a list of at most {MOST_SHAPES} shapes.")
    shapes = []
    for number, shape in enumerate(value, 1):
        if not isinstance(shape, dict) or not isinstance(shape.get("name"), str):
            raise DrawingError(f"Shape {number} needs a name and points.")
        name = " ".join(shape["name"].split())
        if not 0 < len(name) <= MOST_LETTERS or not name.isprintable():
            raise DrawingError(f"Shape {number}: a name has 1 to {MOST_LETTERS} letters.")
        shapes.append({"name": name, "points": _check_points(shape.get("points"), name, fewest, most)})
    if len({shape["name"] for shape in shapes}) < len(shapes):
        raise DrawingError("Two shapes have the same name.")
    return shapes


def _check_points(points: Any, what: str, fewest: int, most: int) -> list[list[float]]:
    if not isinstance(points, list) or not fewest <= len(points) <= most:
        wanted = f"{fewest} points" if fewest == most else f"{fewest} to {most} points"
        raise DrawingError(f"{what} needs {wanted}.")
    return [_check_point(point, what) for point in points]


def _check_point(point: Any, what: str) -> list[float]:
    is_pair = isinstance(point, list | tuple) and len(point) == 2
    if not is_pair or not all(isinstance(x, int | float) and not isinstance(x, bool) for x in point):
        raise DrawingError(f"{what}: a point is [x, y].")
    if not all(math.isfinite(x) and 0 <= x <= 1 for x in point):
        raise DrawingError(f"{what}: points are shares of the picture, from 0 to 1.")
    return [round(float(x), 5) for x in point]
