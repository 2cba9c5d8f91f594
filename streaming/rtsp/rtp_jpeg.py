"""JPEG pictures cut into RTP payloads (RFC 2435), without a decoder: the tables and the scan are taken as they are."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PAYLOAD_TYPE = 26
CLOCK_HZ = 90_000
PAYLOAD_BYTES = 1_400
TABLES_IN_BAND = 255
"""Q value that says: the quantisation tables travel with every picture and may change."""

DQT, SOF0, SOS = 0xDB, 0xC0, 0xDA
TYPE_OF_SAMPLING = {0x21: 0, 0x22: 1}
"""RFC 2435 type by luma sampling: 4:2:2 and 4:2:0."""


class UnsuitableJpegError(ValueError):
    """A JPEG that RFC 2435 cannot carry: progressive, too large, or sampled in another way."""


@dataclass(frozen=True, slots=True)
class ScannedJpeg:
    """What RTP carries of a baseline JPEG: size in pixels, sampling type, quantisation tables, entropy-coded scan."""

    width: int
    height: int
    type: int
    tables: bytes
    scan: bytes


def scan_jpeg(jpeg: bytes) -> ScannedJpeg:
    """Take a baseline JPEG with standard Huffman tables apart. Raises `UnsuitableJpegError`."""
    tables: dict[int, bytes] = {}
    size = None
    for marker, body, end in _segments(jpeg):
        if marker == DQT:
            tables.update(_tables(body))
        elif marker == SOF0:
            size = struct.unpack("!HH", body[1:5]), body[7]
        elif marker == SOS and size:
            (height, width), sampling = size
            _refuse_unsuitable(width, height, sampling)
            both = b"".join(tables[number] for number in sorted(tables))
            return ScannedJpeg(width, height, TYPE_OF_SAMPLING[sampling], both, jpeg[end:-2])
    raise UnsuitableJpegError("not a baseline JPEG")


def rtp_payloads(picture: ScannedJpeg) -> list[bytes]:
    """Cut a picture into RTP payloads of at most `PAYLOAD_BYTES`, headers included; the last one ends the picture."""
    first = struct.pack("!BBH", 0, 0, len(picture.tables)) + picture.tables
    payloads, offset = [], 0
    while offset < len(picture.scan):
        head = _main_header(picture, offset) + (b"" if offset else first)
        part = picture.scan[offset : offset + PAYLOAD_BYTES - len(head)]
        payloads.append(head + part)
        offset += len(part)
    return payloads


def _main_header(picture: ScannedJpeg, offset: int) -> bytes:
    size = picture.width // 8, picture.height // 8
    return struct.pack("!IBBBB", offset, picture.type, TABLES_IN_BAND, *size)


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield marker, body and the offset after it, up to the start of the scan."""
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        marker, length = jpeg[at + 1], struct.unpack_from("!H", jpeg, at + 2)[0]
        at += 2 + length
        yield marker, jpeg[at - length + 2 : at], at


def _tables(body: bytes) -> Iterator[tuple[int, bytes]]:
    for start in range(0, len(body), 65):
        yield body[start] & 0x0F, body[start + 1 : start + 65]


def _refuse_unsuitable(width: int, height: int, sampling: int) -> None:
    if sampling not in TYPE_OF_SAMPLING:
        raise UnsuitableJpegError(f"sampling {sampling:#x} is neither 4:2:0 nor 4:2:2")
    if width % 8 or height % 8 or max(width, height) > 2040:
        raise UnsuitableJpegError(f"{width}×{height}: sides must be multiples of 8 and at most 2040")
