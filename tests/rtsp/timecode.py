"""A wall clock drawn into the picture as light and dark cells, so that a reader can measure a picture's age.

The cells lie in one row near the lower edge, placed in fractions of the picture: they survive JPEG, H.264 and scaling
down to a width of 320. Plain Python on purpose: the GStreamer server runs it under a Python without numpy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

CLOCK_BITS = 42
"""Whole milliseconds since 1970: enough until the year 2109."""
CHECK_BITS = 6
CELLS = CLOCK_BITS + CHECK_BITS
COLUMNS = 64
TOP, BOTTOM = 0.86, 0.92
LIGHT, DARK = 235, 16


class TimecodeError(ValueError):
    """The picture carries no time code, or a damaged one."""


def timecode_cells(at: float) -> list[bool]:
    """Return the cells for Unix time ``at`` in seconds, left to right: clock bits, lowest first, then check bits."""
    clock = int(at * 1000)
    return _bits(clock, CLOCK_BITS) + _bits(_check(clock), CHECK_BITS)


def cell_boxes(width: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield ``(x1, y1, x2, y2)`` of each cell in a ``width`` × ``height`` picture, right and lower edge excluded."""
    margin = (COLUMNS - CELLS) // 2
    for cell in range(CELLS):
        left, right = (round((margin + cell + side) * width / COLUMNS) for side in (0, 1))
        yield left, round(TOP * height), right, round(BOTTOM * height)


def draw_timecode(image: Any, at: float) -> None:
    """Draw Unix time ``at`` into ``image``, an array of shape (height, width) or (height, width, 3)."""
    height, width = image.shape[:2]
    for (x1, y1, x2, y2), is_light in zip(cell_boxes(width, height), timecode_cells(at), strict=True):
        image[y1:y2, x1:x2] = LIGHT if is_light else DARK


def read_timecode(image: Any) -> float:
    """Return the Unix time in seconds (to the millisecond) drawn into ``image``.

    Raises `TimecodeError` when the check bits disagree, so a torn or foreign picture is never taken for an age.
    """
    height, width = image.shape[:2]
    lit = [_middle(image, box) > (LIGHT + DARK) / 2 for box in cell_boxes(width, height)]
    clock = _number(lit[:CLOCK_BITS])
    if not clock or _number(lit[CLOCK_BITS:]) != _check(clock):
        raise TimecodeError(f"no time code in this picture of {width}×{height}")
    return clock / 1000


def _middle(image: Any, box: tuple[int, int, int, int]) -> float:
    """Mean brightness of the inner half of a cell: its edges are soft after compression."""
    x1, y1, x2, y2 = box
    in_x, in_y = (x2 - x1) // 4, (y2 - y1) // 4
    return float(image[y1 + in_y : y2 - in_y, x1 + in_x : x2 - in_x].mean())


def _bits(number: int, count: int) -> list[bool]:
    return [bool(number >> bit & 1) for bit in range(count)]


def _number(bits: list[bool]) -> int:
    return sum(1 << bit for bit, is_set in enumerate(bits) if is_set)


def _check(clock: int) -> int:
    return clock % 61
