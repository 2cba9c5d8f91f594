"""Letters and digits of number plates as strokes of even width, as the pressed letters of Indian plates have.

Each character is a list of lines on a grid five wide and eight high, (0, 0) at the upper left; its corners are cut off,
which a round pen turns into curves.
"""

from __future__ import annotations

import cv2
import numpy as np

GRID = (5, 8)
ADVANCE = 7.2
SPACE = 0.4
PEN = 1.25
"""Width of a stroke in grid units: a seventh of the letter height, as on the plates."""
SUBPIXEL_BITS = 4

_O = "10 40 51 57 48 18 07 01 10"
STROKES = {
    "0": [_O], "1": ["12 30 38"], "2": ["02 01 10 40 51 53 08 58"],
    "3": ["01 10 40 51 53 44 24", "44 55 57 48 18 07"], "4": ["48 40 06 56"], "5": ["50 00 03 43 54 57 48 18 07"],
    "6": ["41 30 10 01 07 18 48 57 54 43 13 04"], "7": ["00 50 28"],
    "8": ["10 40 51 53 44 14 03 01 10", "14 05 07 18 48 57 55 44"], "9": ["17 28 48 57 51 40 10 01 04 15 45 54"],
    "A": ["08 20 30 58", "15 45"], "B": ["00 08 48 57 55 44 04", "44 53 51 40 00"], "C": ["51 40 10 01 07 18 48 57"],
    "D": ["00 08 38 56 52 30 00"], "E": ["50 00 08 58", "04 44"], "F": ["50 00 08", "04 44"],
    "G": ["51 40 10 01 07 18 48 57 54 34"], "H": ["00 08", "50 58", "04 54"], "I": ["20 28"],
    "J": ["40 47 38 18 07"], "K": ["00 08", "50 05", "23 58"], "L": ["00 08 58"], "M": ["08 00 25 50 58"],
    "N": ["08 00 58 50"], "O": [_O], "P": ["08 00 40 51 54 45 05"], "Q": [_O, "36 58"],
    "R": ["08 00 40 51 53 44 04", "24 58"], "S": ["51 40 10 01 03 14 44 55 57 48 18 07"], "T": ["00 50", "20 28"],
    "U": ["00 07 18 48 57 50"], "V": ["00 28 50"], "W": ["00 18 23 48 50"], "X": ["00 58", "50 08"],
    "Y": ["00 24 50", "24 28"], "Z": ["00 50 08 58"],
}  # fmt: skip


def text_width(text: str, height: float) -> float:
    """Width in pixels of ``text`` in letters ``height`` pixels tall; a space is narrower than a letter."""
    unit = height / GRID[1]
    return (sum(ADVANCE * (SPACE if letter == " " else 1) for letter in text) - (ADVANCE - GRID[0])) * unit


def draw_text(image: np.ndarray, text: str, corner: tuple[float, float], height: float, colour: tuple) -> None:
    """Draw capital letters and digits from the upper left ``corner``. Raises KeyError for any other character."""
    unit, x = height / GRID[1], corner[0]
    for letter in text:
        if letter == " ":
            x += ADVANCE * unit * SPACE
            continue
        for stroke in STROKES[letter]:
            points = np.float32(
                [[x + int(point[0]) * unit, corner[1] + int(point[1]) * unit] for point in stroke.split()]
            )
            fixed = np.round(points * 2**SUBPIXEL_BITS).astype(np.int32)
            cv2.polylines(image, [fixed], False, colour, max(1, round(PEN * unit)), cv2.LINE_AA, SUBPIXEL_BITS)
        x += ADVANCE * unit
