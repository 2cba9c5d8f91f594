"""Shifts, rosters and days off as HR writes them: what is refused in words, and what an edit would change."""

from __future__ import annotations

import html
from typing import Any

import pytest

from attendance.models import (
    Assignment,
    AttendancePolicy,
    DayRecord,
    DirtyDay,
    Flag,
    Holiday,
    Leave,
    ShiftVersion,
)
from attendance.services.periods import add_period, lock_period
from attendance.services.rebuild import rebuild_dirty
from attendance.tests.desk import browser, late_monday, text
from attendance.tests.factories import LATER, MONDAY, Plant, assign, make_shift


@pytest.fixture
def plant(db: None) -> Plant:
    return late_monday()


def shift_form(plant: Plant, **change: Any) -> dict[str, Any]:
    return {
        "site": plant.site.pk, "name": "A", "effective_from": "2026-03-01", "starts_at": "08:00", "ends_at": "17:00",
        "grace_in_minutes": 10, "grace_out_minutes": 0, "window_before_minutes": 120, "window_after_minutes": 240,
        "half_day_below_minutes": 0, "absent_below_minutes": 0, "break_minutes": 0, "break_after_minutes": 0,
        "break_slots": "", "direction_policy": "alternating", "worked_policy": "first_last", "double_entry_hours": 12,
        "repeat_within_minutes": 2, "dated_by": "start", "overtime_policy": "beyond_hours", **change,
    }  # fmt: skip


def test_a_shift_edit_says_how_many_days_would_change_before_it_is_saved(plant: Plant) -> None:
    add = "/admin/attendance/shiftversion/add/"
    page = text(browser(plant.people.meena).post(add, shift_form(plant, _preview="1")))
    assert "1 day of 1 person would change (" in page
    assert "Asha (E1), Mon 02 Mar: present, 7:53 h, late 6 min, early exit 60 min → present, 7:53 h" in page
    assert 'name="grace_in_minutes" value="10"' in page
    assert ShiftVersion.objects.filter(shift__name="A").count() == 1
    browser(plant.people.meena).post(add, shift_form(plant))
    rebuild_dirty(at=LATER)
    assert not Flag.objects.filter(kind="late").exists()


def roster_edits(plant: Plant) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return what HR may change besides a shift: the address of a form, and what is typed into it."""
    mine = plant.asha.assignments.get()
    monday = {"from_date": MONDAY, "to_date": MONDAY}
    no_turn = {"cycle_length": "", "cycle_days": "", "cycle_anchor": ""}
    policy = {"effective_from": MONDAY, "week_offs": ["0"], "free_lates": 0, "pay_rounding": "none"}
    return {
        "a holiday": ("holiday/add/", {"site": plant.site.pk, "date": MONDAY, "name": "Holi"}),
        "leave": ("leave/add/", {"employee": plant.asha.pk, **monday, "part": "whole", "kind": "sick"}),
        "a policy": ("attendancepolicy/add/", {"site": plant.site.pk, **policy, "pay_rounding_minutes": 15}),
        "an assignment": (
            f"assignment/{mine.pk}/change/",
            {"employee": plant.asha.pk, "shift": plant.night.pk, "from_date": mine.from_date, "to_date": "", **no_turn},
        ),
    }


@pytest.mark.parametrize("edit", ["a holiday", "leave", "a policy", "an assignment"])
def test_an_edit_of_the_roster_is_tried_out_before_it_is_saved(plant: Plant, edit: str) -> None:
    address, typed = roster_edits(plant)[edit]
    before = list(DayRecord.objects.order_by("pk").values())
    page = text(browser(plant.people.meena).post(f"/admin/attendance/{address}", {**typed, "_preview": "1"}))
    assert "would change (" in page
    assert "Asha (E1), Mon 02 Mar: present, 7:53 h, late 6 min, early exit 60 min →" in page
    assert list(DayRecord.objects.order_by("pk").values()) == before
    assert not any(model.objects.exists() for model in (Holiday, Leave, AttendancePolicy))
    assert plant.asha.assignments.get().shift == plant.day


def test_a_preview_says_which_days_are_locked(plant: Plant) -> None:
    period = add_period(site=plant.site, first=MONDAY, last=MONDAY)
    lock_period(period=period, by=plant.people.meena, at=LATER, accept_unreviewed=True)
    typed = {"site": plant.site.pk, "date": MONDAY, "name": "Holi", "_preview": "1"}
    page = text(browser(plant.people.meena).post("/admin/attendance/holiday/add/", typed))
    assert "in locked periods, which stay and get an adjustment instead" in page


def test_deleting_says_what_it_would_change(plant: Plant) -> None:
    mine = plant.asha.assignments.get()
    page = text(browser(plant.people.meena).get(f"/admin/attendance/assignment/{mine.pk}/delete/"))
    assert "Asha (E1), Mon 02 Mar: present, 7:53 h, late 6 min, early exit 60 min → no shift, 0:00 h, off shift" in page
    assert plant.asha.assignments.exists()


def test_a_preview_of_another_sites_roster_is_refused(plant: Plant) -> None:
    typed = {"site": plant.people.other_site.pk, "date": MONDAY, "name": "Holi", "_preview": "1"}
    page = text(browser(plant.people.meena).post("/admin/attendance/holiday/add/", typed))
    assert "Select a valid choice" in page
    assert "Nothing is saved yet" not in page


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        pytest.param("12:00-12:30, 15:00 – 15:15", [["12:00", "12:30"], ["15:00", "15:15"]], id="two breaks"),
        pytest.param("", [], id="none"),
    ],
)
def test_breaks_are_typed_as_people_write_them(plant: Plant, typed: str, kept: list) -> None:
    add = "/admin/attendance/shiftversion/add/"
    browser(plant.people.meena).post(add, shift_form(plant, name="B", break_slots=typed))
    version = ShiftVersion.objects.get(shift__name="B")
    assert version.break_slots == kept
    copied = text(browser(plant.people.meena).get(f"{add}?copy={version.pk}"))
    assert f'name="break_slots" value="{typed.replace(" – ", "-")}"' in copied or not typed


@pytest.mark.parametrize("typed", ["noon", "12:00", "12:00-25:00", "12:00-12:30-13:00"])
def test_breaks_that_make_no_sense_are_refused(plant: Plant, typed: str) -> None:
    page = text(
        browser(plant.people.meena).post(
            "/admin/attendance/shiftversion/add/", shift_form(plant, name="B", break_slots=typed)
        )
    )
    assert "Write times like 12:00-12:30" in page
    assert not ShiftVersion.objects.filter(shift__name="B").exists()


def test_a_turn_is_typed_from_its_first_day(plant: Plant) -> None:
    turn = {"cycle_length": 4, "cycle_days": "1-2", "cycle_anchor": MONDAY}
    typed = {"employee": plant.ravi.pk, "shift": plant.day.pk, "from_date": MONDAY, **turn}
    plant.ravi.assignments.all().delete()
    browser(plant.people.meena).post("/admin/attendance/assignment/add/", typed)
    assert plant.ravi.assignments.get().cycle_days == [0, 1]
    assert "days 1, 2 of every 4" in text(browser(plant.people.meena).get("/admin/attendance/assignment/"))
    wrong = browser(plant.people.meena).post("/admin/attendance/assignment/add/", {**typed, "cycle_days": "0-9"})
    assert "Write days like 1-2, 5." in text(wrong)


def test_a_saved_version_is_only_looked_at(plant: Plant) -> None:
    version = ShiftVersion.objects.filter(shift__name="A").get()
    page = text(browser(plant.people.meena).get(f"/admin/attendance/shiftversion/{version.pk}/change/"))
    assert "Change it from a date on" in page
    assert 'name="grace_in_minutes"' not in page
    copied = text(browser(plant.people.meena).get(f"/admin/attendance/shiftversion/add/?copy={version.pk}"))
    assert 'value="08:00:00"' in copied


@pytest.mark.parametrize("address", ["shiftversion/add/?copy=abc", "correction/add/?employee=abc&punch=-1"])
def test_a_link_that_names_nobody_opens_an_empty_form(plant: Plant, address: str) -> None:
    assert browser(plant.people.meena).get(f"/admin/attendance/{address}").status_code == 200


def test_an_overlapping_assignment_is_refused_in_the_form(plant: Plant) -> None:
    data = {"employee": plant.asha.pk, "shift": plant.day.pk, "from_date": "2026-03-09", "weekdays": ["0", "1"]}
    page = text(browser(plant.people.meena).post("/admin/attendance/assignment/add/", data))
    assert "overlaps a shift that the person has already" in page
    assert Assignment.objects.filter(employee=plant.asha).count() == 1


def test_a_holiday_marks_the_days_it_touches(plant: Plant) -> None:
    data = {"site": plant.site.pk, "date": "2026-03-03", "name": "Holi"}
    browser(plant.people.meena).post("/admin/attendance/holiday/add/", data)
    assert (Holiday.objects.count(), DirtyDay.objects.count()) == (1, 2)


def test_a_version_that_runs_into_another_shift_of_somebody_is_refused_in_the_form(plant: Plant) -> None:
    late = make_shift(plant.site, "Late", "17:00", "21:00", window_after_minutes=60)
    assign(plant.asha, late)
    form = shift_form(plant, name="Late", effective_from="2026-03-09", starts_at="16:00", ends_at="20:00")
    page = browser(plant.people.meena).post("/admin/attendance/shiftversion/add/", form)
    assert "On 2026-03-09 it overlaps another shift of Asha (E1)" in html.unescape(text(page))
    assert page.context["adminform"].form.errors.keys() == {"starts_at"}
    assert late.versions.count() == 1
    browser(plant.people.meena).post("/admin/attendance/shiftversion/add/", {**form, "starts_at": "17:00"})
    assert late.versions.count() == 2
