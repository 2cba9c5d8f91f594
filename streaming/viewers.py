"""How many people watch a camera now, over all web processes."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from streaming import bus


@cache
def _redis(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0))


def count_viewers(slug: str) -> int | None:
    """Return the number of viewers of a camera, at most five seconds old; None while Redis is away."""
    client = _redis(settings.REDIS_URL)
    try:
        keys = list(client.scan_iter(match=bus.viewers_key(slug, "*"), count=1000))
        return sum(int(value or 0) for value in client.mget(keys)) if keys else 0
    except (RedisError, OSError):
        return None
