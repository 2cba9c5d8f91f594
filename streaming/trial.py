"""Trying an address before it is saved: one reader, a few seconds, the first picture or the reason."""

from __future__ import annotations

import base64
import queue
import threading
import time
from dataclasses import dataclass

import cv2

from factoryai.rest import Refusal
from streaming.capture import Capture
from streaming.fleet import order_for
from streaming.rules import tier_size
from streaming.slot import Picture
from streaming.sources import Source, SourceError
from streaming.worker import shrink

LIMIT_S = 8.0
TICK_S = 0.1
AT_ONCE = 3
_places = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True)
class Trial:
    """How it went; ``jpeg`` is base64 of a picture of medium size, ``width`` and ``height`` those of the source."""

    code: str
    message: str
    width: int | None = None
    height: int | None = None
    jpeg: str | None = None

    @property
    def ok(self) -> bool:
        return self.code == "ok"


def try_source(source: Source, limit_s: float = LIMIT_S) -> Trial:
    """Open a checked source and return its first picture, or why there was none within ``limit_s`` seconds.

    Raises `Refusal` 429 while `AT_ONCE` others are being tried by this process: each is a reader of its own.
    """
    if not _places.acquire(blocking=False):
        raise Refusal("too_many_trials", "Other addresses are being tried. Try again in a few seconds.", 429)
    try:
        return _try(source, limit_s)
    finally:
        _places.release()


def _try(source: Source, limit_s: float) -> Trial:
    pictures: queue.Queue[Picture] = queue.Queue()
    try:
        capture = Capture(order_for(source, fps=5), pictures.put)
    except SourceError as error:
        return Trial(error.code, str(error))
    except OSError:
        return Trial("reader_failed", "The reader could not be started on this machine.")
    try:
        return _await_picture(capture, pictures, time.monotonic() + limit_s)
    finally:
        capture.kill()


def _await_picture(capture: Capture, pictures: queue.Queue[Picture], end: float) -> Trial:
    while time.monotonic() < end:
        try:
            return _show(pictures.get(timeout=TICK_S))
        except queue.Empty:
            if capture.ending is not None:
                return Trial(capture.ending.code, capture.ending.message)
    return Trial("no_picture", "The camera answered, but sent no picture in time.")


def _show(picture: Picture) -> Trial:
    height, width = picture.image.shape[:2]
    image = shrink(picture.image, tier_size("medium", width, height))
    jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()
    return Trial("ok", f"A picture of {width} × {height}.", width, height, base64.b64encode(jpeg).decode())
