"""Tables of people, shifts, rosters, days off and punches: a dry run, the good lines, and every bad one by name."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from attendance.models import (
    Assignment,
    DayRecord,
    DirtyDay,
    Holiday,
    Leave,
    Punch,
    ShiftVersion,
)
from attendance.services.rebuild import rebuild_dirty
from attendance.tests.desk import browser, late_monday, text
from attendance.tests.factories import LATER, Plant, clock
from identity.models import Employee


@pytest.fixture
def plant(db: None) -> Plant:
    return late_monday()


def load(plant: Plant, path: str, table: str, **extra: str) -> Any:
    file = SimpleUploadedFile("table.csv", table.encode())
    data = {"site": plant.site.pk, **({"text": table, **extra} if extra else {"file": file})}
    return browser(plant.people.meena).post(f"/admin/{path}/import/", data, follow=True)


PEOPLE = "code;name;joined_date\nE7;Nila;2026-01-01\n;Nobody;\nE8;Omar;soon\nE7;Twice;\n"


def test_a_dry_run_lists_every_bad_line_and_saves_nothing(plant: Plant) -> None:
    page = text(load(plant, "identity/employee", PEOPLE))
    for words in ("1 would be added", "<td>3</td><td>code</td>", "soon is no date", "stands in an earlier line"):
        assert words in page
    assert not Employee.objects.filter(code="E7").exists()


def test_the_good_lines_are_imported_and_the_bad_ones_left_out(plant: Plant) -> None:
    page = text(load(plant, "identity/employee", PEOPLE, _import="1"))
    assert "1 added" in page
    assert "3 lines were left out" in page
    assert Employee.objects.get(code="E7").joined_date == date(2026, 1, 1)


def test_shifts_rosters_and_punches_are_imported_and_the_same_file_again_changes_nothing(plant: Plant) -> None:
    tables = {
        "attendance/shiftversion": "name,effective_from,starts_at,ends_at\nB,2026-01-01,8:30,16:30\n",
        "identity/employee": "code,name\nE7,Nila\n",
        "attendance/assignment": "employee_code,shift,from_date,weekdays,cycle_length,cycle_days,cycle_first_day\n"
        "E7,B,2026-03-01,,4,1-2,2026-03-01\n",
        "attendance/punch": "employee_code,at,direction\nE7,2026-03-02 08:41:00,in\nE7,2026-03-02T16:30:00+05:30,out\n",
    }
    for path, table in tables.items():
        assert " added, 0 changed, 0 as they were" in text(load(plant, path, table, _import="1"))
    for path, table in tables.items():
        assert "0 added, 0 changed" in text(load(plant, path, table, _import="1"))
    rebuild_dirty(at=LATER)
    day = DayRecord.objects.get(employee__code="E7", shift_date="2026-03-02")
    assert (day.after_start_minutes, day.worked_minutes) == (11, 469)
    assert Assignment.objects.get(employee__code="E7").cycle_days == [0, 1]


LEAVES = "employee_code,from_date,to_date,part,kind\nE1,2026-03-03,,,sick\nE1,2026-03-05,2026-03-06,first_half,annual\n"


def test_holidays_and_leave_are_imported_and_change_the_days_that_are_worked_already(plant: Plant) -> None:
    holidays = "date,name\n2026-03-02,Holi\n2026-10-02,Gandhi Jayanti\n"
    for path, table in (("attendance/holiday", holidays), ("attendance/leave", LEAVES)):
        assert "2 would be added" in text(load(plant, path, table))
        assert not any(kind.objects.exists() for kind in (Holiday, Leave, DirtyDay))
    for path, table in (("attendance/holiday", holidays), ("attendance/leave", LEAVES)):
        assert "2 added, 0 changed, 0 as they were" in text(load(plant, path, table, _import="1"))
        assert "0 added, 0 changed, 2 as they were" in text(load(plant, path, table, _import="1"))
    rebuild_dirty(at=clock("2026-03-07 12:00"))
    days = DayRecord.objects.filter(employee=plant.asha).order_by("shift_date").values_list("shift_date__day", "leave")
    assert (2, "") in days
    assert plant.record(plant.asha).overtime_minutes == plant.record(plant.asha).worked_minutes > 0
    assert {day: leave for day, leave in days if leave} == {3: "whole", 5: "first_half", 6: "first_half"}


def test_a_holiday_takes_the_name_of_the_table(plant: Plant) -> None:
    load(plant, "attendance/holiday", "date,name\n2026-03-02,Holy\n", _import="1")
    assert "1 changed" in text(load(plant, "attendance/holiday", "date,name\n2026-03-02,Holi\n", _import="1"))
    assert Holiday.objects.get().name == "Holi"


def test_the_strangers_tables_stay_out_of_the_site(plant: Plant) -> None:
    for path, table in (("holiday", "date,name\n2026-03-02,Holi\n"), ("leave", LEAVES)):
        data = {"site": plant.site.pk, "text": table, "_import": "1"}
        browser(plant.people.stranger).post(f"/admin/attendance/{path}/import/", data)
        assert browser(plant.people.farid).get(f"/admin/attendance/{path}/import/").status_code == 403
    assert not any(kind.objects.exists() for kind in (Holiday, Leave))


@pytest.mark.parametrize(
    ("path", "table", "words"),
    [
        ("attendance/punch", "employee_code,at\nE1,2026-03-02\x00", "This is no text"),
        ("attendance/punch", "who,when\nE1,now\n", "employee_code, at is missing"),
        ("attendance/punch", "employee_code,at\nE9,2026-03-02 08:00\n", "There is no employee E9"),
        ("attendance/punch", "employee_code,at\nE1,2999-03-02 08:00\n", "This time has not come yet"),
        ("attendance/assignment", "employee_code,shift,from_date\nE1,Z,2026-03-01\n", "There is no shift Z"),
        ("attendance/assignment", "employee_code,shift,from_date\nE1,A,2026-03-05\n", "overlaps"),
        (
            "attendance/assignment",
            "employee_code,shift,from_date,cycle_days\nE1,A,2026-03-05,0-2\n",
            "no days like 1-2",
        ),
        (
            "attendance/assignment",
            "employee_code,shift,from_date,cycle_days\nE1,A,2026-03-05,1-2\n",
            "needs its length",
        ),
        ("attendance/shiftversion", "name,effective_from,starts_at,ends_at\nB,2026-01-01,8,8\n", "is no time"),
        (
            "attendance/shiftversion",
            "name,effective_from,starts_at,ends_at\nB,2026-01-01,08:00,08:00\n",
            "does not end",
        ),
        ("attendance/holiday", "date,name\n2026-03-02,\n", "This cell is empty"),
        ("attendance/holiday", "date,name\n1903-03-02,Holi\n", "Write a date from"),
        ("attendance/holiday", "date,name\n2.3.2026,Holi\n", "is no date like"),
        ("attendance/leave", "employee_code,from_date\nE9,2026-03-02\n", "There is no employee E9"),
        ("attendance/leave", "employee_code,from_date,to_date\nE1,2026-03-02,2026-03-01\n", "does not end before"),
        ("attendance/leave", "employee_code,from_date,part\nE1,2026-03-02,half\n", "half"),
    ],
    ids=[
        "no text",
        "no columns",
        "nobody",
        "future",
        "no shift",
        "overlap",
        "no days",
        "half a turn",
        "no clock",
        "no length",
        "no name",
        "far away",
        "no date",
        "nobody's leave",
        "leave backwards",
        "no part",
    ],
)
def test_a_table_that_makes_no_sense_says_what_to_mend(plant: Plant, path: str, table: str, words: str) -> None:
    kinds = (Punch, Assignment, ShiftVersion, Holiday, Leave)
    before = [kind.objects.count() for kind in kinds]
    assert words in text(load(plant, path, table))
    assert [kind.objects.count() for kind in kinds] == before


def test_security_imports_nothing_and_nobody_imports_into_another_site(plant: Plant) -> None:
    assert browser(plant.people.farid).get("/admin/identity/employee/import/").status_code == 403
    data = {"site": plant.site.pk, "text": PEOPLE, "_import": "1"}
    browser(plant.people.stranger).post("/admin/identity/employee/import/", data)
    assert not Employee.objects.filter(code="E7").exists()
