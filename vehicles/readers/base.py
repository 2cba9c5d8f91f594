"""What every plate engine offers: the number plates that stand in a picture, and how sure each character is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from streaming.frames import Box


class ReaderError(Exception):
    """An engine cannot be used; ``code`` says why, the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class PlateText:
    """One plate as it was read once.

    ``text`` are capital letters and digits in the form of a registration mark. What looks like a plate but has the form
    of none (a foreign one, say) is given as it stands, and never as sure as a gate asks. ``confidence`` (0–1) is that
    of its weakest place: the lowest probability of a character, or lower when a character may have been passed over.
    ``characters`` are the probabilities of the characters of ``text``, one each. ``candidates`` are the likeliest other
    marks with the share of belief each has, the best first, ``text`` among them. ``box`` is in pixels of the picture.
    ``raw`` is what stands there without any form forced upon it: free text, to be treated as such; lines are joined
    by a line break.
    """

    text: str
    confidence: float
    characters: tuple[float, ...]
    candidates: tuple[tuple[str, float], ...]
    box: Box
    raw: str


class PlateReader(Protocol):
    """Reads plates. One reader may be shared by any number of threads."""

    def read(self, image: np.ndarray) -> Sequence[PlateText]:
        """Return the plates in a BGR uint8 picture of shape (height, width, 3), the surest first; none is normal.

        Raises ValueError for anything that is no such picture.
        """
        ...
