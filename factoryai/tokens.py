"""Who a bearer token belongs to, for WebSockets: the token comes as a subprotocol, never in the address.

A client opens ``new WebSocket(url, ["bearer", token])``; the server answers with the subprotocol ``bearer``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import TokenError

SUBPROTOCOL = "bearer"


def user_of_token(raw: str) -> Any:
    """Return the enabled user that ``raw`` was given to, or AnonymousUser."""
    judge = JWTAuthentication()
    try:
        return judge.get_user(judge.get_validated_token(raw.encode()))
    except (AuthenticationFailed, TokenError):
        return AnonymousUser()


def token_offered(subprotocols: list[str]) -> str | None:
    """Return the token in ``["bearer", token]``."""
    if SUBPROTOCOL not in subprotocols:
        return None
    return next((item for item in subprotocols if item != SUBPROTOCOL and item.count(".") == 2), None)


async def user_again(scope: Mapping[str, Any]) -> Any:
    """Return who the socket belongs to now: a logout, a disabled account, a new password or an old token end it."""
    if token := token_offered(scope.get("subprotocols", [])):
        return await database_sync_to_async(user_of_token)(token)
    session = type(scope["session"]._wrapped)(scope["session"].session_key)
    return await get_user({"session": session})


class TokenUser:
    """ASGI, innermost: replaces the session's user by the token's where one was offered."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if token := token_offered(scope.get("subprotocols", [])):
            scope = {**scope, "user": await database_sync_to_async(user_of_token)(token)}
        await self.app(scope, receive, send)


class TokenMark:
    """ASGI, outermost: notes that a token was offered, so that the origin check need not insist on a page."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        await self.app({**scope, "has_token": bool(token_offered(scope.get("subprotocols", [])))}, receive, send)
