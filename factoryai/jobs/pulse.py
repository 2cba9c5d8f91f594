"""The worker's sign of life: its loop turns, and not every thread of it is held by a job that will never end."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from celery import bootsteps
from celery.worker import state
from django.conf import settings

from factoryai import pulse

EVERY_S = 5.0


class WorkerPulse(bootsteps.StartStopStep):
    """Beats from the timer of the consumer, which its loop drives."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, consumer: Any) -> None:
        slots = consumer.pool.limit
        self._timer = consumer.timer.call_repeatedly(EVERY_S, self._beat, (slots,))
        pulse.beat()

    def stop(self, consumer: Any) -> None:
        self._timer.cancel()

    @staticmethod
    def _beat(slots: int) -> None:
        started = [request.time_start for request in list(state.active_requests) if request.time_start]
        if not is_stuck(started, slots=slots, at=time.time(), limit_s=settings.CELERY_TASK_TIME_LIMIT):
            pulse.beat()


def is_stuck(started: Iterable[float], *, slots: int, at: float, limit_s: float) -> bool:
    """Whether every slot is held by a job that has run longer than any may: threads cannot be ended one by one."""
    return sum(at - began_at > limit_s for began_at in started) >= slots
