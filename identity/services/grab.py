"""Pictures straight from a camera, to enrol somebody who stands in front of it."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np

from factoryai.rest import Refusal
from streaming.capture import Capture
from streaming.drawings import check_masks
from streaming.fleet import find_order
from streaming.masks import PrivacyMasks
from streaming.models import Camera
from streaming.slot import Picture
from streaming.sources import SourceError

LIMIT_S = 8.0
LOOK_EVERY_S = 0.25


def watch_camera(camera: Camera) -> Iterator[np.ndarray]:
    """Yield what a camera sees from now on, each time the newest picture, in full size and masked, for `LIMIT_S`.

    Opens a reader of its own. Raises `Refusal` 422 ``no_picture`` with the reason when not one picture comes.
    """
    pictures: queue.Queue[Picture] = queue.Queue()
    try:
        masks = PrivacyMasks(check_masks(camera.privacy_masks))
        capture = Capture(find_order(camera), pictures.put)
    except (SourceError, OSError, ValueError) as error:
        raise Refusal("no_picture", f"The camera cannot be opened: {error}", 422) from error
    try:
        yield from _newest(pictures, capture, masks, time.monotonic() + LIMIT_S)
    finally:
        capture.kill()


def _newest(
    pictures: queue.Queue[Picture], capture: Capture, masks: PrivacyMasks, ends_at: float
) -> Iterator[np.ndarray]:
    has_come = False
    while time.monotonic() < ends_at and not (capture.ending and pictures.empty()):
        try:
            image = pictures.get(timeout=LOOK_EVERY_S).image
        except queue.Empty:
            continue
        while not pictures.empty():
            image = pictures.get().image
        has_come = True
        masks.apply(image)
        yield image
    if not has_come:
        ending = capture.ending.message if capture.ending else "It sent no picture in time."
        raise Refusal("no_picture", ending, 422)


def grab_picture(camera: Camera) -> np.ndarray:
    """Return the first picture a camera sends now; raises as `watch_camera` does."""
    with closing(watch_camera(camera)) as pictures:
        return next(pictures)
