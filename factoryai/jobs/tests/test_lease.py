"""One scheduler acts; a second waits until the first gives up, dies, or loses its lease."""

from __future__ import annotations

import datetime as dt

import pytest
from django_celery_beat.models import PeriodicTask

from factoryai.celery import app
from factoryai.jobs.models import BeatLease
from factoryai.jobs.scheduler import ASKS_EVERY_S, Scheduler
from factoryai.jobs.services import LEASE_FOR, hold_beat, is_scheduler_running, late_jobs, release_beat, sync_schedule

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
pytestmark = pytest.mark.django_db


def test_the_second_scheduler_waits_while_the_first_renews():
    for seconds in range(0, 300, 5):
        at = NOON + seconds * SECOND
        assert (hold_beat(holder="one", at=at), hold_beat(holder="two", at=at)) == (True, False)


def test_a_scheduler_that_was_killed_is_followed_when_its_lease_ends():
    hold_beat(holder="one", at=NOON)
    assert not hold_beat(holder="two", at=NOON + LEASE_FOR - SECOND)
    assert hold_beat(holder="two", at=NOON + LEASE_FOR)
    assert not hold_beat(holder="one", at=NOON + LEASE_FOR)


def test_a_scheduler_that_stops_in_order_is_followed_at_once():
    hold_beat(holder="one", at=NOON)
    release_beat(holder="one", at=NOON)
    assert hold_beat(holder="two", at=NOON)


def test_a_stranger_cannot_give_back_the_lease_of_another():
    hold_beat(holder="one", at=NOON)
    release_beat(holder="two", at=NOON)
    assert not hold_beat(holder="two", at=NOON)


def test_a_clock_that_goes_back_a_day_does_not_leave_a_lease_for_a_day():
    hold_beat(holder="one", at=NOON)
    assert hold_beat(holder="two", at=NOON - dt.timedelta(days=1))


@pytest.mark.django_db(transaction=True)
def test_a_real_scheduler_without_the_lease_sends_nothing_and_does_not_say_that_it_runs():
    hold_beat(holder="another machine", at=dt.datetime.now(dt.UTC))
    waiting = Scheduler(app=app, lazy=True)
    assert waiting.tick() == ASKS_EVERY_S
    assert not is_scheduler_running(dt.datetime.now(dt.UTC))
    assert BeatLease.objects.get().holder == "another machine"


def test_a_job_that_is_due_and_has_not_begun_is_late_and_one_switched_off_is_not():
    sync_schedule(at=NOON)
    assert late_jobs(at=NOON) == []
    assert "occupancy.note_live_cameras" in late_jobs(at=NOON + dt.timedelta(minutes=5))
    PeriodicTask.objects.filter(name="occupancy.note_live_cameras").update(enabled=False)
    assert "occupancy.note_live_cameras" not in late_jobs(at=NOON + dt.timedelta(minutes=5))
