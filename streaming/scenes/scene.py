"""What a demonstration scene is: a loop of pictures, each a pure function of its number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np


@dataclass(frozen=True, slots=True)
class Scene:
    """A loop of ``length`` pictures of ``size`` (width, height), meant to be shown at ``fps``.

    ``picture`` makes the picture of a number below ``length``: BGR uint8 of shape (height, width, 3), the caller's own.
    """

    name: str
    title: str
    size: tuple[int, int]
    fps: float
    length: int
    picture: Callable[[int], np.ndarray]

    def frames(self) -> Iterator[np.ndarray]:
        """Yield the loop for ever, one picture when asked for; the caller paces."""
        for index in count():
            yield self.picture(index % self.length)
