"""The message that carries one picture from the camera process to the web, and to the wall page: pure, no connection.

A message is a 4-byte big-endian length, that many bytes of JSON (`Header`), and the JPEG. An empty JPEG says that only
the state changed; the receiver keeps the picture it has.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

FULL: Final = "full"
MEDIUM: Final = "medium"
TILE: Final = "tile"
TIERS: Final = (FULL, MEDIUM, TILE)
"""Sizes of a picture, largest first."""

LIVE: Final = "live"
STALE: Final = "stale"
OFFLINE: Final = "offline"
DISABLED: Final = "disabled"
STATES: Final = (LIVE, STALE, OFFLINE, DISABLED)

MAX_HEADER_BYTES: Final = 4096
"""More is not a header of ours: garbage must not make the receiver parse a megabyte of JSON."""

_LENGTH: Final = struct.Struct(">I")


class BrokenMessageError(ValueError):
    """Bytes that are not a message of this layout."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a message says about its picture. Instants are Unix seconds; width and height are pixels of the JPEG."""

    camera: str
    tier: str
    seq: int
    captured_at: float
    sent_at: float
    state: str = LIVE
    note: str = ""
    width: int = 0
    height: int = 0

    @property
    def age_s(self) -> float:
        """Age of the picture when the message was sent; never negative, clocks of two machines may differ."""
        return max(0.0, self.sent_at - self.captured_at)

    def with_changes(self, **changes: Any) -> Header:
        return replace(self, **changes)


_KINDS: Final = {"str": str, "int": int, "float": (int, float)}
_FIELDS: Final = {field.name: _KINDS[str(field.type)] for field in fields(Header)}


def encode_message(header: Header, jpeg: bytes = b"") -> bytes:
    """Return the bytes of one message. Costs one copy of the JPEG."""
    head = json.dumps(asdict(header), separators=(",", ":")).encode()
    return b"".join((_LENGTH.pack(len(head)), head, jpeg))


def decode_message(data: bytes) -> tuple[Header, bytes]:
    """Return header and JPEG; unknown header fields are ignored. Raises `BrokenMessageError`."""
    if len(data) < _LENGTH.size:
        raise BrokenMessageError("shorter than its length field")
    (length,) = _LENGTH.unpack_from(data)
    end = _LENGTH.size + length
    if length > MAX_HEADER_BYTES or end > len(data):
        raise BrokenMessageError("the header does not fit")
    return _read_header(data[_LENGTH.size : end]), data[end:]


def _read_header(head: bytes) -> Header:
    try:
        values = json.loads(head)
    except ValueError as error:
        raise BrokenMessageError("the header is not JSON") from error
    if not isinstance(values, dict):
        raise BrokenMessageError("the header is not an object")
    try:
        header = Header(**{name: value for name, value in values.items() if name in _FIELDS})
    except TypeError as error:
        raise BrokenMessageError("the header lacks a field") from error
    for name, kind in _FIELDS.items():
        if not isinstance(getattr(header, name), kind):
            raise BrokenMessageError(f"{name} is of the wrong kind")
    if header.tier not in TIERS or header.state not in STATES:
        raise BrokenMessageError("unknown tier or state")
    return header


def channel(slug: str, tier: str) -> str:
    """Name of the Redis channel that carries one camera in one size."""
    return f"frames:{slug}:{tier}"


def parse_channel(name: str) -> tuple[str, str]:
    """Return slug and tier of a channel made by `channel`."""
    _, slug, tier = name.split(":")
    return slug, tier


def last_key(slug: str) -> str:
    """Redis key that holds the newest full-size message of a camera, written once a second."""
    return f"frames:last:{slug}"


def viewers_key(slug: str, process: str) -> str:
    """Redis key that holds how many people watch a camera through one web process; it expires by itself."""
    return f"viewers:{slug}:{process}"


def shown_by_key(slug: str) -> str:
    """Redis key that names the camera process that shows a camera; it expires by itself."""
    return f"frames:by:{slug}"
