"""Knows when an installation is ready: its web answers, and its cameras have sent their first pictures."""

from __future__ import annotations

import http.client
import json
from collections.abc import Collection

from redis import Redis
from redis.exceptions import RedisError

LAST_FRAME_KEY = "frames:last:{slug}"
"""Where the camera process keeps each camera's newest picture."""


def web_answers(host: str, port: int, host_name: str) -> bool:
    """Whether the health page answers with its report; ``degraded`` and ``down`` are answers as well."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/api/health", headers={"Host": host_name})
        report = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return isinstance(report, dict) and "status" in report


def cameras_without_picture(redis_url: str, slugs: Collection[str]) -> list[str]:
    """Return those of ``slugs`` whose first picture is not there yet; all of them when Redis does not answer."""
    client = Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
    try:
        return [slug for slug in slugs if not client.exists(LAST_FRAME_KEY.format(slug=slug))]
    except RedisError:
        return list(slugs)
    finally:
        client.close()
