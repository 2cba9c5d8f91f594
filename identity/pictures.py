"""Pictures that people send: judged by their first bytes before anything is decoded, then turned upright."""

from __future__ import annotations

import struct

import cv2
import numpy as np

from factoryai.rest import Refusal

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 25_000_000
"""A 25-megapixel picture takes 75 MB decoded; phones send 12. A small file may claim a thousand times that."""

JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers without a length, and those that carry the size of the picture (ITU-T T.81, table B.1)."""

SCAN = 0xDA


def decode_picture(data: bytes) -> np.ndarray:
    """Return an uploaded JPEG or PNG as BGR, turned as its EXIF says.

    Raises `Refusal`: 413 ``image_too_large`` (bytes or pixels), 422 ``not_an_image`` or ``truncated_image``.
    """
    if len(data) > MOST_BYTES:
        raise Refusal("image_too_large", f"The file is larger than {MOST_BYTES // 1024**2} MB.", 413)
    width, height = _read_size(data)
    if width * height > MOST_PIXELS:
        text = f"The picture has {width * height / 1e6:.0f} megapixels; at most {MOST_PIXELS // 1_000_000} are taken."
        raise Refusal("image_too_large", text, 413)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise _no_image()
    return image


def encode_picture(image: np.ndarray, quality: int = 92) -> bytes:
    """Return a BGR picture as JPEG, without any EXIF."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _no_image() -> Refusal:
    return Refusal("not_an_image", "This is not a JPEG or PNG picture.", 422)


def _truncated() -> Refusal:
    return Refusal("truncated_image", "The picture is cut off. Send it again.", 422)


def _read_size(data: bytes) -> tuple[int, int]:
    """Return (width, height) from the header alone, having seen that the end is there."""
    if data.startswith(PNG_START):
        if len(data) < 24 or data[12:16] != b"IHDR":
            raise _no_image()
        if PNG_END not in data[-64:]:
            raise _truncated()
        return struct.unpack(">II", data[16:24])
    if data.startswith(JPEG_START):
        return _read_jpeg_size(data)
    raise _no_image()


def _read_jpeg_size(data: bytes) -> tuple[int, int]:
    at, size = 2, None
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise _no_image()
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in NO_LENGTH:
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in SIZES and at + 9 <= len(data):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            size = width, height
        if marker == SCAN:
            # An EXIF thumbnail has an end of its own, but it lies before the scan.
            if size is None:
                raise _no_image()
            if data.rfind(JPEG_END) < at:
                raise _truncated()
            return size
        at += 2 + length
    raise _truncated()
