"""`manage.py serve`: the web process, on a listening socket of our own."""

from __future__ import annotations

import argparse
import gc
import socket
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand, CommandError

from factoryai.alerts.late_jobs import Watchman
from factoryai.embedded import address
from factoryai.embedded.errors import CannotStartError

UNSENT_LIMIT_BYTES = 16 * 1024
"""TCP_NOTSENT_LOWAT: without it Linux takes up to 4 MB of pictures that a slow viewer sees seconds later (measured)."""
TCP_NOTSENT_LOWAT = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
"""25 on Linux; Python names it from 3.12 on."""
TCP_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", 18)
LOST_PEER_MS = 10_000
"""TCP_USER_TIMEOUT: a peer that acknowledged nothing for so long is gone; the kernel's own limit is 15 minutes."""
GRACE_S = 3
"""Streams never end by themselves: without a limit the process would not stop while anybody watches (measured)."""
COLLECT_AT = (700, 5, 2)
"""Python's own limits, but what outlived two collections is looked at after 10 of them instead of 100."""


class Command(BaseCommand):
    help = "Serve pages, API, pictures and WebSockets."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 opens it to the network")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--fd", type=int, help="a listening socket that was opened before, instead of an address")
        parser.add_argument("--log-level", default="warning", choices=("debug", "info", "warning", "error"))

    def handle(self, *args: object, **options: Any) -> None:
        try:
            listener = _listener(options)
        except CannotStartError as refusal:
            raise CommandError(str(refusal)) from refusal
        prepare(listener)
        if options["fd"] is None:
            for url in address.urls(options["host"], listener.getsockname()[1]):
                self.stdout.write(f"Open {url}")
            self.stdout.flush()
        config = configuration(options["log_level"])
        config.load()
        set_aside_what_is_loaded()
        Watchman().start()
        uvicorn.Server(config).run(sockets=[listener])


def _listener(options: dict[str, Any]) -> socket.socket:
    if options["fd"] is not None:
        return take(options["fd"])
    return address.listen(options["host"], options["port"])


def take(descriptor: int) -> socket.socket:
    """Return the socket behind a descriptor. Raises `CannotStartError`."""
    try:
        listener = socket.socket(fileno=descriptor)
        if listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return listener
    except OSError:
        pass
    raise CannotStartError(f"Descriptor {descriptor} is not a listening socket. Leave --fd out, or let `up` give one.")


def prepare(listener: socket.socket) -> None:
    """Set what every connection inherits from the listening socket; other systems than Linux lack the options."""
    for name, value in (
        (TCP_NOTSENT_LOWAT, UNSENT_LIMIT_BYTES),
        (TCP_USER_TIMEOUT, LOST_PEER_MS),
    ):
        try:
            listener.setsockopt(socket.IPPROTO_TCP, name, value)
        except OSError:
            continue


def set_aside_what_is_loaded() -> None:
    """Let the collector of cycles look only at what requests leave behind.

    A request is a cycle. Beside 150,000 objects that live for ever Python put a collection of old ones off for minutes:
    the process grew by 1.3 MB a minute with a viewer a second, and one collection held all pictures up for 40 ms.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # forgets how many objects there were, by which the next one is put off
    gc.set_threshold(*COLLECT_AT)


def configuration(log_level: str) -> uvicorn.Config:
    """Return how uvicorn runs: pictures are not compressed again, and forwarded headers are judged by our own rule."""
    return uvicorn.Config(
        "factoryai.asgi:application",
        log_level=log_level,
        access_log=log_level in {"debug", "info"},
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=65_536,
        timeout_graceful_shutdown=GRACE_S,
    )
