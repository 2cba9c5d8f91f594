"""Trying again, in one layer only: when, how often, how long, and when to stop asking at all.

Everything that decides is a value or an injected function, so the sleeps are exact in tests: with the defaults a call
that fails at once is made at 0, 1, 3 and 7 seconds and never a fifth time.
"""

from __future__ import annotations

import functools
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import inf
from typing import ParamSpec, TypeVar

from identity.recognisers.base import PermanentError, TransientError

P = ParamSpec("P")
R = TypeVar("R")


class CircuitOpenError(TransientError):
    """The service has failed too often lately; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("circuit_open", "the service is resting after repeated failures")


class UsedUpError(TransientError):
    """The face has cost all the requests that one may; nothing was sent."""

    def __init__(self) -> None:
        super().__init__("requests_used_up", "this face has cost as many requests as one may")


@dataclass(slots=True)
class Allowance:
    """Requests that one face may still cost, whatever they are for: a second shot, a retry, a missing collection."""

    left: int = 4

    def take(self) -> None:
        self.left -= 1


_allowance: ContextVar[Allowance | None] = ContextVar("allowance", default=None)
_left_s: ContextVar[float] = ContextVar("left_s", default=inf)


@contextmanager
def paid_from(allowance: Allowance) -> Iterator[None]:
    """Take every request that is made inside, of this thread, from one allowance; none is made beyond it."""
    token = _allowance.set(allowance)
    try:
        yield
    finally:
        _allowance.reset(token)


def attempt_left_s() -> float:
    """Return what is left of the whole call's deadline for the attempt that is being made; endless outside of one."""
    return _left_s.get()


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and when.

    ``attempt_s`` is what an attempt is expected to take at most; none is begun that could end after ``deadline_s``,
    counted from the start of the first. 4.5 s leaves room for a fourth attempt after 7 s; the client cuts its time-outs
    to what is left (`attempt_left_s`), so an attempt that takes longer ends by the deadline as well. With
    ``has_jitter`` a wait is drawn from zero to its full length, so that many callers do not come back together.
    """

    max_retries: int = 3
    first_wait_s: float = 1.0
    factor: float = 2.0
    has_jitter: bool = False
    attempt_s: float = 4.5
    deadline_s: float = 12.0

    def wait_s(self, retry: int, draw: Callable[[], float]) -> float:
        """Return the wait before retry number ``retry``, 0 for the first: 1, 2, 4 s by default."""
        wait = self.first_wait_s * self.factor**retry
        return wait * draw() if self.has_jitter else wait


@dataclass(slots=True)
class RetryBudget:
    """Retries that may be spent: every call pays in a share, every retry takes one out.

    Half a retry per call lets a service with 30 % transient faults be retried in full (0.42 retries per call), while
    one that is down gets at most half as many requests again.
    """

    share: float = 0.5
    reserve: float = 20.0
    _left: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._left = self.reserve

    def pay_in(self) -> None:
        with self._lock:
            self._left = min(self.reserve, self._left + self.share)

    def take(self) -> bool:
        with self._lock:
            if self._left < 1.0:
                return False
            self._left -= 1.0
            return True


@dataclass(slots=True)
class CircuitBreaker:
    """Opens after ``failures`` whole calls failed in ``window_s``, rests ``rest_s``, then lets one probe through."""

    failures: int = 5
    window_s: float = 30.0
    rest_s: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _failed_at: deque[float] = field(default_factory=deque, init=False)
    _opened_at: float | None = field(default=None, init=False)
    _is_probing: bool = field(default=False, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    @property
    def is_open(self) -> bool:
        return self._opened_at is not None

    def admit(self) -> None:
        """Raise `CircuitOpenError` unless a call may go out now; once rested, exactly one may."""
        with self._lock:
            if self._opened_at is None:
                return
            if self._is_probing or self.clock() - self._opened_at < self.rest_s:
                raise CircuitOpenError
            self._is_probing = True

    def succeeded(self) -> None:
        with self._lock:
            self._opened_at, self._is_probing = None, False
            self._failed_at.clear()

    def failed(self, *, opens_at_once: bool = False) -> None:
        with self._lock:
            now = self.clock()
            self._failed_at.append(now)
            while now - self._failed_at[0] > self.window_s:
                self._failed_at.popleft()
            if opens_at_once or self._is_probing or len(self._failed_at) >= self.failures:
                self._opened_at, self._is_probing = now, False


@dataclass(slots=True)
class Retrier:
    """Makes calls under one policy, one budget and one breaker, shared by all who use the same service."""

    policy: RetryPolicy = RetryPolicy()
    budget: RetryBudget = field(default_factory=RetryBudget)
    breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = random.random

    def call(self, function: Callable[[], R]) -> R:
        """Return what ``function`` returns, trying again on `TransientError` only; raises its last error.

        A `PermanentError` is an answer: it neither waits nor counts against the service, unless it says that no call
        can succeed (``opens_circuit``), which opens the breaker at once. Any other exception is a failed call as well:
        a probe that ends in one must not keep the breaker open for ever. Raises `UsedUpError` when the face has no
        requests left (`paid_from`).
        """
        allowance = _allowance.get()
        if allowance and allowance.left < 1:
            raise UsedUpError
        self.breaker.admit()
        self.budget.pay_in()
        began, retry = self.clock(), 0
        while True:
            if allowance:
                allowance.take()
            try:
                result = self._attempt(function, self.policy.deadline_s - (self.clock() - began))
            except TransientError:
                wait = self.policy.wait_s(retry, self.draw)
                if not self._may_retry(retry, wait, self.clock() - began):
                    self.breaker.failed()
                    raise
                self.sleep(wait)
                retry += 1
            except PermanentError as error:
                if error.opens_circuit:
                    self.breaker.failed(opens_at_once=True)
                else:
                    self.breaker.succeeded()
                raise
            except BaseException:
                self.breaker.failed()
                raise
            else:
                self.breaker.succeeded()
                return result

    @staticmethod
    def _attempt(function: Callable[[], R], left_s: float) -> R:
        token = _left_s.set(left_s)
        try:
            return function()
        finally:
            _left_s.reset(token)

    def _may_retry(self, retry: int, wait: float, elapsed: float) -> bool:
        allowance = _allowance.get()
        is_allowed = retry < self.policy.max_retries and (allowance is None or allowance.left > 0)
        ends_in_time = elapsed + wait + self.policy.attempt_s <= self.policy.deadline_s
        return is_allowed and ends_in_time and self.budget.take()


def retrying(max_retries: int = 3, **options: object) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function so that a `TransientError` it raises is tried again after 1, 2, 4 … seconds.

    ``options`` go to `Retrier` (``sleep``, ``clock``, ``budget`` …); the function gets one retrier of its own.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        policy = RetryPolicy(max_retries=max_retries, deadline_s=12.0 if max_retries <= 3 else float("inf"))
        retrier = Retrier(policy=policy, **options)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            return retrier.call(lambda: function(*args, **kwargs))

        return wrapper

    return decorate
