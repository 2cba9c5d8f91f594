"""The camera process's end of the frame bus: knows who is watched, publishes, keeps the last picture, never waits long.

A Redis that is gone costs a camera nothing: publishing is skipped until it answers again. While a lease is sure the bus
is told who shows the camera; beyond it, a camera is shown only as long as the bus knows of nobody else who does.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from streaming import bus

log = logging.getLogger(__name__)

ASK_EVERY_S = 0.25
REST_S = 1.0
SOCKET_TIMEOUT_S = 0.5
CLAIM_EVERY = 4
"""Every so many times that viewers are asked for, which is once a second."""
CLAIM_S = 5
"""A claim that is not renewed for so long is nobody's."""
UNCHECKED_S = 2.0
"""How long a camera is shown after the bus last knew of nobody else, when the lease is not sure any more."""


class FramePublisher:
    """Publishes the pictures of all cameras of one process over one pool of connections."""

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._clock, self._name = clock, uuid.uuid4().hex.encode()
        self._redis = Redis.from_url(
            url, socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=SOCKET_TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._watched: frozenset[tuple[str, str]] = frozenset()
        self._sure_until: Mapping[str, float] = {}
        self._alone_until: dict[str, float] = {}
        self._elsewhere: frozenset[str] = frozenset()
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

    def follow(self, sure_until: Mapping[str, float]) -> None:
        """Set whose viewers are asked for, each with the Unix time until which nobody else can hold the camera."""
        self._sure_until = dict(sure_until)

    def is_elsewhere(self, slug: str) -> bool:
        """Whether another process shows a camera whose lease here is not sure any more."""
        return slug in self._elsewhere

    @property
    def is_reachable(self) -> bool:
        return time.monotonic() >= self._resting_until

    def watched_tiers(self, slug: str) -> list[str]:
        """Return the tiers of one camera that somebody watches, as of a quarter of a second ago, largest first."""
        watched = self._watched if self._may_show(slug) else ()
        return [tier for tier in bus.TIERS if (slug, tier) in watched]

    def publish(self, header: bus.Header, jpeg: bytes = b"") -> None:
        """Send one message to whoever listens now; nobody is waited for, nothing is kept."""
        if self._may_show(header.camera):
            self._send("PUBLISH", bus.channel(header.camera, header.tier), bus.encode_message(header, jpeg))

    def keep_last(self, header: bus.Header, jpeg: bytes) -> None:
        """Keep a full-size picture as the last one of its camera."""
        if self._may_show(header.camera):
            self._send("SET", bus.last_key(header.camera), bus.encode_message(header, jpeg))

    def forget_last(self, slug: str) -> None:
        """Remove the kept picture of a camera that is switched off or gone."""
        self._send("DEL", bus.last_key(slug))

    def _may_show(self, slug: str) -> bool:
        """Judged at every picture: a process that stood still for a minute must not show what it had in hand."""
        sure_until = self._sure_until.get(slug)
        if sure_until is None:
            return True  # not a leased camera, but one that a bench or a test shows by itself
        return self._clock() <= max(sure_until, self._alone_until.get(slug, 0.0))

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
        turns = itertools.cycle(range(CLAIM_EVERY))
        while not self._stopped.wait(ASK_EVERY_S):
            if not self._sure_until or not self.is_reachable:
                continue
            try:
                if next(turns) == 0:
                    self._claim()
                self._count_viewers()
            except (RedisError, OSError) as error:
                self._rest(error)
                continue
            self._is_told = False

    def _claim(self) -> None:
        """Tell the bus which cameras are shown here, and ask it who shows those whose lease is not sure any more."""
        now, sure_until = self._clock(), self._sure_until
        doubtful = [slug for slug, until in sure_until.items() if until < now]
        pipe = self._redis.pipeline(transaction=False)
        for slug in sure_until.keys() - set(doubtful):
            pipe.set(bus.shown_by_key(slug), self._name, ex=CLAIM_S)
        for slug in doubtful:
            pipe.get(bus.shown_by_key(slug))
        claims = pipe.execute()[len(sure_until) - len(doubtful) :]
        others = {slug for slug, name in zip(doubtful, claims, strict=True) if name not in (None, self._name)}
        for slug in set(doubtful) - others:
            self._alone_until[slug] = now + UNCHECKED_S
        self._elsewhere = frozenset(others)

    def _count_viewers(self) -> None:
        names = {bus.channel(slug, tier): (slug, tier) for slug in self._sure_until for tier in bus.TIERS}
        counts = self._redis.pubsub_numsub(*names)
        self._watched = frozenset(names[name.decode()] for name, count in counts if count)
