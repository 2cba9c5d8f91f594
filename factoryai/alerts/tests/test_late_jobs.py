"""An alert while a job that was due has not run, whoever is left to notice."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from factoryai.alerts.late_jobs import Watchman, watch_jobs
from factoryai.alerts.models import Alert
from factoryai.jobs.models import Job
from factoryai.jobs.services import job_started, sync_schedule
from factoryai.sites.tests.factories import make_people

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def people(db):
    return make_people()


def test_a_late_job_is_told_once_a_site_and_the_alert_closes_when_it_has_run(people):
    people.other_site.is_active = False
    people.other_site.save()
    sync_schedule(at=NOON)
    assert watch_jobs(at=NOON) == 0
    assert watch_jobs(at=NOON + HOUR) > 0
    watch_jobs(at=NOON + HOUR + MINUTE)
    alert = Alert.objects.get()
    assert (alert.site, alert.times_raised) == (people.site, 1)
    assert "more" in alert.detail
    for name in Job.objects.values_list("name", flat=True):
        job_started(name=name, at=NOON + HOUR + MINUTE)
    watch_jobs(at=NOON + HOUR + MINUTE)
    assert not Alert.objects.get().is_open


@pytest.mark.django_db(transaction=True)
def test_with_scheduler_and_workers_gone_the_web_process_says_so():
    people = make_people()
    sync_schedule(at=datetime.now(UTC) - HOUR)
    watchman = Watchman(first_s=0.05, every_s=0.05)
    watchman.start()
    deadline = time.monotonic() + 20
    while not Alert.objects.filter(site=people.site, kind="job_missed").exists():
        assert time.monotonic() < deadline, "nobody said that no job runs"
        time.sleep(0.05)
    watchman.stop()
    watchman.join()
