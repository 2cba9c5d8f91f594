"""Says "look at the database" over Redis, and never more: a lost nudge costs seconds, never a fact.

Called after commits, so it may not block or raise: it waits `TIMEOUT_S` at most, and after a failure leaves Redis
alone for `PAUSE_S`. What was not said is picked up by the jobs and by the readers' own slow poll.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

log = logging.getLogger(__name__)

EVENTS_CHANNEL = "factoryai:events"
DELIVERY_TASK = "alerts.deliver"
TIMEOUT_S = 0.3
PAUSE_S = 5.0


class Nudger:
    """A Redis client with a short patience; one a process."""

    def __init__(self, address: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.use(address)
        self._clock = clock
        self._silent_until = 0.0

    def use(self, address: str) -> None:
        """Talk to the Redis at ``address`` from now on."""
        self._redis = Redis.from_url(
            address,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )

    def say(self, channel: str, text: str = "") -> bool:
        """Publish, and tell whether Redis took it."""
        if self._clock() < self._silent_until:
            return False
        try:
            self._redis.publish(channel, text)
        except RedisError as error:
            self._silent_until = self._clock() + PAUSE_S
            log.warning("Redis does not take nudges (%s); the jobs will pick up what waits", type(error).__name__)
            return False
        return True


_nudgers: dict[str, Nudger] = {}
_lock = threading.Lock()


def nudger() -> Nudger:
    """Return this process's nudger for the Redis of the settings."""
    with _lock:
        return _nudgers.setdefault(settings.REDIS_URL, Nudger(settings.REDIS_URL))


def events_changed() -> None:
    """Wake the web processes: there are events with higher numbers."""
    nudger().say(EVENTS_CHANNEL)


def deliveries_waiting() -> None:
    """Ask a worker to send now; without a broker the job does it within its interval."""
    ask_worker(DELIVERY_TASK)


def ask_worker(task: str) -> None:
    """Ask a worker to run a job now rather than at its next time."""
    if not nudger().say(EVENTS_CHANNEL):
        return
    from celery import current_app

    try:
        current_app.send_task(task, retry=False, ignore_result=True, expires=60)
    except Exception:
        log.warning("The broker does not take jobs; %s runs at its next time", task, exc_info=True)
