"""Two people, or a person and a device, at the same moment: one wins, the other is told, and nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from attendance.models import Correction, DayRecord, Decision, FrozenPayroll, PayPeriod, Punch, Supersession
from attendance.services.corrections import ask_correction, decide_correction
from attendance.services.periods import add_period, lock_period
from attendance.services.punches import NewPunch, record_punch, record_punches
from attendance.services.rebuild import rebuild_dirty, rebuild_site
from attendance.services.review import review_flag
from attendance.tests.factories import LATER, MONDAY, Plant, clock, make_plant
from factoryai.rest import Refusal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plant() -> Plant:
    plant = make_plant()
    plant.punch(plant.asha, "2026-03-02 08:10", "in", at=LATER)
    rebuild_site(site=plant.site, first=MONDAY, last=MONDAY, at=LATER)
    return plant


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """Do all of it at the same moment; return ``done`` or the code of the refusal for each, sorted."""
    barrier, outcomes = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            act()
        except Refusal as refusal:
            outcomes.append(refusal.code)
        else:
            outcomes.append("done")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_of_two_decisions_about_a_flag_one_stands(plant: Plant) -> None:
    def decide(by: Any) -> Callable[[], Any]:
        flag = plant.flag(plant.asha, "late")
        return lambda: review_flag(flag=flag, decision="excused", note="bus", by=by, at=LATER)

    assert at_once(decide(plant.people.meena), decide(plant.people.kavita)) == ["already_reviewed", "done"]
    assert Decision.objects.get().by == plant.flag(plant.asha, "late").reviewed_by


def test_a_decision_during_a_rebuild_stands(plant: Plant) -> None:
    flag = plant.flag(plant.asha, "late")
    row = NewPunch(plant.asha.pk, clock("2026-03-02 17:00"), "out", "exit")
    outcomes = at_once(
        lambda: review_flag(flag=flag, decision="excused", note="bus", by=plant.people.meena, at=LATER),
        lambda: record_punch(row=row, employee=plant.asha, source=plant.source(), at=LATER),
    )
    assert outcomes == ["done", "done"]
    assert plant.flag(plant.asha, "late").review == "excused"
    assert plant.record(plant.asha).last_out == clock("2026-03-02 17:00")


def test_of_two_locks_one_locks(plant: Plant) -> None:
    period = add_period(site=plant.site, first=MONDAY, last=MONDAY)

    def lock(by: Any) -> Callable[[], Any]:
        return lambda: lock_period(period=period, by=by, at=LATER, accept_unreviewed=True)

    assert at_once(lock(plant.people.meena), lock(plant.people.kavita)) == ["already_locked", "done"]
    assert (FrozenPayroll.objects.count(), PayPeriod.objects.get().steps.count()) == (1, 1)


def test_a_punch_during_a_lock_is_in_the_day_or_an_adjustment(plant: Plant) -> None:
    period = add_period(site=plant.site, first=MONDAY, last=MONDAY)
    row = NewPunch(plant.asha.pk, clock("2026-03-02 17:00"), "out", "exit")
    at_once(
        lambda: lock_period(period=period, by=plant.people.meena, at=LATER, accept_unreviewed=True),
        lambda: record_punch(row=row, employee=plant.asha, source=plant.source(), at=LATER),
    )
    day = plant.record(plant.asha)
    is_in = day.last_out is not None
    assert day.state == "locked"
    assert plant.asha.adjustments.count() == (0 if is_in else 1)


def test_of_two_corrections_of_a_punch_one_is_applied(plant: Plant) -> None:
    wrong = Punch.objects.get()

    def approve() -> Callable[[], Any]:
        asked = ask_correction(
            employee=plant.asha, kind="remove", reason="wrong face", punch=wrong, by=plant.people.meena, at=LATER
        )
        return lambda: decide_correction(correction=asked, approve=True, note="", by=plant.people.kavita, at=LATER)

    assert at_once(approve(), approve()) == ["already_superseded", "done"]
    assert Supersession.objects.count() == 1
    assert Correction.objects.filter(state="approved").count() == 1


def meanwhile(first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
    """Begin ``second`` while ``first`` is done but not committed; return what each returned."""
    is_done, answers = threading.Event(), [None, None]

    def hold() -> None:
        with transaction.atomic():
            answers[0] = first()
            is_done.set()
            time.sleep(0.3)

    def follow() -> None:
        is_done.wait()
        answers[1] = second()

    at_once(hold, follow)
    return answers


def test_a_lot_and_a_single_punch_of_one_event_are_one_fact(plant: Plant) -> None:
    source = plant.source()
    row = NewPunch(plant.ravi.pk, clock("2026-03-02 22:00"), "in", "same")
    other = NewPunch(plant.ravi.pk, clock("2026-03-03 06:00"), "out", "other")

    def single() -> Any:
        return record_punch(row=row, employee=plant.ravi, source=source, at=LATER)

    def lot() -> Any:
        return record_punches(rows=[row, other], source=source, people={plant.ravi.pk: plant.ravi}, at=LATER)

    outcome, received = meanwhile(single, lot)
    assert (outcome.is_duplicate, received.accepted, received.duplicates) == (False, 1, 1)
    Punch.objects.all().delete()
    received, outcome = meanwhile(lot, single)
    assert (received.accepted, outcome.punch.event_id) == (2, "same")
    assert Punch.objects.filter(source=source).count() == 2


def test_an_event_that_another_person_takes_at_the_same_moment_is_refused_in_the_lot(plant: Plant) -> None:
    source, moment = plant.source(), clock("2026-03-02 22:00")
    _, received = meanwhile(
        lambda: record_punch(
            row=NewPunch(plant.asha.pk, moment, "in", "same"), employee=plant.asha, source=source, at=LATER
        ),
        lambda: record_punches(
            rows=[NewPunch(plant.ravi.pk, moment, "in", "same")],
            source=source,
            people={plant.ravi.pk: plant.ravi},
            at=LATER,
        ),
    )
    assert [code for _, code, _ in received.rejected] == ["event_id_reused"]


def test_two_workers_rebuild_the_same_marks_and_the_days_are_there_once(plant: Plant) -> None:
    plant.punch(plant.ravi, "2026-03-02 22:30", "in", at=LATER)
    DayRecord.objects.all().delete()
    assert at_once(lambda: rebuild_dirty(at=LATER), lambda: rebuild_dirty(at=LATER)) == ["done", "done"]
    both = [lambda: rebuild_site(site=plant.site, first=MONDAY, last=MONDAY, at=LATER)] * 2
    assert at_once(*both) == ["done", "done"]
    assert DayRecord.objects.filter(employee=plant.ravi, shift_date=MONDAY).count() == 1
