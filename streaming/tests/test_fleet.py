"""A camera process that is cut off from the database, beside one that is not: real database and Redis, a clock by hand.

The cameras have drawings that make no sense, so that no reader runs: who may work on them is what is looked at.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import redis
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from factoryai.sites.tests.factories import make_site
from streaming import bus
from streaming.fleet import Fleet
from streaming.models import Camera, CameraStatus
from streaming.publisher import FramePublisher
from streaming.tenure import Tenures, Verdict
from streaming.tests.factories import make_camera

pytestmark = pytest.mark.django_db

SLUG = "fenced"


class Clock:
    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> dt.datetime:
        return self.now

    def unix(self) -> float:
        return self.now.timestamp()

    def tick(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


class Machine:
    """One camera process of two."""

    def __init__(self, clock: Clock) -> None:
        self.publisher, self.tenures = FramePublisher(settings.REDIS_URL, clock.unix), Tenures()
        self.fleet = Fleet(None, self.publisher, tenures=self.tenures, clock=clock)
        self.publisher.start()

    @property
    def has_camera(self) -> bool:
        return CameraStatus.objects.filter(worker=self.fleet.worker).exists()

    @property
    def works_on_it(self) -> bool:
        return bool(self.fleet._held)

    def judge(self, at: dt.datetime) -> Verdict:
        return self.tenures.judge(SLUG, at.timestamp())


def away() -> AbstractContextManager[None]:
    """The database does not answer."""

    def refuse(*args: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    return connection.execute_wrapper(refuse)


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def camera(db: None) -> Camera:
    return make_camera(make_site(), SLUG, zones=[{"points": "everywhere"}])


@pytest.fixture
def store() -> Iterator[redis.Redis]:
    store = redis.Redis.from_url(settings.REDIS_URL)
    names = (bus.shown_by_key(SLUG), bus.last_key(SLUG))
    store.delete(*names)
    yield store
    store.delete(*names)
    store.close()


@pytest.fixture(autouse=True)
def one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both machines stand in the test's transaction, which a process of its own would not have to keep open."""
    monkeypatch.setattr("streaming.fleet.close_old_connections", lambda: None)


@pytest.fixture
def machines(clock: Clock, camera: Camera, store: redis.Redis) -> Iterator[tuple[Machine, Machine]]:
    """Two machines, the first of which has the camera and has said so."""
    first, second = Machine(clock), Machine(clock)
    first.fleet.upkeep()
    wait_for(lambda: store.get(bus.shown_by_key(SLUG)))
    yield first, second
    first.publisher.stop()
    second.publisher.stop()


def shows(machine: Machine, store: redis.Redis, clock: Clock) -> bool:
    """Whether a picture of the machine reaches the bus now."""
    store.delete(bus.last_key(SLUG))
    machine.publisher.keep_last(bus.Header(SLUG, bus.FULL, 1, clock.unix(), clock.unix()), b"jpeg")
    return store.exists(bus.last_key(SLUG)) == 1


def test_a_short_absence_of_the_database_changes_nothing(machines, clock, store):
    first, second = machines
    with away():
        clock.tick(10)
        first.fleet.upkeep()
        assert shows(first, store, clock)
        assert first.judge(clock()) is Verdict.OURS
    second.fleet.upkeep()
    assert not second.works_on_it


def test_a_database_that_is_away_for_everybody_stops_no_picture_and_loses_no_fact(machines, clock, store):
    first, _ = machines
    with away():
        clock.tick(60)
        store.delete(bus.shown_by_key(SLUG))  # its time is up on the clock by hand
        first.fleet.upkeep()
        wait_for(lambda: shows(first, store, clock))
        assert first.works_on_it
        seen_at = clock()
        assert first.judge(seen_at) is Verdict.UNSETTLED
    clock.tick(60)
    first.fleet.upkeep()
    assert first.judge(seen_at) is Verdict.OURS


def test_a_machine_that_is_cut_off_yields_to_the_one_that_took_over(machines, clock, store):
    first, second = machines
    clock.tick(16)
    seen_at = clock()
    assert not shows(first, store, clock)  # from the first instant, before anything was asked
    second.fleet.upkeep()
    wait_for(lambda: first.publisher.is_elsewhere(SLUG))
    with away():
        first.fleet.upkeep()
    assert not first.works_on_it
    assert first.judge(seen_at) is Verdict.THEIRS
    assert second.judge(seen_at) is Verdict.OURS
    assert [shows(second, store, clock), second.has_camera] == [True, True]


def test_facts_that_waited_are_dropped_when_the_database_names_another(machines, clock):
    first, second = machines
    clock.tick(16)
    seen_at = clock()
    assert first.judge(seen_at) is Verdict.UNSETTLED
    second.fleet.upkeep()
    first.fleet.upkeep()
    assert not first.works_on_it
    assert first.judge(seen_at) is Verdict.THEIRS


def test_the_camera_comes_back_by_itself_when_the_other_lets_go(machines, clock, store):
    first, second = machines
    clock.tick(16)
    second.fleet.upkeep()
    first.fleet.upkeep()
    second.fleet._end()
    first.fleet.upkeep()
    assert [first.has_camera, first.works_on_it, shows(first, store, clock)] == [True, True, True]
    assert first.judge(clock()) is Verdict.OURS


def test_a_lease_from_a_clock_that_was_wrong_holds_nobody_off(camera, clock):
    CameraStatus.objects.create(camera=camera, worker="gone", leased_until=clock() + dt.timedelta(hours=5))
    assert list(Camera.objects.takeable("me", clock())) == [camera]
    CameraStatus.objects.update(leased_until=clock() + dt.timedelta(minutes=9))
    assert not Camera.objects.takeable("me", clock()).exists()
