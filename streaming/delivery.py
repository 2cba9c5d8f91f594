"""Around the ASGI application, for the two addresses that send pictures for hours: `/api/video_feed` and `/ws/wall`.

It ends viewers that stop reading, and keeps a viewer from holding a thread and a database connection.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

from django.core.handlers.asgi import ASGIHandler

log = logging.getLogger(__name__)

FEED_PATH: Final = "/api/video_feed"
WALL_PATH: Final = "/ws/wall"
STALL_LIMIT_S: Final = 5.0
LOOK_EVERY_S: Final = 0.25
FLUSHES: Final = {
    ("http", FEED_PATH): {"type": "http.response.body", "body": b"", "more_body": True},
    ("websocket", WALL_PATH): {"type": "websocket.send", "bytes": b""},
}
"""Messages without content: sending one returns when what was sent before has left for the socket."""

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class FeedHandler(ASGIHandler):
    """Django for the feed: the middleware of every viewer shares the one thread of the process.

    Django's own handler gives each request a thread for as long as it lasts, and with it a database connection: 300
    viewers would hold 300 of both for hours. Nothing slow runs in that thread; the pictures never touch it.
    """

    @classmethod
    def chunk_bytes(cls, data: bytes) -> Iterable[tuple[bytes, bool]]:
        """Let a picture go out in one piece."""
        return ((data, True),)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.handle(scope, receive, send)


class Sending:
    """The send of one viewer, watched for progress."""

    def __init__(self, send: Send, flush: Message) -> None:
        self._send, self._flush = send, flush
        self._transport = getattr(getattr(send, "__self__", None), "transport", None)
        self._task = asyncio.current_task()
        self._is_bare = False
        self._is_busy = False
        self._progress_at = 0.0
        self._left_bytes: int | None = None

    async def __call__(self, message: Message) -> None:
        """Send, and wait until the socket took it: the next picture is then chosen when there is room for it."""
        self._is_busy, self._progress_at, self._left_bytes = True, time.monotonic(), None
        try:
            if self._is_bare and message.get("more_body"):
                if not self._transport.is_closing():
                    self._transport.write(message["body"])
            else:
                await self._send(self._begin(message) if message["type"] == "http.response.start" else message)
            if _holds_picture(message) and self._unsent_bytes() != 0:
                await self._send(self._flush)
        finally:
            self._is_busy = False

    def _begin(self, start: Message) -> Message:
        """Let a stream end with its connection, without chunks: framing them copies each picture for each viewer.

        Left as it is for an answer of known length, and on a server whose response is not uvicorn's with httptools.
        """
        response = getattr(self._send, "__self__", None)
        names = {name.lower() for name, _ in start["headers"]}
        if b"content-length" in names or getattr(response, "chunked_encoding", False) is not None:
            return start
        response.chunked_encoding = False
        self._is_bare = True
        return {**start, "headers": [*start["headers"], (b"connection", b"close")]}

    def _unsent_bytes(self) -> int | None:
        """Return what still waits for the socket, None when that is not known. A closed socket refuses to be asked."""
        if self._transport is None:
            return None
        return 0 if self._transport.is_closing() else self._transport.get_write_buffer_size()

    def look(self, at: float) -> None:
        """End the viewer when its socket took nothing for `STALL_LIMIT_S`."""
        if not self._is_busy:
            return
        left = self._unsent_bytes() or 0
        if self._left_bytes is not None and left < self._left_bytes:
            self._progress_at = at
        self._left_bytes = left
        if at - self._progress_at >= STALL_LIMIT_S:
            self._end()

    def _end(self) -> None:
        """Cut the connection: closing it would first wait for bytes that nobody reads."""
        self._is_busy = False
        log.info("A viewer took nothing for %.0f s and was cut off", STALL_LIMIT_S)
        if self._transport is not None:
            self._transport.abort()
        elif self._task is not None:
            self._task.cancel()


def _holds_picture(message: Message) -> bool:
    return bool(message.get("more_body") or message.get("bytes"))


class WithFeed:
    """Django for HTTP, with the feed's address served by `FeedHandler`."""

    def __init__(self, django: Application) -> None:
        self._django, self._feed = django, FeedHandler()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._feed if scope["path"] == FEED_PATH else self._django)(scope, receive, send)


class ViewerGuard:
    """The outermost ASGI application: watches what the viewers' addresses send; everything else passes untouched."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._sendings: set[Sending] = set()
        self._watchdog: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        flush = FLUSHES.get((scope["type"], scope.get("path")))
        if flush is None:
            await self._application(scope, receive, send)
            return
        sending = Sending(send, flush)
        self._sendings.add(sending)
        if self._watchdog is None or self._watchdog.done():
            self._watchdog = asyncio.create_task(self._watch())
        try:
            await self._application(scope, receive, sending)
        finally:
            self._sendings.discard(sending)

    async def _watch(self) -> None:
        """One watchdog for all viewers: a timer for each send would cost more than the send."""
        while self._sendings:
            await asyncio.sleep(LOOK_EVERY_S)
            at = time.monotonic()
            for sending in tuple(self._sendings):
                sending.look(at)
