"""Where the installation listens: the socket, opened before anything else is touched, and its addresses in words."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

import psutil

from factoryai.embedded.errors import CannotStartError

BACKLOG = 512
WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104  compared with, not bound
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket, which outlives every restart of the web process. Raises `CannotStartError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise CannotStartError(_why_not(error, host, port)) from error
    return listener


def _why_not(error: Exception, host: str, port: int) -> str:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return (
            f"Port {port} is in use by another program. Name a free one: --port {port + 1 if port < 65535 else 8000}."
        )
    if number == errno.EACCES:
        return f"This user may not open port {port}. Name one above 1023: --port 8000."
    if isinstance(error, OverflowError):
        return f"{port} is not a port. Name one from 1024 to 65535: --port 8000."
    return f"{host} is not an address of this machine. Write --host 127.0.0.1, or --host 0.0.0.0 for all of them."


def is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in {"localhost", "::1"}


def urls(host: str, port: int) -> Sequence[str]:
    """Return the addresses to type into a browser, the one on this machine first."""
    if host not in WILDCARDS:
        return [_url(host, port)]
    return [_url("127.0.0.1", port), *(_url(address, port) for address in _own_addresses())]


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _own_addresses() -> Sequence[str]:
    """Return this machine's IPv4 addresses that others can reach."""
    found = [
        item.address
        for items in psutil.net_if_addrs().values()
        for item in items
        if item.family == socket.AF_INET and not item.address.startswith(("127.", "169.254."))
    ]
    return sorted(set(found))
