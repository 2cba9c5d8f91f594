"""Knows when an installation is ready: its web answers, and its cameras have sent their first pictures."""

from __future__ import annotations

import http.client
import json
from collections.abc import Collection
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

LAST_FRAME_KEY = "frames:last:{slug}"
"""Where the camera process keeps each camera's newest picture."""


def web_answers(host: str, port: int, host_name: str) -> bool:
    """Whether the health page answers with its report; ``degraded`` and ``down`` are answers as well."""
    return read_health(host, port, host_name) is not None


def read_health(host: str, port: int, host_name: str) -> dict[str, Any] | None:
    """Return the report of the health page, asked for as ``host_name``; None when there is none within 4 s."""
    connection = http.client.HTTPConnection(host, port, timeout=4)
    try:
        connection.request("GET", "/api/health", headers={"Host": host_name})
        report = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return report if isinstance(report, dict) and "status" in report else None


def cameras_without_picture(redis_url: str, slugs: Collection[str]) -> list[str]:
    """Return those of ``slugs`` whose first picture is not there yet; all of them when Redis does not answer."""
    client = Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
    try:
        return [slug for slug in slugs if not client.exists(LAST_FRAME_KEY.format(slug=slug))]
    except RedisError:
        return list(slugs)
    finally:
        client.close()
