"""The scheduler's time table: a real beat on a clock that is set, for every way in which a night can go wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection, transaction
from django_celery_beat.models import PeriodicTask

from factoryai.alerts.models import Alert
from factoryai.celery import app
from factoryai.jobs import scheduler
from factoryai.jobs.models import BeatLease, Job
from factoryai.jobs.schedule import SCHEDULE
from factoryai.jobs.services import sync_schedule
from factoryai.sites.models import Site
from occupancy.models import Hour, Zone
from occupancy.rules.sums import Kind, hours_of
from occupancy.services.logs import NewLog, record_logs
from occupancy.services.resets import reset_zones
from occupancy.services.sums import sum_days, sum_hours, sum_months

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
JOBS = ("occupancy.sum_hours", "occupancy.sum_days", "occupancy.sum_months", "occupancy.reset_drift")
STEP = 10 * MINUTE


@pytest.fixture
def beats(monkeypatch):
    """Makes real schedulers that know four jobs, and run them where they stand instead of sending them."""
    chosen = [entry for entry in SCHEDULE if entry.task in JOBS]
    monkeypatch.setattr(scheduler, "sync_schedule", partial(sync_schedule, chosen))
    monkeypatch.setattr(scheduler, "ASKS_EVERY_S", 0.0)
    app.conf.task_always_eager = True
    for module in ("factoryai.jobs.scheduler", "django_celery_beat.schedulers"):
        monkeypatch.setattr(f"{module}.close_old_connections", lambda: None)  # the test's transaction needs its own
    app.loader.import_default_modules()
    made = []

    def make():
        made.append(scheduler.Scheduler(app=app, lazy=False))
        return made[-1]

    yield make
    app.conf.task_always_eager = False
    for one in made:
        one.close()


def plant(timezone, first):
    """A site with a zone that was reset on the eve and has counted three people, one of them too many."""
    zone = ZoneInfo(timezone)
    site = Site.objects.create(slug="plant", name="Plant", timezone=timezone)
    hall = Zone.objects.create(site=site, name="Hall", last_reset_date=first)
    at = datetime.combine(first, datetime.min.time(), zone) + timedelta(hours=20)
    rows = [NewLog(str(n), hall.pk, (at + n * MINUTE).astimezone(UTC), "in") for n in range(3)]
    record_logs(rows=rows, zones=[hall], source="gate", at=(at + HOUR).astimezone(UTC))
    return hall


def live(beats, hours, down=(), second=False):
    """Let the time between two instants pass; ``down`` are pairs between which no scheduler runs."""
    start, end = hours
    running, other, at = None, None, start
    with time_machine.travel(start, tick=False) as clock:
        while at <= end:
            clock.move_to(at)
            is_down = any(first <= at < last for first, last in down)
            if is_down and running:
                running.close()
                running = None
            elif not is_down:
                running = running or beats()
                turn(running)
                if second:
                    other = other or beats()
                    assert other.tick() == 0.0, "the second scheduler acts as well"
            at += STEP


def turn(running):
    """Let a scheduler do all that is due now."""
    for _ in range(30):
        before = sum(Job.objects.values_list("runs", flat=True))
        running.tick()
        if sum(Job.objects.values_list("runs", flat=True)) == before:
            return


def local(hall, text):
    return datetime.fromisoformat(text).replace(tzinfo=hall.site.zone).astimezone(UTC)


def resets(hall):
    return [f"{log.at.astimezone(hall.site.zone):%m-%d %H:%M}" for log in hall.logs.filter(kind=Kind.RESET)]


def test_a_quiet_night_resets_at_three_and_sums_its_hours(beats):
    hall = plant("Asia/Kolkata", date(2026, 3, 2))
    live(beats, (local(hall, "2026-03-03 02:00"), local(hall, "2026-03-03 04:40")))
    hall.refresh_from_db()
    assert resets(hall) == ["03-03 03:00"]
    assert hall.summed_until == local(hall, "2026-03-03 04:00")
    assert not Alert.objects.exists()


@pytest.mark.parametrize(
    ("back", "done", "asked"),
    [
        pytest.param("2026-03-03 03:30", ["03-03 03:30"], 0, id="back in the window"),
        pytest.param("2026-03-03 04:30", [], 1, id="back at half past four"),
        pytest.param("2026-03-04 01:00", [], 1, id="back at one the next night"),
    ],
)
def test_a_scheduler_that_was_down_over_three_never_resets_at_a_wrong_time(beats, back, done, asked):
    hall = plant("Asia/Kolkata", date(2026, 3, 2))
    live(beats, (local(hall, "2026-03-03 02:20"), local(hall, "2026-03-03 02:40")))
    live(beats, (local(hall, back), local(hall, back) + 30 * MINUTE))
    assert (resets(hall), Alert.objects.filter(kind="drift_reset").count()) == (done, asked)
    assert Zone.objects.with_counts().get().raw_count == (0 if done else 3)


def test_hours_and_the_first_of_the_month_that_passed_meanwhile_are_caught_up(beats):
    hall = plant("Asia/Kolkata", date(2026, 2, 27))
    live(beats, (local(hall, "2026-02-28 20:00"), local(hall, "2026-02-28 20:20")))
    live(beats, (local(hall, "2026-03-01 10:00"), local(hall, "2026-03-01 11:20")))
    hall.refresh_from_db()
    assert hall.summed_until == local(hall, "2026-03-01 11:00")
    assert list(hall.days.values_list("date", flat=True)) == [date(2026, 2, 27), date(2026, 2, 28)]
    assert list(hall.months.values_list("date", flat=True)) == [date(2026, 2, 1)]


def test_of_two_schedulers_one_acts(beats):
    hall = plant("Asia/Kolkata", date(2026, 3, 2))
    live(beats, (local(hall, "2026-03-03 02:40"), local(hall, "2026-03-03 03:20")), second=True)
    assert resets(hall) == ["03-03 03:00"]
    assert BeatLease.objects.count() == 1
    assert Job.objects.get(name="occupancy.reset_drift").runs <= 5


def test_a_clock_that_goes_back_an_hour_neither_resets_again_nor_spoils_a_sum(beats):
    hall = plant("Asia/Kolkata", date(2026, 3, 2))
    live(beats, (local(hall, "2026-03-03 02:40"), local(hall, "2026-03-03 03:40")))
    sums = list(hall.hours.values_list("start", "weighted_us"))
    live(beats, (local(hall, "2026-03-03 02:40"), local(hall, "2026-03-03 03:20")))
    assert resets(hall) == ["03-03 03:00"]
    assert list(hall.hours.values_list("start", "weighted_us")) == sums


@pytest.mark.parametrize(
    ("timezone", "day"),
    [
        pytest.param("Europe/Berlin", date(2026, 3, 29), id="Berlin, two o'clock is skipped"),
        pytest.param("Europe/Berlin", date(2026, 10, 25), id="Berlin, two o'clock comes twice"),
        pytest.param("America/New_York", date(2026, 3, 8), id="New York, two o'clock is skipped"),
        pytest.param("America/New_York", date(2026, 11, 1), id="New York, one o'clock comes twice"),
    ],
)
def test_a_night_of_a_clock_change_has_one_reset_at_three_and_all_its_hours(beats, timezone, day):
    hall = plant(timezone, day - DAY)
    live(beats, (local(hall, f"{day} 00:00"), local(hall, f"{day} 04:20")))
    sum_hours(at=local(hall, f"{day + DAY} 00:00"))
    assert resets(hall) == [f"{day:%m-%d} 03:00"]
    assert list(hall.hours.filter(date=day).order_by("start").values_list("start", flat=True)) == [
        start for start, _ in hours_of(day, hall.site.zone)
    ]


def test_a_daily_job_that_was_missed_by_hours_waits_for_its_next_time(beats, monkeypatch):
    """Beat's own deadline: what should have started half an hour ago is not started now."""
    only = [entry for entry in SCHEDULE if entry.task == "occupancy.thin_logs"]
    monkeypatch.setattr(scheduler, "sync_schedule", partial(sync_schedule, only))
    start = datetime(2026, 3, 3, 2, 40, tzinfo=UTC)
    live(beats, (start, start + 20 * MINUTE))
    assert Job.objects.get(name="occupancy.thin_logs").runs == 1
    live(beats, (start + DAY + 3 * HOUR, start + DAY + 3 * HOUR + 20 * MINUTE))
    assert Job.objects.get(name="occupancy.thin_logs").runs == 1
    assert PeriodicTask.objects.get(name="occupancy.thin_logs").total_run_count == 1


class KilledError(BaseException):
    """The process is gone."""


def killed_at(number, work):
    """Run ``work`` until its statement ``number`` and let nothing after it happen; True when it got so far."""
    count = 0

    def execute(run, statement, *rest):
        nonlocal count
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            count += 1
            if count == number:
                raise KilledError
        return run(statement, *rest)

    try:
        with connection.execute_wrapper(execute):
            work()
    except KilledError:
        return True
    return False


def test_killed_at_any_statement_the_next_run_makes_it_right():
    hall = plant("Asia/Kolkata", date(2026, 2, 28))
    night, later = local(hall, "2026-03-01 03:05"), local(hall, "2026-03-01 04:05")

    def work():
        reset_zones(at=night, people_on_shift=None)
        sum_hours(at=later), sum_days(at=later), sum_months(at=later)

    def outcome():
        hours = list(
            Hour.objects.order_by("start").values_list("start", "weighted_us", "peak", "low", "logs", "closing")
        )
        return resets(hall), hours, list(hall.days.values_list("date", "logs")), hall.months.count()

    with transaction.atomic():
        work()
        wanted = outcome()
        transaction.set_rollback(True)
    statements = 0
    for number in (*range(1, 24), *range(24, 400, 7)):
        with transaction.atomic():
            was_killed = killed_at(number, work)
            work()
            assert outcome() == wanted, f"killed at statement {number}"
            transaction.set_rollback(True)
        statements += was_killed
        if not was_killed:
            break
    assert statements > 25
