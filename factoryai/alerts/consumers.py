"""`/ws/events`: tells a page what changed at its sites, as ``{seq, kind, site, id}``.

The first message has the kind ``ready`` and the number to go on from. ``?after=seq`` catches up first; a number too old
to catch up from gets ``reset``: load everything anew. ``slow`` and ``fast`` say that news come within seconds only,
because Redis is away, and that they are at once again. Closed with 4401 when the login ends, 4408 when the page reads
too slowly.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from factoryai.alerts.events import last_seq
from factoryai.alerts.feed import SLOW, WAITING_AT_MOST, Told, feed_of_this_loop, read_after
from factoryai.alerts.models import Event
from factoryai.sites.models import Site
from factoryai.sites.permissions import PEOPLE
from factoryai.tokens import SUBPROTOCOL, user_again

RECHECK_EVERY_S = 10.0
BAD_REQUEST, LOGGED_OUT, TOO_SLOW, FAILED = 4400, 4401, 4408, 1011

log = logging.getLogger(__name__)


def sites_of(user: Any) -> dict[int, str]:
    """Return the slugs of the sites whose events ``user`` may hear, by id."""
    return dict(Site.objects.visible_to(user, PEOPLE).values_list("pk", "slug"))


def is_forgotten(seq: int) -> bool:
    """Whether events after ``seq`` were deleted already, or ``seq`` was never given."""
    oldest = Event.objects.after(0).values_list("seq", flat=True).first()
    newest = last_seq()
    return seq > newest or (seq < newest and (oldest is None or seq < oldest - 1))


class EventsConsumer(AsyncWebsocketConsumer):
    channel_layer_alias = "none"
    """Events come by `feed`, which outlives Redis; a channel layer would end the socket with it."""

    recheck_every_s = RECHECK_EVERY_S

    async def connect(self) -> None:
        self.tasks: list[asyncio.Task[None]] = []
        self.sites: dict[int, str] = {}
        after = parse_qs(self.scope["query_string"].decode("latin1")).get("after", [""])[0]
        if not self.scope["user"].is_authenticated:
            await self.close(LOGGED_OUT)
        elif after and not (after.isdecimal() and len(after) < 19):
            await self.close(BAD_REQUEST)
        else:
            offered = self.scope.get("subprotocols", [])
            await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
            self.sites = await database_sync_to_async(sites_of)(self.scope["user"])
            work = (self._forward(int(after) if after else None), self._recheck())
            self.tasks = [asyncio.create_task(self._guarded(part)) for part in work]

    async def disconnect(self, code: int) -> None:
        """End the tasks. asgiref loses a cancellation that arrives during a query, so it is repeated until heard."""
        for task in self.tasks:
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=1)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """A socket whose work fails ends, so that the page connects again and catches up."""
        try:
            await work
        except Exception:
            log.exception("An events socket failed")
            with suppress(Exception):
                await self.close(FAILED)

    async def _forward(self, after: int | None) -> None:
        feed = feed_of_this_loop()
        async with feed.listen() as queue:
            seq = await self._catch_up(after)
            if feed.is_slow:
                await self._say(seq, SLOW)
            while (event := await queue.get()) is not None:
                if event.is_about_feed:
                    await self._say(max(seq, event.seq), event.kind)
                elif event.seq > seq:
                    await self._tell([event])
            await self.close(TOO_SLOW)

    async def _catch_up(self, after: int | None) -> int:
        """Tell what came after ``after``, then that the page is up to date; returns the last number told."""
        seq = await database_sync_to_async(last_seq)() if after is None else after
        if after is not None and await database_sync_to_async(is_forgotten)(after):
            seq = await database_sync_to_async(last_seq)()
            await self._say(seq, "reset")
        while events := await database_sync_to_async(read_after)(seq, WAITING_AT_MOST):
            await self._tell(events)
            seq = events[-1].seq
        await self._say(seq, "ready")
        return seq

    async def _tell(self, events: Iterable[Told]) -> None:
        for event in events:
            if event.site_id in self.sites:
                await self._say(event.seq, event.kind, self.sites[event.site_id], event.object_id)

    async def _say(self, seq: int, kind: str, site: str | None = None, object_id: str | None = None) -> None:
        await self.send(json.dumps({"seq": seq, "kind": kind, "site": site, "id": object_id}))

    async def _recheck(self) -> None:
        """End the socket of who logged out or was disabled, and follow a change of roles."""
        while True:
            await asyncio.sleep(self.recheck_every_s)
            try:
                user = await user_again(self.scope)
                self.sites = await database_sync_to_async(sites_of)(user)
            except DatabaseError:
                log.warning("The database does not say who may listen; the last answer stands")
                continue
            if not user.is_authenticated:
                await self.close(LOGGED_OUT)
                return
