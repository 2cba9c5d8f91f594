"""The camera process's end of the frame bus: knows who is watched, publishes, keeps the last picture, never waits long.

A Redis that is gone costs a camera nothing: publishing is skipped until it answers again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from streaming import bus

log = logging.getLogger(__name__)

ASK_EVERY_S = 0.25
REST_S = 1.0
SOCKET_TIMEOUT_S = 0.5


class FramePublisher:
    """Publishes the pictures of all cameras of one process over one pool of connections."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(
            url, socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=SOCKET_TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._watched: frozenset[tuple[str, str]] = frozenset()
        self._slugs: frozenset[str] = frozenset()
        self._resting_until = 0.0
        self._is_told = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="watched", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._redis.close()

    def follow(self, slugs: Iterable[str]) -> None:
        """Set whose viewers are asked for."""
        self._slugs = frozenset(slugs)

    @property
    def is_reachable(self) -> bool:
        return time.monotonic() >= self._resting_until

    def watched_tiers(self, slug: str) -> list[str]:
        """Return the tiers of one camera that somebody watches, as of a quarter of a second ago, largest first."""
        watched = self._watched
        return [tier for tier in bus.TIERS if (slug, tier) in watched]

    def publish(self, header: bus.Header, jpeg: bytes = b"") -> None:
        """Send one message to whoever listens now; nobody is waited for, nothing is kept."""
        self._send("PUBLISH", bus.channel(header.camera, header.tier), bus.encode_message(header, jpeg))

    def keep_last(self, header: bus.Header, jpeg: bytes) -> None:
        """Keep a full-size picture as the last one of its camera."""
        self._send("SET", bus.last_key(header.camera), bus.encode_message(header, jpeg))

    def forget_last(self, slug: str) -> None:
        """Remove the kept picture of a camera that is switched off or gone."""
        self._send("DEL", bus.last_key(slug))

    def _send(self, *command: str | bytes) -> None:
        if not self.is_reachable:
            return
        try:
            self._redis.execute_command(*command)
        except (RedisError, OSError) as error:
            self._rest(error)

    def _rest(self, error: Exception) -> None:
        if not self._is_told:
            log.warning("The frame bus does not take pictures (%s); trying until it does.", type(error).__name__)
        self._is_told = True
        self._watched = frozenset()
        self._resting_until = time.monotonic() + REST_S

    def _ask(self) -> None:
        while not self._stopped.wait(ASK_EVERY_S):
            names = {bus.channel(slug, tier): (slug, tier) for slug in self._slugs for tier in bus.TIERS}
            if not names or not self.is_reachable:
                continue
            try:
                counts = self._redis.pubsub_numsub(*names)
            except (RedisError, OSError) as error:
                self._rest(error)
                continue
            self._is_told = False
            self._watched = frozenset(names[name.decode()] for name, count in counts if count)
