"""Heartbeats of jobs, and a schedule that leaves alone what an admin changed."""

from __future__ import annotations

import datetime as dt

import pytest
from celery import current_app
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from factoryai.jobs.models import LATE_AFTER, Job
from factoryai.jobs.schedule import SCHEDULE, Cron, Entry, seconds
from factoryai.jobs.services import (
    RUNNING_WITHIN,
    beat_ticked,
    is_scheduler_running,
    job_started,
    late_jobs,
    run_job,
    scheduler_status,
    sync_schedule,
)

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
ENTRY = Entry("tests.sweep", seconds(60))

pytestmark = pytest.mark.django_db


def names() -> set[str]:
    return set(PeriodicTask.objects.values_list("name", flat=True))


def task() -> PeriodicTask:
    return PeriodicTask.objects.get(name=ENTRY.task)


def status_of(name: str, at: dt.datetime) -> dict:
    return next(row for row in scheduler_status(at=at)["jobs"] if row["name"] == name)


def test_a_good_run_is_written_down():
    moments = iter([NOON, NOON + SECOND])
    assert run_job("tests.sweep", lambda: {"swept": 3}, clock=lambda: next(moments)) == {"swept": 3}
    row = Job.objects.get(name="tests.sweep")
    assert (row.last_result, row.last_summary, row.runs, row.failures) == ("ok", '{"swept": 3}', 1, 0)
    assert (row.last_started_at, row.last_finished_at) == (NOON, NOON + SECOND)


def test_a_bad_run_is_written_down_and_still_fails():
    def breaks() -> str:
        raise ValueError("the broom is gone")

    with pytest.raises(ValueError, match="broom"):
        run_job("tests.sweep", breaks, clock=lambda: NOON)
    row = Job.objects.get(name="tests.sweep")
    assert (row.last_result, row.last_error, row.failures) == ("failed", "ValueError: the broom is gone", 1)


def test_a_good_run_after_a_bad_one_clears_the_error():
    Job.objects.create(name="tests.sweep", last_error="old", last_result="failed")
    run_job("tests.sweep", lambda: "Swept.", clock=lambda: NOON)
    assert Job.objects.get(name="tests.sweep").last_error == ""


def test_a_run_that_was_killed_is_seen_as_running():
    job_started(name="tests.sweep", at=NOON)
    assert Job.objects.get(name="tests.sweep").last_result == "running"


def test_a_due_time_that_passes_is_missed_and_stays_counted():
    sync_schedule([ENTRY], at=NOON)
    due = NOON + 60 * SECOND
    assert status_of("tests.sweep", due + LATE_AFTER)["missed"] == 0
    assert status_of("tests.sweep", due + LATE_AFTER + SECOND)["missed"] == 1
    job_started(name="tests.sweep", at=due + 5 * 60 * SECOND)
    assert status_of("tests.sweep", due + 5 * 60 * SECOND)["missed"] == 5


def test_the_status_has_the_fields_of_the_contract():
    sync_schedule([ENTRY], at=NOON)
    beat_ticked(at=NOON)
    status = scheduler_status(at=NOON)
    assert status["running"] is True
    assert status["jobs"][0].keys() == {
        "name", "schedule", "last_started_at", "last_finished_at", "last_result", "last_error", "next_due_at", "missed",
    }  # fmt: skip
    assert status["jobs"][0]["schedule"] == "every 60 s"


def test_a_scheduler_that_has_not_ticked_for_a_while_does_not_run():
    assert not is_scheduler_running(NOON)
    beat_ticked(at=NOON)
    assert is_scheduler_running(NOON + RUNNING_WITHIN)
    assert not is_scheduler_running(NOON + RUNNING_WITHIN + SECOND)


def test_syncing_twice_writes_once():
    assert set(sync_schedule(at=NOON)) == {entry.task for entry in SCHEDULE}
    assert sync_schedule(at=NOON) == []
    assert names() >= {entry.task for entry in SCHEDULE}


def test_a_new_time_in_the_code_is_taken_over():
    sync_schedule([ENTRY], at=NOON)
    assert sync_schedule([Entry(ENTRY.task, Cron("0", "3", zone="Asia/Kolkata"))], at=NOON) == [ENTRY.task]
    assert (task().interval, task().crontab.hour, str(task().crontab.timezone)) == (None, "3", "Asia/Kolkata")


def test_a_job_switched_off_stays_off_even_with_a_new_time():
    sync_schedule([ENTRY], at=NOON)
    PeriodicTask.objects.update(enabled=False)
    sync_schedule([Entry(ENTRY.task, seconds(30))], at=NOON)
    assert task().enabled is False
    assert status_of(ENTRY.task, NOON)["schedule"] == "off"


def test_a_time_that_an_admin_chose_is_kept():
    sync_schedule([ENTRY], at=NOON)
    PeriodicTask.objects.update(interval=IntervalSchedule.objects.create(every=5, period="minutes"))
    assert sync_schedule([Entry(ENTRY.task, seconds(30))], at=NOON) == []
    assert task().interval.every == 5


def test_a_deleted_job_stays_deleted():
    sync_schedule([ENTRY], at=NOON)
    PeriodicTask.objects.all().delete()
    assert sync_schedule([ENTRY], at=NOON) == []
    Job.objects.all().delete()
    assert sync_schedule([ENTRY], at=NOON) == [ENTRY.task]


def test_a_job_that_the_code_no_longer_has_is_taken_away_and_is_never_late():
    sync_schedule([ENTRY, Entry("tests.dust", seconds(60))], at=NOON)
    sync_schedule([ENTRY], at=NOON)
    assert names() & {ENTRY.task, "tests.dust"} == {ENTRY.task}
    assert late_jobs(at=NOON + 3600 * SECOND) == [ENTRY.task]
    assert status_of("tests.dust", NOON + 3600 * SECOND)["missed"] == 0


def test_a_job_the_code_does_not_know_is_left_alone():
    interval = IntervalSchedule.objects.create(every=1, period="hours")
    PeriodicTask.objects.create(name="theirs", task="theirs", interval=interval)
    sync_schedule([ENTRY], at=NOON)
    assert "theirs" in names()


def test_every_job_of_the_table_is_a_task():
    current_app.loader.import_default_modules()
    assert {entry.task for entry in SCHEDULE} <= set(current_app.tasks)


@pytest.mark.parametrize("name", [entry.task for entry in SCHEDULE])
def test_every_job_runs_twice_without_harm(name):
    current_app.loader.import_default_modules()
    for _ in range(2):
        current_app.tasks[name].apply(throw=True)
    assert Job.objects.get(name=name).runs == 2
