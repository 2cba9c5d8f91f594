"""`/ws/wall`: one socket for a grid of any size, because a browser opens only six connections to a host.

In comes JSON, ``{"watch": [{"camera", "tier", "fps"}]}``, again whenever the grid changes. Out go pictures as binary
messages of `bus`, the newest of each tile in turn, and JSON ``{"error": {"code", "message", "camera"}}``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from factoryai.rest import Refusal
from streaming import bus
from streaming.feed import Wish
from streaming.hub import Channel, Hub, Payload, Wake, hub_here
from streaming.models import Camera
from streaming.permits import ASK_EVERY_S, Permits, permits_here
from streaming.rules import Pace
from streaming.viewing import no_camera

TILE_LIMIT: Final = 500
TEXT_LIMIT: Final = 65_536
NOT_LOGGED_IN: Final = 4401
"""Close code: the page goes to the login."""


@dataclass(eq=False, slots=True)
class Tile:
    """One picture of the grid."""

    camera_id: int
    channel: Channel
    pace: Pace | None
    seen: Payload | None = None
    sent_no: int = 0

    def fresh(self, at: float) -> Payload | None:
        """Return the newest picture when it was not sent yet and is due; one that is not due counts as seen."""
        payload = self.channel.newest
        if payload is None or payload is self.seen:
            return None
        self.seen = payload
        is_due = self.pace is None or payload.header.state != bus.LIVE or self.pace.is_due(at)
        return payload if is_due else None


class WallConsumer(AsyncConsumer):
    """One viewer's grid."""

    channel_layer_alias = ""  # hears nothing from other processes but through the hub
    hub: Hub
    permits: Permits

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        self._tiles: list[Tile] = []
        self._wake = Wake(asyncio.get_running_loop())
        self._sender: asyncio.Task[None] | None = None
        bearer = "bearer" if "bearer" in self.scope.get("subprotocols", []) else None
        await self.send({"type": "websocket.accept", "subprotocol": bearer})
        if self.scope["user"].is_anonymous:
            await self.send({"type": "websocket.close", "code": NOT_LOGGED_IN})
            raise StopConsumer
        self.hub, self.permits = hub_here(), permits_here()
        self._sender = asyncio.create_task(self._run())

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        try:
            wishes = parse_watch(message.get("text") or "")
        except Refusal as refusal:
            await self._refuse(refusal)
            return
        if self._sender is not None and not self._sender.done():
            await self._watch(wishes)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)
            self._leave_all()
        raise StopConsumer

    async def _watch(self, wishes: Sequence[tuple[str, Wish]]) -> None:
        """Replace the grid. The new channels are joined before the old are left, so that none is opened twice."""
        slugs = {slug for slug, _ in wishes}
        found = Camera.objects.watchable_by(self.scope["user"]).filter(slug__in=slugs).values_list("slug", "pk")
        cameras = {slug: pk async for slug, pk in found}
        if self._sender is None or self._sender.done():
            return  # the viewer went while the database was asked: tiles joined now nobody would leave
        before = self._tiles
        self._tiles = [self._tile(cameras[slug], slug, wish) for slug, wish in wishes if slug in cameras]
        self._leave(before)
        self._wake.set()
        for slug in sorted(slugs - cameras.keys()):
            await self._refuse(no_camera(slug), slug)

    def _tile(self, camera_id: int, slug: str, wish: Wish) -> Tile:
        channel = self.hub.join(slug, wish.tier, self._wake)
        return Tile(camera_id, channel, Pace(wish.fps) if wish.fps else None)

    def _leave(self, tiles: Sequence[Tile]) -> None:
        for tile in tiles:
            self.hub.leave(tile.channel, self._wake)

    def _leave_all(self) -> None:
        before, self._tiles = self._tiles, []
        self._leave(before)

    async def _run(self) -> None:
        """Send pictures until the viewer goes; ask every few seconds whether they may still watch."""
        loop = asyncio.get_running_loop()
        ask_at, number = loop.time() + ASK_EVERY_S, 0
        try:
            while True:
                if loop.time() >= ask_at:
                    ask_at = loop.time() + ASK_EVERY_S
                    await self._ask()
                self._wake.clear()
                number += 1
                if not await self._send_one(number, loop.time()):
                    await self._wait_until(ask_at)
        except OSError:
            return  # the viewer is gone; the disconnect message follows
        finally:
            self._leave_all()

    async def _send_one(self, number: int, at: float) -> bool:
        """Send the tile that waited longest among those with a picture; whether there was one."""
        for tile in sorted(self._tiles, key=lambda tile: tile.sent_no):
            if payload := tile.fresh(at):
                tile.sent_no = number
                await self.send({"type": "websocket.send", "bytes": payload.message})
                return True
        return False

    async def _wait_until(self, limit: float) -> None:
        try:
            async with asyncio.timeout_at(limit):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _ask(self) -> None:
        """Drop the tiles that the viewer may no longer see, and say which."""
        allowed = await self.permits.cameras_of(self.scope["user"].pk)
        lost = [tile for tile in self._tiles if tile.camera_id not in allowed]
        if not lost:
            return
        self._tiles = [tile for tile in self._tiles if tile.camera_id in allowed]
        self._leave(lost)
        for tile in lost:
            await self._refuse(no_camera(tile.channel.slug), tile.channel.slug)

    async def _refuse(self, refusal: Refusal, camera: str = "") -> None:
        error = {"code": refusal.code, "message": str(refusal), "camera": camera}
        await self.send({"type": "websocket.send", "text": json.dumps({"error": error})})


def parse_watch(text: str) -> list[tuple[str, Wish]]:
    """Read ``{"watch": […]}``; of the same camera and size twice the last counts. Raises `Refusal`."""
    if len(text) > TEXT_LIMIT:
        raise Refusal("bad_message", "This message is too long.")
    try:
        tiles = json.loads(text)["watch"]
        wishes = [(str(tile["camera"]), Wish.parse({"tier": bus.TILE, **tile})) for tile in tiles]
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise Refusal("bad_message", 'Write {"watch": [{"camera": "…", "tier": "tile", "fps": 5}]}.') from error
    if len(wishes) > TILE_LIMIT:
        raise Refusal("too_many_tiles", f"A wall shows at most {TILE_LIMIT} cameras.")
    by_picture = {(slug, wish.tier): (slug, wish) for slug, wish in wishes}
    return [by_picture[key] for key in sorted(by_picture)]
