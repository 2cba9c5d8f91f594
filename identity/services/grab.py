"""One picture straight from a camera, to enrol somebody who stands in front of it."""

from __future__ import annotations

import queue

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


def grab_picture(camera: Camera, limit_s: float = LIMIT_S) -> np.ndarray:
    """Return the first picture a camera sends now, in full size and masked; opens a reader of its own.

    Raises `Refusal` 422 ``no_picture`` with the reason when none comes within ``limit_s``.
    """
    pictures: queue.Queue[Picture] = queue.Queue()
    try:
        masks = PrivacyMasks(check_masks(camera.privacy_masks))
        capture = Capture(find_order(camera), pictures.put)
    except (SourceError, OSError, ValueError) as error:
        raise Refusal("no_picture", f"The camera cannot be opened: {error}", 422) from error
    try:
        image = pictures.get(timeout=limit_s).image
    except queue.Empty as error:
        ending = capture.ending.message if capture.ending else "It sent no picture in time."
        raise Refusal("no_picture", ending, 422) from error
    finally:
        capture.kill()
    masks.apply(image)
    return image
