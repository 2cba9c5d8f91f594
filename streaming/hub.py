"""The receiving side of the frame bus in a web process: one Redis connection, one newest picture per camera and size.

A channel is subscribed to when its first viewer comes and left after its last. Nothing is queued: viewers ask for the
newest picture they have not sent. A picture older than `STALE_AFTER_S` is dimmed and given its age once a second, once
for all viewers, whoever failed: the camera, its process, or Redis.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from streaming import bus, dimming
from streaming.rules import OFFLINE_AFTER_S, STALE_AFTER_S

log = logging.getLogger(__name__)

TICK_S: Final = 0.25
RENDER_EVERY_S: Final = 1.0
BEAT_EVERY_S: Final = 1.0
SILENCE_S: Final = 3.0
COUNT_EVERY_S: Final = 5.0
COUNT_LIFE_S: Final = 15
RECONNECT_S: Final = (0.2, 0.5, 1.0, 2.0)
FIRST_PICTURE_LIMIT_S: Final = 1.0
CONNECTION_LOST: Final = "Picture connection lost"
BOUNDARY: Final = b"frame"
OPENING: Final = b"--" + BOUNDARY + b"\r\n"

Render = Callable[[bus.Header, bytes, float], tuple[bus.Header, bytes]]


class Wake:
    """An event for one waiter. `asyncio.Event` asks which loop runs, a system call, each time it is waited for."""

    __slots__ = ("_is_set", "_loop", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._is_set = loop, False
        self._waiter: asyncio.Future[None] | None = None

    def set(self) -> None:
        self._is_set = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def clear(self) -> None:
        self._is_set = False

    async def wait(self) -> None:
        if not self._is_set:
            self._waiter = self._loop.create_future()
            await self._waiter


@dataclass(frozen=True, slots=True, eq=False)
class Payload:
    """One picture, built once for all viewers: ``part`` for MJPEG, ``message`` for the wall."""

    header: bus.Header
    jpeg: bytes
    part: bytes
    message: bytes


def make_payload(header: bus.Header, jpeg: bytes, age_s: float, message: bytes | None = None) -> Payload:
    """Build what viewers are sent; ``message`` is given when it came over the bus as it is."""
    head = (
        f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\nX-Timestamp: {header.captured_at:.3f}\r\n"
        f"X-State: {header.state}\r\nX-Frame-Age: {age_s:.3f}\r\n\r\n"
    )
    # The next boundary follows the JPEG at once: Chrome paints a part only when it sees the end of it.
    part = b"".join((head.encode(), jpeg, b"\r\n", OPENING))
    return Payload(header, jpeg, part, message or bus.encode_message(header, jpeg))


class Channel:
    """The newest picture of one camera in one size, and the viewers to wake when it changes."""

    def __init__(self, slug: str, tier: str) -> None:
        self.slug, self.tier = slug, tier
        self.viewers: Counter[Wake] = Counter()
        self.newest: Payload | None = None
        self.picture: tuple[bus.Header, bytes] | None = None
        self.said: bus.Header | None = None
        self._pictured_at = 0.0
        self._heard_at = self._opened_at = time.monotonic()
        self._rendered_at = 0.0

    def hear(self, header: bus.Header, jpeg: bytes, message: bytes | None = None) -> None:
        """Take one message from the bus; the age of its picture is counted from the sender's clock."""
        self._heard_at, self.said = time.monotonic(), header
        if not jpeg:
            self._rendered_at = 0.0  # the state changed: say so at the next tick
            return
        self.picture, self._pictured_at = (header, jpeg), self._heard_at
        if header.state == bus.LIVE and header.age_s <= STALE_AFTER_S:
            self._show(make_payload(header, jpeg, header.age_s, message))

    def hear_last(self, header: bus.Header, jpeg: bytes, at: float) -> None:
        """Take the kept last picture when the bus has not brought a newer one; ``at`` is Unix time."""
        if self.picture is None and jpeg:
            self.hear(header.with_changes(sent_at=at), jpeg)

    def age_s(self) -> float | None:
        """Age of the newest real picture, None when there never was one. Free of the difference of two clocks."""
        if self.picture is None:
            return None
        return self.picture[0].age_s + time.monotonic() - self._pictured_at

    def is_due_for_rendering(self) -> bool:
        now, age = time.monotonic(), self.age_s()
        if age is None:  # give the first picture a moment before saying that there is none
            return now - self._opened_at > FIRST_PICTURE_LIMIT_S and now - self._rendered_at >= RENDER_EVERY_S
        is_live = age <= STALE_AFTER_S and (self.said is None or self.said.state == bus.LIVE)
        return not is_live and now - self._rendered_at >= RENDER_EVERY_S

    async def render(self, draw: Render, *, is_connected: bool) -> None:
        """Dim the last picture with its age, in a thread, for all viewers at once."""
        self._rendered_at = time.monotonic()
        before, age = self.picture, self.age_s()
        header = self._standing(time.time(), age, is_connected=is_connected)
        drawn, jpeg = await asyncio.to_thread(draw, header, before[1] if before else b"", age or 0.0)
        if self.picture is before:  # else a fresh picture came meanwhile
            self._show(make_payload(drawn, jpeg, age or 0.0))

    def _standing(self, at: float, age: float | None, *, is_connected: bool) -> bus.Header:
        """Return the header of a picture that is not live: what the camera process said last, or what is known here."""
        said = self.said
        captured_at = at - age if age is not None else at
        seq = self.picture[0].seq if self.picture else 0
        state, note = bus.STALE, ""
        if said is not None and said.state != bus.LIVE:
            state, note = said.state, said.note
        elif age is None or age > OFFLINE_AFTER_S:
            state = bus.OFFLINE
        if not is_connected:
            note = CONNECTION_LOST
        return bus.Header(self.slug, self.tier, seq, captured_at, at, state, note)

    def _show(self, payload: Payload) -> None:
        self.newest = payload
        for wake in self.viewers:
            wake.set()


class Hub:
    """All channels of one event loop."""

    def __init__(self, url: str, draw: Render = dimming.draw) -> None:
        self._draw = draw
        self._redis = Redis.from_url(
            url,
            protocol=2,  # with 3, redis-py 8.1 makes a text of every pushed picture for its debug log: 1.5 ms each
            socket_timeout=2.0,
            socket_connect_timeout=2.0,
            retry=Retry(NoBackoff(), 0),
        )
        self._pubsub = None
        self._channels: dict[str, Channel] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._rendering: set[asyncio.Task[None]] = set()
        self._process = f"{socket.gethostname()}-{os.getpid()}"
        self._own_channel = f"hub:{self._process}:{id(self)}"
        self.is_connected = True

    def join(self, slug: str, tier: str, wake: Wake) -> Channel:
        """Add one viewer, whose ``wake`` is set at each new picture; every `join` needs its `leave`."""
        name = bus.channel(slug, tier)
        channel = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = Channel(slug, tier)
            self._begin(self._open(name, channel))
        channel.viewers[wake] += 1
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._tick())]
        return channel

    def leave(self, channel: Channel, wake: Wake) -> None:
        channel.viewers -= Counter((wake,))
        name = bus.channel(channel.slug, channel.tier)
        if not channel.viewers and self._channels.get(name) is channel:
            del self._channels[name]
            self._begin(self._close(name))

    async def last_picture(self, slug: str) -> tuple[bus.Header, bytes] | None:
        """Return the kept last picture of a camera, None when there is none. Raises `redis.exceptions.RedisError`."""
        message = await self._redis.get(bus.last_key(slug))
        try:
            return bus.decode_message(message) if message else None
        except bus.BrokenMessageError:
            return None

    async def aclose(self) -> None:
        """End everything; the hub can be used again."""
        tasks, self._tasks = [*self._tasks, *self._rendering], []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._redis.aclose()

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._rendering.add(task)
        task.add_done_callback(self._rendering.discard)

    async def _open(self, name: str, channel: Channel) -> None:
        """Subscribe, and show the kept last picture until the next one comes."""
        try:
            if self._pubsub is not None:
                await self._pubsub.subscribe(name)
            last = await self.last_picture(channel.slug)
        except (RedisError, OSError):
            return  # the listener subscribes to everything once it is connected again
        if last and channel.picture is None:
            channel.hear_last(*await asyncio.to_thread(dimming.fit, last, channel.tier), at=time.time())

    async def _close(self, name: str) -> None:
        slug, _ = bus.parse_channel(name)
        try:
            if self._pubsub is not None and name not in self._channels:
                await self._pubsub.unsubscribe(name)
            if not self._viewers_of(slug):
                await self._redis.delete(bus.viewers_key(slug, self._process))
        except (RedisError, OSError):
            return  # nothing is subscribed to on a connection that is gone, and the count expires

    async def _listen(self) -> None:
        """Read the bus for ever; a Redis that went away is asked again until it is back."""
        failures = 0
        while True:
            try:
                async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await self._subscribe(pubsub)
                    failures = 0
                    await self._hear(pubsub)
            except (RedisError, OSError) as error:
                if failures == 0:
                    log.warning("The frame bus is gone (%s); asking again until it is back", type(error).__name__)
            except Exception:  # the top of a loop that every viewer depends on
                log.exception("Reading the frame bus failed; trying again")
            finally:
                self._pubsub = None
            self.is_connected = False
            await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
            failures += 1

    async def _subscribe(self, pubsub: PubSub) -> None:
        """Subscribe to everything that is watched, and to what is joined while that is under way."""
        known = set(self._channels)
        await pubsub.subscribe(self._own_channel, *known)
        self._pubsub, self.is_connected = pubsub, True
        if late := set(self._channels) - known:
            await pubsub.subscribe(*late)

    async def _hear(self, pubsub: PubSub) -> None:
        """Take messages for ever. Raises when not even this hub's own beat comes: a connection may die in silence."""
        heard_at = time.monotonic()
        while True:
            message = await pubsub.get_message(timeout=BEAT_EVERY_S)
            if message:
                heard_at = time.monotonic()
                self._take(message)
            elif time.monotonic() - heard_at > SILENCE_S:
                raise RedisConnectionError("the connection to Redis is silent")

    async def _beat(self) -> None:
        try:
            await self._redis.publish(self._own_channel, b"")
        except (RedisError, OSError):
            return  # the listener notices and says so

    def _take(self, message: dict) -> None:
        if message["type"] != "message":
            return
        channel = self._channels.get(message["channel"].decode())
        if channel is None:
            return
        try:
            header, jpeg = bus.decode_message(message["data"])
        except bus.BrokenMessageError as error:
            log.warning("A message of %s was not one: %s", channel.slug, error)
            return
        channel.hear(header, jpeg, message["data"])

    async def _tick(self) -> None:
        """Dim what is old, beat, and publish how many watch. Nothing here waits for Redis."""
        count_at = beat_at = 0.0
        while True:
            for channel in list(self._channels.values()):
                if channel.is_due_for_rendering():
                    self._begin(channel.render(self._draw, is_connected=self.is_connected))
            now = time.monotonic()
            if now >= beat_at and self.is_connected:
                beat_at = now + BEAT_EVERY_S
                self._begin(self._beat())
            if now >= count_at and self.is_connected:
                count_at = now + COUNT_EVERY_S
                self._begin(self._publish_counts())
            await asyncio.sleep(TICK_S)

    async def _publish_counts(self) -> None:
        slugs = {channel.slug for channel in self._channels.values()}
        if not slugs:
            return
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for slug in slugs:
                    pipe.set(bus.viewers_key(slug, self._process), self._viewers_of(slug), ex=COUNT_LIFE_S)
                await pipe.execute()
        except (RedisError, OSError):
            return  # the listener notices and says so

    def _viewers_of(self, slug: str) -> int:
        return sum(channel.viewers.total() for channel in self._channels.values() if channel.slug == slug)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub_here() -> Hub:
    """Return the hub of the running event loop, made on first use."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(settings.REDIS_URL)
    return _hubs[loop]
