"""Which character stands where in the picture of a line: PP-OCR's recogniser, before anything is decided."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from vehicles.readers.weights import LETTERS, open_net
from vehicles.rules.patterns import ALPHABET

HEIGHT = 48
NARROWEST, WIDEST = 160, 640
"""Pixels of the net's picture: below 160 a short crop gives fewer steps than a plate has characters."""

BLANK = 0
SEPARATORS = " -.·•:|/_'`*,~–—"
"""What stands between the groups of a plate, or is a screw or the edge of one: no character, so as good as a blank."""


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """A line from left to right in small steps.

    ``chances`` (steps, 37): how likely each step shows nothing new (column 0), or a character of `ALPHABET`. ``raw``
    is the text when the likeliest of all the net's characters is taken at each step, ``sure`` the lowest probability
    among those.
    """

    chances: np.ndarray
    raw: str
    sure: float = 0.0

    def then(self, below: Steps) -> Steps:
        """Return the steps of this line and of the one below it as one line, with nothing between."""
        gap = np.zeros((1, self.chances.shape[1]), self.chances.dtype)
        gap[0, BLANK] = 1
        chances = np.concatenate((self.chances, gap, below.chances))
        shown = [line for line in (self, below) if line.raw]
        raw = "\n".join(line.raw for line in shown)
        return Steps(chances, raw, min((line.sure for line in shown), default=0.0))


class LetterNet:
    """Looks at the picture of a line; one may be shared by any number of threads."""

    def __init__(self) -> None:
        self._session = open_net(LETTERS)
        self._input = self._session.get_inputs()[0].name
        known = self._session.get_modelmeta().custom_metadata_map["character"].split("\n")
        self._characters = ["", *known, " "]
        places = {character: place for place, character in enumerate(self._characters)}
        self._capital = [places[letter] for letter in ALPHABET]
        self._small = [places[letter.lower()] for letter in ALPHABET if letter.isalpha()]
        self._separators = [places[mark] for mark in SEPARATORS if mark in places]

    def look(self, image: np.ndarray, stretch: float = 1.0) -> Steps:
        """Look at a BGR picture of one line of text; costs about 7 ms on one core.

        With ``stretch`` the picture is made wider by that much, and there are as many more steps: letters that run
        into each other come apart.
        """
        likely = self._session.run(None, {self._input: prepare(image, stretch)})[0][0]
        chances = np.empty((len(likely), 1 + len(ALPHABET)), np.float32)
        chances[:, BLANK] = likely[:, BLANK] + likely[:, self._separators].sum(axis=1)
        chances[:, 1:] = likely[:, self._capital]
        chances[:, -len(self._small) :] += likely[:, self._small]
        raw, sure = self._likeliest(likely)
        return Steps(chances, raw, sure)

    def _likeliest(self, likely: np.ndarray) -> tuple[str, float]:
        best = likely.argmax(axis=1)
        is_new = np.append(True, best[1:] != best[:-1]) & (best != BLANK)
        sure = float(likely.max(axis=1)[is_new].min(initial=1.0)) if is_new.any() else 0.0
        return "".join(self._characters[place] for place in best[is_new]).strip(), sure


def prepare(image: np.ndarray, stretch: float = 1.0) -> np.ndarray:
    """Return the net's input, float32 of shape (1, 3, 48, width)."""
    height, width = image.shape[:2]
    wide = min(WIDEST, math.ceil(stretch * max(NARROWEST, HEIGHT * width / height)))
    scaled = cv2.resize(image, (wide, HEIGHT)).astype(np.float32)
    return np.ascontiguousarray((scaled / 127.5 - 1).transpose(2, 0, 1)[None])
