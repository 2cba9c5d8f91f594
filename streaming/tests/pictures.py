"""Pictures on the frame bus of the tests, for what receives them."""

from __future__ import annotations

import asyncio
import time

import cv2
import numpy as np
from django.conf import settings
from redis import Redis

from streaming import bus

LIMIT_S = 10.0


def jpeg(grey: int = 128, width: int = 640, height: int = 360) -> bytes:
    return cv2.imencode(".jpg", np.full((height, width, 3), grey, np.uint8))[1].tobytes()


class Bench:
    """The camera process's side of the bus, by hand."""

    def __init__(self) -> None:
        self.redis = Redis.from_url(settings.REDIS_URL)

    def close(self) -> None:
        self.redis.flushdb()
        self.redis.close()

    def keep(self, slug: str, *, seq: int = 1, age_s: float = 0.0, state: str = bus.LIVE) -> None:
        """Keep a last picture."""
        self.redis.set(bus.last_key(slug), self.message(slug, bus.FULL, seq, age_s, state))

    def publish(self, slug: str, tier: str, *, seq: int) -> None:
        self.redis.publish(bus.channel(slug, tier), self.message(slug, tier, seq))

    def message(self, slug: str, tier: str, seq: int, age_s: float = 0.0, state: str = bus.LIVE) -> bytes:
        now = time.time()
        return bus.encode_message(bus.Header(slug, tier, seq, now - age_s, now, state, "", 640, 360), jpeg())

    async def watched(self, slug: str, tier: str) -> None:
        """Wait until somebody watches."""
        await self._until(slug, tier, is_watched=True)

    async def left(self, slug: str, tier: str) -> None:
        """Wait until nobody watches any more."""
        await self._until(slug, tier, is_watched=False)

    async def _until(self, slug: str, tier: str, *, is_watched: bool) -> None:
        name = bus.channel(slug, tier)
        async with asyncio.timeout(LIMIT_S):
            while bool(self.redis.pubsub_numsub(name)[0][1]) is not is_watched:
                await asyncio.sleep(0.02)
