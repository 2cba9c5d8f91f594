"""Which pages may open a WebSocket: a browser sends the cookies of this site from any page, and checks nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
REFUSED = {"type": "websocket.close", "code": 4403, "reason": "origin not allowed"}


def is_same_place(origin: str, host: str) -> bool:
    """Whether ``origin`` is the page's own address ``host`` (the Host header); default ports may be left out."""
    parts = urlsplit(origin)
    try:
        here = urlsplit(f"//{host}")
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
        return bool(parts.hostname) and parts.hostname == here.hostname and port in _ports(here.port)
    except ValueError:
        return False


def _ports(port: int | None) -> set[int]:
    return {port} if port else {80, 443}


def is_allowed(origin: str | None, host: str, *, listed: Iterable[str]) -> bool:
    """Whether a socket opened by a page of ``origin`` may use the cookies of ``host``. No origin: no."""
    return bool(origin) and (origin in listed or is_same_place(str(origin), host))


class OriginCheck:
    """ASGI: refuses a WebSocket of a foreign page, or of none, unless it carries a token of its own instead of cookies.

    Put it around the session middleware, and the token middleware around it: ``scope["has_token"]`` says there is one.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = {name.lower(): value.decode("latin1") for name, value in scope["headers"]}
        host, origin = headers.get(b"host", ""), headers.get(b"origin")
        is_known_host = validate_host(urlsplit(f"//{host}").hostname or "", settings.ALLOWED_HOSTS)
        by_token = scope.get("has_token") and (origin is None or origin in settings.CORS_ALLOWED_ORIGINS)
        if is_known_host and (by_token or is_allowed(origin, host, listed=settings.CORS_ALLOWED_ORIGINS)):
            await self.app(scope, receive, send)
        else:
            await send(REFUSED)
