"""May this person still watch? One answer per person, shared by all their viewers and good for a few seconds."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import DatabaseError, close_old_connections

from streaming.models import Camera

log = logging.getLogger(__name__)

ASK_EVERY_S: Final = 5.0
FRESH_S: Final = 4.0
"""A viewer asks every 5 s and may get an answer 4 s old: what was taken away ends the picture within 10 s."""


@dataclass(slots=True)
class _Answer:
    asked_at: float
    cameras: asyncio.Task[frozenset[int]]


class Permits:
    """The answers of one event loop, by user."""

    def __init__(self) -> None:
        self._answers: dict[int, _Answer] = {}

    async def may_watch(self, user_id: int, camera_id: int) -> bool:
        return camera_id in await self.cameras_of(user_id)

    async def cameras_of(self, user_id: int) -> frozenset[int]:
        """Return the cameras that the user may watch. While the database is away, the last answer stands."""
        now = time.monotonic()
        answer = self._answers.get(user_id)
        if answer is None or now - answer.asked_at >= FRESH_S:
            self._forget_old(now)
            before = answer.cameras if answer else None
            answer = self._answers[user_id] = _Answer(now, asyncio.create_task(self._ask(user_id, before)))
        return await asyncio.shield(answer.cameras)

    async def _ask(self, user_id: int, before: asyncio.Task[frozenset[int]] | None) -> frozenset[int]:
        try:
            return await sync_to_async(_watchable_ids)(user_id)
        except DatabaseError:
            log.warning("The database does not say who may watch; the last answer stands")
            return before.result() if before is not None and before.done() else frozenset()

    def _forget_old(self, now: float) -> None:
        old = [user for user, answer in self._answers.items() if now - answer.asked_at > 12 * FRESH_S]
        for user in old:
            del self._answers[user]


def _watchable_ids(user_id: int) -> frozenset[int]:
    """Read account, roles and cameras anew; nothing for an account that is gone or disabled."""
    close_old_connections()  # no request ends here, so nobody else drops a connection that the database closed
    user: Any = get_user_model()._default_manager.filter(pk=user_id, is_active=True).first()
    return frozenset(Camera.objects.watchable_by(user).values_list("pk", flat=True)) if user else frozenset()


_permits: WeakKeyDictionary[asyncio.AbstractEventLoop, Permits] = WeakKeyDictionary()


def permits_here() -> Permits:
    """Return the permits of the running event loop."""
    return _permits.setdefault(asyncio.get_running_loop(), Permits())
