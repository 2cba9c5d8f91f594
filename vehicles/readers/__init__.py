"""Engines that read number plates, and the shortest way to have one picture read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from vehicles.readers.base import PlateReader, PlateText, ReaderError
from vehicles.rules.formats import PlateFormat, compile_format

__all__ = ["PlateReader", "PlateText", "ReaderError", "load_reader", "read_plate_picture"]


def load_reader(formats: Sequence[PlateFormat] = ()) -> PlateReader:
    """Return the reader of this process, which also knows a site's own formats; its nets are loaded once.

    Raises `ReaderError` when the weights are missing.
    """
    return _reader(tuple((one.name, one.pattern) for one in formats))


@lru_cache(maxsize=32)
def _reader(formats: tuple[tuple[str, str], ...]) -> PlateReader:
    from vehicles.readers.ppocr import PpOcrReader

    return PpOcrReader([compile_format(name, pattern) for name, pattern in formats])


def read_plate_picture(image: np.ndarray, formats: Sequence[PlateFormat] = ()) -> PlateText | None:
    """Return the surest plate in a BGR uint8 picture of a plate or of a whole vehicle; None when there is none."""
    plates = load_reader(formats).read(image)
    return plates[0] if plates else None
