"""A picture that is not live: the last one at hand, scaled to its size, dimmed, with its age written on it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from streaming import bus, overlay
from streaming.rules import tier_size

EMPTY_WIDTH, EMPTY_HEIGHT = 1280, 720
QUALITY: Final = 70
NEVER: Final = "NO PICTURE YET"
REASONS: Final = {bus.OFFLINE: "camera offline", bus.DISABLED: "camera switched off"}


def draw(header: bus.Header, jpeg: bytes, age_s: float) -> tuple[bus.Header, bytes]:
    """Return the dimmed JPEG and its header with width and height; an unreadable JPEG counts as none.

    Costs 3 to 10 ms: decode, draw, encode.
    """
    note = header.note or REASONS.get(header.state, "")
    picture = _decode(jpeg)
    if picture is None:
        drawn = overlay.placeholder(*tier_size(header.tier, EMPTY_WIDTH, EMPTY_HEIGHT), NEVER, note)
    else:
        drawn = overlay.draw_stale(_scale(picture, header.tier), age_s, note)
    return _encode(header, drawn)


def fit(last: tuple[bus.Header, bytes], tier: str) -> tuple[bus.Header, bytes]:
    """Return a full-size picture scaled to ``tier``, untouched when it is full size that is wanted or unreadable."""
    header, jpeg = last
    picture = _decode(jpeg) if tier != header.tier else None
    if picture is None:
        return header.with_changes(tier=tier), jpeg
    return _encode(header.with_changes(tier=tier), _scale(picture, tier))


def _decode(jpeg: bytes) -> np.ndarray | None:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) if jpeg else None


def _scale(image: np.ndarray, tier: str) -> np.ndarray:
    height, width = image.shape[:2]
    size = tier_size(tier, width, height)
    return image if size == (width, height) else cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _encode(header: bus.Header, image: np.ndarray) -> tuple[bus.Header, bytes]:
    height, width = image.shape[:2]
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return header.with_changes(width=width, height=height), encoded.tobytes()
