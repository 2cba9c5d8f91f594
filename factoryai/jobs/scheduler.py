"""The beat scheduler: django-celery-beat's, which also acts only once, says that it lives and syncs the schedule."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from typing import Any

from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler

from factoryai import pulse
from factoryai.jobs.services import beat_ticked, hold_beat, release_beat, sync_schedule

log = logging.getLogger(__name__)

TICK_EVERY_S = 15.0
ASKS_EVERY_S = 5.0


class Scheduler(DatabaseScheduler):
    """Sends only while it holds the lease; a second scheduler waits for it. Writes its heartbeat every 15 s."""

    _noted = float("-inf")
    _asked = float("-inf")
    _holds = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        sync_schedule()
        super().setup_schedule()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        pulse.beat()
        if not self._may_act():
            return ASKS_EVERY_S
        if time.monotonic() - self._noted >= TICK_EVERY_S:
            self._note()
        return min(super().tick(*args, **kwargs), ASKS_EVERY_S)

    def close(self) -> None:
        super().close()
        try:
            release_beat(holder=self._holder, at=timezone.now())
        except DatabaseError:
            log.warning("Could not give the lease back; it ends by itself", exc_info=True)

    def _may_act(self) -> bool:
        """Renew the lease every 5 s; a database that does not answer gives none."""
        if self._holds and time.monotonic() - self._asked < ASKS_EVERY_S:
            return True
        held, self._asked = self._holds, time.monotonic()
        close_old_connections()
        try:
            self._holds = hold_beat(holder=self._holder, at=timezone.now())
        except DatabaseError:
            log.warning("Could not ask for the lease", exc_info=True)
            self._holds = False
        if self._holds and not held:
            self._read_anew()
        return self._holds

    def _read_anew(self) -> None:
        """Forget what was read before: another scheduler has sent jobs since, and sending them again would be wrong."""
        self._initial_read, self._heap = True, None

    def _note(self) -> None:
        self._noted = time.monotonic()
        try:
            beat_ticked(at=timezone.now())
        except DatabaseError:
            log.warning("Could not note that the scheduler lives", exc_info=True)
