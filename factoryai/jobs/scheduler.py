"""The beat scheduler: django-celery-beat's, which also says that it lives and brings the schedule up to date."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler

from factoryai.jobs.services import beat_ticked, sync_schedule

log = logging.getLogger(__name__)

TICK_EVERY_S = 15.0


class Scheduler(DatabaseScheduler):
    """Writes its heartbeat every 15 s, so that a dead scheduler is seen within `RUNNING_WITHIN`."""

    _noted = float("-inf")

    def setup_schedule(self) -> None:
        sync_schedule()
        super().setup_schedule()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        if time.monotonic() - self._noted >= TICK_EVERY_S:
            self._note()
        return min(super().tick(*args, **kwargs), TICK_EVERY_S)

    def _note(self) -> None:
        self._noted = time.monotonic()
        close_old_connections()
        try:
            beat_ticked(at=timezone.now())
        except DatabaseError:
            log.warning("Could not note that the scheduler lives", exc_info=True)
