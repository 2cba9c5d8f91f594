"""Knows when an installation is ready: its web answers, and its cameras have sent their first pictures."""

from __future__ import annotations

import http.client
import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

LAST_FRAME_KEY = "frames:last:{slug}"
"""Where the camera process keeps each camera's newest picture."""


MISSING_AFTER_S = 60.0


@dataclass(slots=True)
class Report:
    """What the console is told of a start: what is missing, once, and that all is there, however late."""

    logs: Path
    is_over: bool = False
    _has_told_of_web: bool = False
    _has_told_of_cameras: bool = False

    def next_words(self, took_s: float, web_is_there: bool, awaited: Collection[str]) -> str:
        """Return what to say now, mostly nothing. ``awaited`` are the cameras without a picture."""
        if web_is_there and not awaited:
            self.is_over = True
            if self._has_told_of_cameras:
                return f"All pictures are there after {took_s:.0f} s."
            return f"Ready after {took_s:.0f} s. Ctrl-C stops everything."
        if took_s <= MISSING_AFTER_S:
            return ""
        if not web_is_there:
            if self._has_told_of_web:
                return ""
            self._has_told_of_web = True
            return f"The web does not answer after {took_s:.0f} s, still waiting: see {self.logs / 'web.log'}."
        if self._has_told_of_cameras:
            return ""
        self._has_told_of_cameras = True
        return (
            f"Ready, but no picture yet from: {', '.join(awaited)}. "
            f"The page of the camera says why; so does {self.logs / 'cameras.log'}."
        )


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
