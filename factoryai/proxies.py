"""Who is really asking, when a reverse proxy stands in front: only listed proxies are believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import Any

FORWARDED = {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"forwarded"}
SCHEMES = {"http": "ws", "https": "wss"}

Networks = Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]


def client_behind(peer: str, forwarded_for: Iterable[str], trusted: Networks) -> str:
    """Return the last address in the chain that is not a trusted proxy: the rest of it anybody may have written."""
    chain = [part.strip() for line in forwarded_for for part in line.split(",") if part.strip()]
    client = peer
    while chain and is_trusted(client, trusted):
        try:
            client = str(ipaddress.ip_address(chain.pop().strip("[]")))
        except ValueError:
            break
    return client


def is_trusted(address: str, trusted: Networks) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in trusted)


class TrustedProxies:
    """ASGI, around everything: sets the client and the scheme from a trusted proxy, and removes the headers always."""

    def __init__(self, app: Callable[..., Any], trusted: Iterable[str]) -> None:
        self.app = app
        self.trusted: Networks = [ipaddress.ip_network(network) for network in trusted]

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] in {"http", "websocket"}:
            scope = self._cleared(scope)
        await self.app(scope, receive, send)

    def _cleared(self, scope: dict[str, Any]) -> dict[str, Any]:
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in FORWARDED]
        cleared = {**scope, "headers": headers}
        peer, port = scope.get("client") or ("", 0)
        if is_trusted(peer, self.trusted):
            cleared["client"] = (client_behind(peer, _values(scope, b"x-forwarded-for"), self.trusted), port)
            scheme = next(iter(_values(scope, b"x-forwarded-proto")), "").strip().lower()
            if scheme in SCHEMES:
                cleared["scheme"] = SCHEMES[scheme] if scope["type"] == "websocket" else scheme
        return cleared


def _values(scope: dict[str, Any], wanted: bytes) -> list[str]:
    return [value.decode("latin1") for name, value in scope["headers"] if name.lower() == wanted]
