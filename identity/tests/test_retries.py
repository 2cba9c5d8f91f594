"""Trying again: the exact waits, what is never tried again, and when nothing is sent at all."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.recognisers.base import PermanentError, RecogniserError, TransientError
from identity.recognisers.retries import CircuitBreaker, CircuitOpenError, Retrier, RetryBudget, RetryPolicy, retrying


class Clock:
    """A clock that only sleeping moves, and that remembers the sleeps."""

    def __init__(self) -> None:
        self.now, self.sleeps = 1000.0, []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_retrier(clock: Clock, **options: object) -> Retrier:
    return Retrier(sleep=clock.sleep, clock=clock, breaker=CircuitBreaker(clock=clock), **options)


class Service:
    """Fails as scripted: an error to raise, or a value to return; ``takes_s`` moves the clock."""

    def __init__(self, clock: Clock, *steps: object, takes_s: float = 0.0) -> None:
        self.clock, self.steps, self.takes_s, self.calls = clock, list(steps), takes_s, 0

    def __call__(self) -> object:
        self.calls += 1
        self.clock.now += self.takes_s
        step = self.steps.pop(0) if self.steps else "found"
        if isinstance(step, Exception):
            raise step
        return step


DOWN = TransientError("ThrottlingException", "slow down")
NO = PermanentError("InvalidParameterException", "no")


def test_a_call_that_works_is_made_once(clock: Clock) -> None:
    service = Service(clock)
    assert make_retrier(clock).call(service) == "found"
    assert (service.calls, clock.sleeps) == (1, [])


@pytest.mark.parametrize(
    ("faults", "sleeps"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 4])], ids=["one fault", "two faults", "three faults"]
)
def test_the_waits_are_one_two_and_four_seconds(clock: Clock, faults: int, sleeps: list[float]) -> None:
    service = Service(clock, *[DOWN] * faults)
    assert make_retrier(clock).call(service) == "found"
    assert (service.calls, clock.sleeps) == (faults + 1, sleeps)


def test_a_fifth_request_is_never_made(clock: Clock) -> None:
    service = Service(clock, *[DOWN] * 10)
    with pytest.raises(TransientError):
        make_retrier(clock).call(service)
    assert (service.calls, clock.sleeps) == (4, [1, 2, 4])


def test_a_refusal_is_not_tried_again(clock: Clock) -> None:
    service = Service(clock, NO)
    with pytest.raises(PermanentError):
        make_retrier(clock).call(service)
    assert (service.calls, clock.sleeps) == (1, [])


def test_no_attempt_begins_that_could_end_after_the_deadline(clock: Clock) -> None:
    service = Service(clock, *[DOWN] * 10, takes_s=5.0)
    with pytest.raises(TransientError):
        make_retrier(clock).call(service)
    assert (service.calls, clock.sleeps, clock.now - 1000) == (2, [1], 11.0)


def test_jitter_only_shortens_a_wait(clock: Clock) -> None:
    policy = RetryPolicy(has_jitter=True)
    with pytest.raises(TransientError):
        make_retrier(clock, policy=policy, draw=lambda: 0.25).call(Service(clock, *[DOWN] * 4))
    assert clock.sleeps == [0.25, 0.5, 1.0]


def test_a_spent_budget_stops_the_retries_but_not_the_calls(clock: Clock) -> None:
    retrier = make_retrier(clock, budget=RetryBudget(share=0.0, reserve=2))
    service = Service(clock, *[DOWN] * 3, "found")
    with pytest.raises(TransientError):
        retrier.call(service)
    assert service.calls == 3
    assert retrier.call(service) == "found"


def fail(retrier: Retrier, service: Callable[[], object], times: int) -> None:
    for _ in range(times):
        with pytest.raises(RecogniserError):
            retrier.call(service)


def test_five_failed_calls_open_the_breaker_and_nothing_is_sent_for_thirty_seconds(clock: Clock) -> None:
    retrier = make_retrier(clock, policy=RetryPolicy(max_retries=0))
    service = Service(clock, *[DOWN] * 5)
    fail(retrier, service, 5)
    clock.now += 29.9
    with pytest.raises(CircuitOpenError):
        retrier.call(service)
    assert service.calls == 5
    clock.now += 0.1
    assert retrier.call(service) == "found"
    assert not retrier.breaker.is_open


def test_a_failed_probe_keeps_the_breaker_open(clock: Clock) -> None:
    retrier = make_retrier(clock, policy=RetryPolicy(max_retries=0))
    service = Service(clock, *[DOWN] * 6)
    fail(retrier, service, 5)
    clock.now += 30
    fail(retrier, service, 1)
    with pytest.raises(CircuitOpenError):
        retrier.call(service)
    assert service.calls == 6


def test_failures_spread_over_a_longer_time_do_not_open_it(clock: Clock) -> None:
    retrier = make_retrier(clock, policy=RetryPolicy(max_retries=0))
    service = Service(clock, *[DOWN] * 9)
    for _ in range(9):
        fail(retrier, service, 1)
        clock.now += 10
    assert not retrier.breaker.is_open


def test_refused_keys_open_the_breaker_at_once(clock: Clock) -> None:
    retrier = make_retrier(clock)
    fail(retrier, Service(clock, PermanentError("AccessDeniedException", "no", opens_circuit=True)), 1)
    assert retrier.breaker.is_open


def test_an_ordinary_refusal_says_that_the_service_is_well(clock: Clock) -> None:
    retrier = make_retrier(clock, policy=RetryPolicy(max_retries=0))
    fail(retrier, Service(clock, DOWN, DOWN, DOWN, DOWN, NO, DOWN), 6)
    assert not retrier.breaker.is_open


def test_the_decorator_takes_its_number_of_retries(clock: Clock) -> None:
    service = Service(clock, *[DOWN] * 9)
    decorated = retrying(max_retries=5, sleep=clock.sleep, clock=clock)(service.__call__)
    with pytest.raises(TransientError):
        decorated()
    assert (service.calls, clock.sleeps) == (6, [1, 2, 4, 8, 16])


def test_with_a_third_of_faults_nearly_all_calls_succeed() -> None:
    chance, clock = random.Random(7), Clock()

    def flaky() -> str:
        clock.now += 0.05
        if chance.random() < 0.3:
            raise DOWN
        return "found"

    retrier, failed = make_retrier(clock), 0
    for _ in range(2000):
        try:
            retrier.call(flaky)
        except TransientError:
            failed += 1
    assert failed <= 0.05 * 0.3 * 2000


@given(st.lists(st.sampled_from(["found", DOWN, NO]), max_size=40), st.integers(0, 5))
def test_whatever_happens_a_call_costs_at_most_its_retries_and_one(steps: list, max_retries: int) -> None:
    clock = Clock()
    retrier = make_retrier(clock, policy=RetryPolicy(max_retries=max_retries))
    service = Service(clock, *steps)
    while service.steps and not retrier.breaker.is_open:
        before = service.calls
        with contextlib.suppress(RecogniserError):
            retrier.call(service)
        assert service.calls - before <= max_retries + 1


def test_a_probe_that_ends_in_an_error_of_another_kind_does_not_keep_the_service_resting(clock: Clock) -> None:
    retrier = make_retrier(clock)
    with pytest.raises(PermanentError):
        retrier.call(Service(clock, PermanentError("AccessDeniedException", "no", opens_circuit=True)))
    clock.now += 31
    with pytest.raises(KeyError):
        retrier.call(Service(clock, KeyError("a fault of ours")))
    clock.now += 31
    assert retrier.call(Service(clock)) == "found"
