"""One reader of events a web process, for all its open pages: a nudge costs one query, however many are watching."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from factoryai.alerts.events import last_seq, publish_events
from factoryai.alerts.models import Event
from factoryai.alerts.nudges import EVENTS_CHANNEL

log = logging.getLogger(__name__)

POLL_EVERY_S = 5.0
"""How often it is looked without a nudge, and whether Redis still answers."""
SLOW_EVERY_S = 2.0
"""How late a page is while Redis is away."""
ANSWERS_WITHIN_S = 2.0
SLOW, FAST = "slow", "fast"
"""Told to every listener when Redis goes and comes back: the page says that news come late."""
WAITING_AT_MOST = 1000
"""Events a page may be behind; beyond that it is told to load itself anew."""


@dataclass(frozen=True)
class Told:
    """An event as pages hear it, with the site that decides who may."""

    seq: int
    kind: str
    site_id: int
    object_id: str

    @property
    def is_about_feed(self) -> bool:
        """Whether it says how the feed does, and nothing of a site."""
        return self.kind in (SLOW, FAST)


def read_after(seq: int, limit: int = WAITING_AT_MOST) -> list[Told]:
    """Return the events above ``seq`` in order, of every site."""
    rows = Event.objects.after(seq).values_list("seq", "kind", "site_id", "object_id")[:limit]
    return [Told(*row) for row in rows]


class Feed:
    """Reads while somebody listens. A listener that does not keep up gets None, once, and nothing after it."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._listeners: set[asyncio.Queue[Told | None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._seq = 0
        self.is_slow = False
        """Whether Redis is away, and the database is asked every `SLOW_EVERY_S` instead."""

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[Told | None]]:
        queue: asyncio.Queue[Told | None] = asyncio.Queue(WAITING_AT_MOST + 1)
        start = await database_sync_to_async(last_seq)()
        self._listeners.add(queue)
        if self._task is None:
            self._seq = start
            self._task = asyncio.create_task(self._run())
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._task:
                self._task.cancel()
                self._task = None

    def _is_wanted(self) -> bool:
        """Whether this task still reads: asgiref loses a cancellation that arrives during a query."""
        return asyncio.current_task() is self._task

    async def _run(self) -> None:
        while self._is_wanted():
            try:
                async with Redis.from_url(self._address, socket_connect_timeout=2) as client:
                    await self._follow(client)
            except (RedisError, OSError):
                self._say_how(SLOW)
                await self._read(leftovers=True)
                await asyncio.sleep(SLOW_EVERY_S)

    async def _follow(self, client: Redis) -> None:
        async with client.pubsub() as pubsub:
            await pubsub.subscribe(EVENTS_CHANNEL)
            await self._check(client)
            self._say_how(FAST)
            await self._read(leftovers=True)  # what was said between the last look and the subscription
            while self._is_wanted():
                nudge = await pubsub.get_message(ignore_subscribe_messages=True, timeout=POLL_EVERY_S)
                if nudge is None:
                    await self._check(client)
                await self._read(leftovers=nudge is None)

    async def _check(self, client: Redis) -> None:
        """Raise when Redis does not answer: one that hangs is as silent as one that has nothing to say."""
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            await client.ping()

    def _say_how(self, kind: str) -> None:
        if self.is_slow == (kind == SLOW):
            return
        self.is_slow = kind == SLOW
        self._hand_out([Told(self._seq, kind, 0, "")])

    async def _read(self, *, leftovers: bool) -> None:
        """Read what is there; on the slow round also number what a process that died left behind."""
        try:
            if leftovers:
                await database_sync_to_async(publish_events)()
            while events := await database_sync_to_async(read_after)(self._seq):
                self._hand_out(events)
        except DatabaseError:
            log.warning("Events cannot be read; pages wait", exc_info=True)

    def _hand_out(self, events: list[Told]) -> None:
        self._seq = events[-1].seq
        for queue in list(self._listeners):
            if queue.qsize() + len(events) > WAITING_AT_MOST:
                self._listeners.discard(queue)
                with suppress(asyncio.QueueFull):
                    queue.put_nowait(None)
                continue
            for event in events:
                queue.put_nowait(event)


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = WeakKeyDictionary()


def feed_of_this_loop(make: Callable[[str], Feed] = Feed) -> Feed:
    """Return the feed of the running event loop: a web process has one."""
    loop = asyncio.get_running_loop()
    if loop not in _feeds:
        _feeds[loop] = make(settings.REDIS_URL)
    return _feeds[loop]
