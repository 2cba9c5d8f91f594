"""Makes the pictures of a served camera, once for all its viewers, and only while somebody watches."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from streaming.rtsp.rtp_jpeg import CLOCK_HZ, rtp_payloads, scan_jpeg

JPEG_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Published:
    """One picture, ready to send: its number, its RTP time stamp, its RTP payloads."""

    number: int
    stamp: int
    payloads: list[bytes]


class Publisher:
    """Holds the newest picture. A viewer that falls behind skips pictures, as with a real camera."""

    def __init__(self, pictures: Iterator[np.ndarray], fps: float) -> None:
        self.pictures, self.fps, self.viewers = pictures, fps, 0
        self.newest: Published | None = None
        self._fresh = asyncio.Event()

    async def run(self) -> None:
        """Publish for ever at ``fps``; late pictures are not made up for."""
        number, due = 0, time.monotonic()
        while True:
            due = max(due + 1 / self.fps, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
            if self.viewers:
                number += 1
                self._publish(await asyncio.to_thread(self._make, number))

    async def after(self, number: int) -> Published:
        """Wait for a picture newer than ``number`` and return the newest there is."""
        while self.newest is None or self.newest.number <= number:
            await self._fresh.wait()
        return self.newest

    def _make(self, number: int) -> Published:
        stamp = int(time.monotonic() * CLOCK_HZ) & 0xFFFFFFFF
        picture = next(self.pictures)
        _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return Published(number, stamp, rtp_payloads(scan_jpeg(jpeg.tobytes())))

    def _publish(self, picture: Published) -> None:
        self.newest = picture
        self._fresh.set()
        self._fresh.clear()
