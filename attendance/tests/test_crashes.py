"""Killed without warning at any moment of the work: nothing lost, nothing doubled, and the next run finishes it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from attendance.export import content_hash
from attendance.models import DayRecord, Decision, DirtyDay, Flag, FrozenPayroll, PayPeriod, Punch
from attendance.services.periods import add_period
from attendance.services.punches import NewPunch
from attendance.services.rebuild import rebuild_dirty, rebuild_site
from attendance.tests import crash_child
from attendance.tests.factories import MONDAY, Plant, assign, clock, make_employee, make_plant
from identity.models import Employee

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

PEOPLE = 40
KILLS = 6
LONGEST_S = {"ingest": 0.2, "rebuild": 0.3, "review": 0.4, "lock": 0.3, "export": 0.1}
"""Kills come at random moments up to these; a faster machine may have finished some of the work by then."""


def rows_to_send() -> list[NewPunch]:
    """Everybody comes late and leaves early on Monday: two punches a person, in the same order each time."""
    rows = []
    for number, person in enumerate(Employee.objects.filter(code__startswith="P").order_by("code")):
        comes, goes = clock("2026-03-02 08:10"), clock("2026-03-02 16:00")
        rows.append(NewPunch(person.pk, comes + timedelta(seconds=number), "in", f"in-{number}"))
        rows.append(NewPunch(person.pk, goes + timedelta(seconds=number), "out", f"out-{number}"))
    return rows


@pytest.fixture
def plant() -> Plant:
    plant = make_plant()
    for number in range(PEOPLE):
        person = make_employee(plant.site, f"P{number:02}", f"Person {number}")
        assign(person, plant.day, since=MONDAY, to_date=MONDAY)
    plant.source()
    return plant


class Worker:
    """The process that works and is killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "attendance.tests.crash_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "factoryai.settings"},
        )
        assert self._line() == "ready"

    def run(self, work: str, after_s: float | None = None) -> list[str]:
        """Begin a work and kill it after so long, or let it finish; return what it said in between."""
        assert self._process.stdin
        self._process.stdin.write(f"{work}\n")
        self._process.stdin.flush()
        pid = int(self._line().removeprefix("pid "))
        if after_s is not None:
            time.sleep(after_s)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        said = []
        while (line := self._line()) != "over":
            said.append(line)
        return said

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def database_url() -> str:
    """Return the address of the database that this test runs on."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    return f"postgresql://{given['USER']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


@pytest.fixture
def worker(plant: Plant) -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()


def moments(work: str) -> Iterator[float]:
    dice = random.Random(f"kill {work}")
    return (dice.uniform(0, LONGEST_S[work]) for _ in range(KILLS))


def test_an_acknowledged_punch_is_there_and_no_punch_is_there_twice(plant: Plant, worker: Worker) -> None:
    for after_s in moments("ingest"):
        said = worker.run("ingest", after_s)
        acknowledged = [int(line.split()[1]) for line in said if line.startswith("acknowledged")]
        sent = [row.event_id for row in rows_to_send()][: max(acknowledged, default=0)]
        assert Punch.objects.filter(event_id__in=sent).count() == len(sent)
        Punch.objects.filter(event_id__startswith="out").delete()
    worker.run("ingest")
    assert Punch.objects.count() == 2 * PEOPLE
    rebuild_dirty(at=crash_child.LATER)
    assert Flag.objects.filter(kind="late").count() == PEOPLE


def everything() -> list[tuple[Any, ...]]:
    """Return all days and flags, without the ids under which they were written."""
    days = DayRecord.objects.order_by("employee", "slot").values_list("employee", "slot", "digest", "state")
    flags = Flag.objects.order_by("day__employee", "day__slot", "kind").values_list("day__employee", "kind", "why")
    return [*days, *flags]


def test_a_killed_rebuild_is_finished_by_the_next_one(plant: Plant, worker: Worker) -> None:
    worker.run("ingest")
    for after_s in moments("rebuild"):
        worker.run("rebuild", after_s)
        assert DayRecord.objects.count() % 5 == 0
    worker.run("rebuild")
    found = everything()
    assert DirtyDay.objects.count() == 0
    DayRecord.objects.all().delete()
    rebuild_site(site=plant.site, first=MONDAY, last=MONDAY, at=crash_child.LATER)
    from_scratch = everything()
    assert [row for row in found if row in from_scratch] == found
    assert DayRecord.objects.filter(first_in__isnull=False).count() == PEOPLE


def test_a_decision_is_whole_or_not_there(plant: Plant, worker: Worker) -> None:
    worker.run("ingest")
    worker.run("rebuild")
    for after_s in moments("review"):
        worker.run("review", after_s)
        assert Flag.objects.filter(review="excused").count() == Decision.objects.count()
    worker.run("review")
    assert not Flag.objects.awaiting_review().exists()
    assert Decision.objects.count() == Flag.objects.count() == 2 * PEOPLE


def test_a_lock_is_whole_or_not_there(plant: Plant, worker: Worker) -> None:
    worker.run("ingest")
    worker.run("rebuild")
    period = add_period(site=plant.site, first=MONDAY, last=MONDAY)
    for after_s in moments("lock"):
        worker.run("lock", after_s)
        period.refresh_from_db()
        locked = DayRecord.objects.filter(state="locked").count()
        assert (period.is_locked, FrozenPayroll.objects.count(), period.steps.count()) in [(False, 0, 0), (True, 1, 1)]
        assert bool(locked) is period.is_locked
    worker.run("lock")
    period.refresh_from_db()
    assert (period.is_locked, period.steps.count()) == (True, 1)


def test_a_killed_export_changes_nothing(plant: Plant, worker: Worker) -> None:
    worker.run("ingest")
    worker.run("rebuild")
    add_period(site=plant.site, first=MONDAY, last=MONDAY)
    worker.run("lock")
    period, before = PayPeriod.objects.get(), everything()
    expected = content_hash(period)
    for after_s in moments("export"):
        worker.run("export", after_s)
    assert "done" in worker.run("export")
    assert (everything(), content_hash(period)) == (before, expected)
