"""`/api/video_feed`: one camera as `multipart/x-mixed-replace`, for an `<img>` or anything that reads MJPEG.

Each viewer is sent the newest picture it has not had; nothing is queued for it. `delivery` ends one that stops reading.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from django.http import StreamingHttpResponse

from factoryai.rest import Refusal
from streaming import bus
from streaming.hub import OPENING, Channel, Hub, Payload, Wake
from streaming.ladder import Ladder
from streaming.permits import ASK_EVERY_S, Permits
from streaming.rules import Pace

CONTENT_TYPE: Final = "multipart/x-mixed-replace; boundary=frame"
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
FPS_LIMIT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a viewer asked for; ``fps`` None means every picture there is."""

    tier: str = bus.FULL
    fps: float | None = None

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Read ``tier`` and ``fps``. Raises `Refusal` with the code ``unknown_tier`` or ``bad_fps``."""
        tier = values.get("tier") or bus.FULL
        if tier not in bus.TIERS:
            raise Refusal("unknown_tier", f"Sizes are {', '.join(bus.TIERS)}.", fields={"tier": "unknown"})
        return cls(tier, _parse_fps(values.get("fps")))


def _parse_fps(value: Any) -> float | None:
    if value in (None, ""):
        return None
    try:
        fps = float(value)
    except (TypeError, ValueError, OverflowError):
        fps = 0.0
    if not 0 < fps <= FPS_LIMIT:
        text = f"Pictures per second are more than 0 and at most {FPS_LIMIT:.0f}."
        raise Refusal("bad_fps", text, fields={"fps": "out of range"})
    return fps


@dataclass(frozen=True, slots=True)
class Viewing:
    """Who watches which camera, and how."""

    user_id: int
    camera_id: int
    slug: str
    stream_fps: float
    wish: Wish


class PictureStream:
    """The pictures of one viewer, as an async iterator of bytes.

    Not a generator: Django closes a response from a thread, and a generator that waits for its picture does not notice.
    `close` may be called from any thread, more than once.
    """

    def __init__(self, viewing: Viewing, hub: Hub, permits: Permits, clock: Callable[[], float] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._clock = clock or self._loop.time
        self._viewing, self._hub, self._permits = viewing, hub, permits
        self._ladder = Ladder(viewing.wish.tier, 1.0 / (viewing.wish.fps or viewing.stream_fps), self._clock())
        self._pace = Pace(viewing.wish.fps) if viewing.wish.fps else None
        self._wake = Wake(self._loop)
        self._channel: Channel | None = None
        self._seen: Payload | None = None
        self._sent_at: float | None = None
        self._ask_at = self._clock() + ASK_EVERY_S
        self._is_closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_closed:
            raise StopAsyncIteration
        if self._channel is None:
            self._channel = self._hub.join(self._viewing.slug, self._viewing.wish.tier, self._wake)
            return OPENING
        self._climb()
        payload = await self._next_payload()
        self._sent_at = self._clock()
        return payload.part

    async def aclose(self) -> None:
        """Leave the hub, from its own loop."""
        self._leave()

    def close(self) -> None:
        """Leave the hub."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self._is_closed = True
        self._seen = None  # a request is in cycles: its picture must not wait for their collection
        if self._channel is not None:
            self._hub.leave(self._channel, self._wake)
            self._channel = None

    def _climb(self) -> None:
        """Judge the last send, and take another size of picture when the ladder says so."""
        if self._sent_at is None:
            return
        now = self._clock()
        tier = self._ladder.sent(now - self._sent_at, now)
        if tier != self._channel.tier:
            before, self._channel = self._channel, self._hub.join(self._viewing.slug, tier, self._wake)
            self._hub.leave(before, self._wake)

    async def _next_payload(self) -> Payload:
        """Return the newest picture that is due. Raises StopAsyncIteration when the person may no longer watch."""
        while True:
            self._wake.clear()
            if self._clock() >= self._ask_at:
                await self._ask()
            payload = self._channel.newest
            if payload is not None and payload is not self._seen:
                self._seen = payload
                if self._is_due(payload):
                    return payload
            else:
                await self._wake.wait()

    def _is_due(self, payload: Payload) -> bool:
        return self._pace is None or payload.header.state != bus.LIVE or self._pace.is_due(self._clock())

    async def _ask(self) -> None:
        self._ask_at = self._clock() + ASK_EVERY_S
        if not await self._permits.may_watch(self._viewing.user_id, self._viewing.camera_id):
            raise StopAsyncIteration


class PictureResponse(StreamingHttpResponse):
    """The answer whose stream Django iterates itself, and so closes in its own loop when the viewer goes.

    Django otherwise puts two generators around it, which are closed only when they are collected.
    """

    def __init__(self, pictures: PictureStream, **options: Any) -> None:
        super().__init__(pictures, content_type=CONTENT_TYPE, **options)
        self._pictures = pictures

    def __aiter__(self) -> PictureStream:
        return self._pictures
