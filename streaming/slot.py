"""The newest picture of one camera, in memory that the reader writes and the camera process reads.

Three places and a sequence number, no queue: the writer never waits, and a reader that is too slow for one picture
gets a newer one. The memory has no name, so it is gone with the last process that holds it, however that ends.
"""

from __future__ import annotations

import mmap
import os
import struct
import tempfile
from dataclasses import dataclass

import numpy as np

PLACES = 3
LONGEST_SIDE = 3840
PICTURE_BYTES = LONGEST_SIDE * 2160 * 3
"""Room for 4K in colour. Pages that are never written take no memory."""

_HEAD = struct.Struct("<QdII")
_PLACE_BYTES = 4096 + PICTURE_BYTES
SIZE = PLACES * _PLACE_BYTES


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A copy of one picture: BGR uint8 of shape (height, width, 3), its sequence number, its capture time."""

    sequence: int
    captured_at: float
    image: np.ndarray


def make_memory() -> int:
    """Return a file descriptor of `SIZE` bytes of nameless memory; the caller closes it."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("factoryai-frames")
    else:
        descriptor, path = tempfile.mkstemp(prefix="factoryai-frames-")
        os.unlink(path)
    os.ftruncate(descriptor, SIZE)
    return descriptor


class FrameSlot:
    """Both ends of the slot; ``descriptor`` is duplicated into the mapping and may be closed afterwards."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, SIZE)

    def write(self, sequence: int, captured_at: float, image: np.ndarray) -> None:
        """Store a picture under ``sequence`` (from 1, growing). One that is too large raises ValueError."""
        height, width = image.shape[:2]
        size = height * width * 3
        if size > PICTURE_BYTES:
            raise ValueError(f"a picture of {width}x{height} does not fit")
        offset = (sequence % PLACES) * _PLACE_BYTES
        _HEAD.pack_into(self._memory, offset, 0, 0.0, 0, 0)
        place = np.frombuffer(self._memory, np.uint8, size, offset + 4096).reshape(height, width, 3)
        np.copyto(place, image)
        _HEAD.pack_into(self._memory, offset, sequence, captured_at, width, height)

    def read(self, sequence: int) -> Picture | None:
        """Return a copy of the picture ``sequence``, or None when it has been overwritten meanwhile."""
        offset = (sequence % PLACES) * _PLACE_BYTES
        found, captured_at, width, height = _HEAD.unpack_from(self._memory, offset)
        size = height * width * 3
        if found != sequence or not 0 < size <= PICTURE_BYTES:
            return None
        image = np.frombuffer(self._memory, np.uint8, size, offset + 4096).reshape(height, width, 3).copy()
        if _HEAD.unpack_from(self._memory, offset)[0] != sequence:
            return None
        return Picture(sequence, captured_at, image)
