"""Pay periods through their addresses: lock, adjust, unlock, export."""

from __future__ import annotations

import csv
from datetime import date
from typing import Any

import pytest

from attendance.models import DayRecord, PayPeriod
from attendance.tests.calls import CHECK_IN, CHECK_OUT, get, post
from attendance.tests.factories import MONDAY, Plant, make_plant


@pytest.fixture
def plant(db: None) -> Plant:
    return make_plant()


def lock(plant: Plant, user: Any = None, **fields: Any) -> Any:
    made = {"site": "pune", "first_date": "2026-03-02", "last_date": "2026-03-08"}
    period = post(plant.people.meena, "periods", made).json()["id"]
    return period, post(user or plant.people.meena, f"periods/{period}/lock", fields)


def test_a_period_with_open_flags_is_locked_only_on_purpose(plant: Plant) -> None:
    post(plant.people.gate, "check-in", CHECK_IN)
    period, answer = lock(plant)
    assert (answer.status_code, answer.json()["code"]) == (409, "flags_unreviewed")
    locked = post(plant.people.meena, f"periods/{period}/lock", {"accept_unreviewed": True}).json()
    assert (locked["state"], len(locked["content_hash"])) == ("locked", 64)
    inside = DayRecord.objects.dated(MONDAY, date(2026, 3, 8))
    assert set(inside.values_list("state", flat=True)) == {"locked"}


def locked_days() -> list[dict[str, Any]]:
    return list(DayRecord.objects.filter(state="locked").order_by("pk").values())


def test_what_comes_after_the_lock_is_an_adjustment(plant: Plant) -> None:
    post(plant.people.gate, "check-in", CHECK_IN)
    period, _ = lock(plant, accept_unreviewed=True)
    before = locked_days()
    post(plant.people.gate, "check-out", CHECK_OUT)
    assert locked_days() == before
    adjustment = get(plant.people.meena, f"periods/{period}/adjustments").json()[0]
    assert (adjustment["worked_minutes"], adjustment["settled_in"]) == (473, None)
    day = plant.record(plant.asha).pk
    review = post(plant.people.meena, f"days/{day}/review", {"flag": "late", "decision": "confirmed"})
    assert (review.status_code, review.json()["code"]) == (409, "period_locked")


def test_only_a_manager_unlocks_and_says_why(plant: Plant) -> None:
    period, _ = lock(plant, accept_unreviewed=True)
    assert post(plant.people.meena, f"periods/{period}/unlock", {"reason": "x"}).status_code == 403
    assert post(plant.people.stranger, f"periods/{period}/unlock", {"reason": "x"}).status_code == 404
    opened = post(plant.people.kavita, f"periods/{period}/unlock", {"reason": "The union found a mistake"}).json()
    assert opened["state"] == "open"
    steps = PayPeriod.objects.get(pk=period).steps.values_list("step", "reason")
    assert list(steps) == [("unlocked", "The union found a mistake"), ("locked", "")]


def test_a_period_that_is_not_over_is_not_locked(plant: Plant) -> None:
    made = {"site": "pune", "first_date": "2190-03-02", "last_date": "2190-03-08"}
    period = post(plant.people.meena, "periods", made).json()["id"]
    assert post(plant.people.meena, f"periods/{period}/lock", {}).json()["code"] == "days_not_final"


def test_periods_do_not_overlap(plant: Plant) -> None:
    made = {"site": "pune", "first_date": "2026-03-01", "last_date": "2026-03-31"}
    assert post(plant.people.meena, "periods", made).status_code == 201
    answer = post(plant.people.meena, "periods", {**made, "department": "Paint", "first_date": "2026-03-31"})
    assert (answer.status_code, answer.json()["code"]) == (409, "periods_overlap")


def export(user: Any, period: int, kind: str = "csv") -> Any:
    return get(user, "payroll-export", period=period, format=kind)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_export_repeats_byte_for_byte(plant: Plant, kind: str) -> None:
    post(plant.people.gate, "check-in", CHECK_IN)
    period, _ = lock(plant, accept_unreviewed=True)
    first, second = (export(plant.people.meena, period, kind) for _ in range(2))
    assert first.status_code == 200
    assert first.getvalue() == second.getvalue()
    assert PayPeriod.objects.get(pk=period).content_hash in first["ETag"]
    assert export(plant.people.stranger, period, kind).status_code == 404
    assert export(plant.people.farid, period, kind).status_code == 403


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_paid_payroll_does_not_change_when_a_person_or_the_site_is_renamed(plant: Plant, kind: str) -> None:
    post(plant.people.gate, "check-in", CHECK_IN)
    period, _ = lock(plant, accept_unreviewed=True)
    before = export(plant.people.meena, period, kind).getvalue()
    type(plant.site).objects.filter(pk=plant.site.pk).update(name="Pune Works")
    type(plant.asha).objects.filter(pk=plant.asha.pk).update(name="Asha Rao", department="Paint")
    assert export(plant.people.meena, period, kind).getvalue() == before


def test_a_shift_cut_at_midnight_says_what_was_worked_on_which_date(plant: Plant) -> None:
    plant.night.versions.update(dated_by="split")
    plant.punch(plant.ravi, "2026-03-02 21:58:30", "in")
    plant.punch(plant.ravi, "2026-03-03 06:01:45", "out")
    plant.rebuild(plant.ravi)
    period, _ = lock(plant, accept_unreviewed=True)
    rows = list(csv.reader(export(plant.people.meena, period).getvalue().decode("utf-8-sig").splitlines()))
    heading = next(row for row in rows if "worked_by_date" in row)
    shares = {row[heading.index("worked_by_date")] for row in rows if len(row) == len(heading)} - {"", "worked_by_date"}
    assert shares == {"2026-03-02 121; 2026-03-03 362"}


def test_cells_that_begin_a_formula_are_inert(plant: Plant) -> None:
    type(plant.asha).objects.filter(pk=plant.asha.pk).update(name="=cmd|' /C calc'!A0")
    post(plant.people.gate, "check-in", CHECK_IN)
    period, _ = lock(plant, accept_unreviewed=True)
    assert "'=cmd|" in export(plant.people.meena, period).getvalue().decode()
