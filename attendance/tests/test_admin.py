"""HR's desk: the queue, the month, corrections, periods and imports; each for the right role and the own site."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import pytest
from django.contrib.admin import site as admin_site
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from attendance.models import (
    Assignment,
    AttendancePolicy,
    Correction,
    DayRecord,
    Decision,
    DirtyDay,
    Flag,
    Holiday,
    Leave,
    PayPeriod,
    Punch,
    ShiftVersion,
    Source,
)
from attendance.services.finalise import finalise_days
from attendance.services.periods import add_period, lock_period
from attendance.services.rebuild import rebuild_dirty
from attendance.services.review import review_flag
from attendance.tests.factories import LATER, MONDAY, Plant, clock, make_employee, make_plant
from identity.models import Employee

MODELS = [model for model in admin_site._registry if model._meta.app_label == "attendance" or model is Employee]
QUEUE = "/admin/attendance/flag/"


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def plant(db: None) -> Plant:
    """Asha came late and left early on Monday, and the days since are final."""
    plant = make_plant()
    plant.punch(plant.asha, "2026-03-02 08:06:12", "in", place="Gate 1")
    plant.punch(plant.asha, "2026-03-02 16:00", "out", place="Gate 1")
    finalise_days(at=clock("2026-03-04 12:00"))
    return plant


def text(answer: Any) -> str:
    return answer.content.decode()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)
def test_every_list_is_for_hr_and_managers_and_shows_strangers_nothing(plant: Plant, model: Any) -> None:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    people = plant.people
    codes = [browser(user).get(address).status_code for user in (people.meena, people.kavita, people.farid)]
    assert codes == [200, 200, 403]
    assert "Asha" not in text(browser(people.stranger).get(address))
    assert Client().get(address).status_code == 302


def test_the_page_of_a_day_has_the_times_of_its_site(plant: Plant) -> None:
    day = plant.record(plant.asha)
    page = text(browser(plant.people.meena).get(f"/admin/attendance/dayrecord/{day.pk}/change/"))
    assert "March 2, 2026, 8:06 a.m." in page
    assert "2:36 a.m." not in page


def test_the_list_of_decisions_has_the_times_of_the_site(plant: Plant) -> None:
    flag, at = plant.flag(plant.asha, "late"), clock("2026-03-04 18:30")
    review_flag(flag=flag, decision="confirmed", note="", by=plant.people.meena, at=at)
    assert "04 Mar 2026 18:30" in text(browser(plant.people.meena).get("/admin/attendance/decision/"))


def test_the_queue_shows_what_waits_with_its_reason(plant: Plant) -> None:
    page = text(browser(plant.people.meena).get(QUEUE))
    assert "LATE 6 min: first entry 08:06:12 at Gate 1; shift A (v1) starts 08:00, grace 5 min" in page
    assert "08:06 – 16:00" in page


def test_the_picture_beside_a_flag_is_of_the_punch_it_is_about(plant: Plant) -> None:
    entry, leaving = uuid.uuid4(), uuid.uuid4()
    plant.punch(plant.asha, "2026-03-03 08:10", "in", snapshot=entry)
    plant.punch(plant.asha, "2026-03-03 16:30", "out", snapshot=leaving)
    pages = {kind: text(browser(plant.people.meena).get(f"{QUEUE}?kind={kind}")) for kind in ("late", "early_exit")}
    assert [str(entry) in page for page in pages.values()] == [True, False]
    assert [str(leaving) in page for page in pages.values()] == [False, True]


def test_the_queue_says_which_source_holds_days_back(plant: Plant) -> None:
    assert "Days wait for" not in text(browser(plant.people.meena).get(QUEUE))
    Source.objects.filter(name="device:gate").update(is_required=True, reported_until=clock("2026-03-02 12:00"))
    assert "Days wait for device:gate (02 Mar 12:00)" in text(browser(plant.people.meena).get(QUEUE))
    assert "Days wait for" not in text(browser(plant.people.stranger).get(QUEUE))


def decide(user: Any, action: str, flags: Any, note: str = "") -> Any:
    data = {"action": action, "_selected_action": [flag.pk for flag in flags], "note": note, "index": 0}
    return browser(user).post(QUEUE, data, follow=True)


def test_many_flags_are_excused_at_once_with_one_note(plant: Plant) -> None:
    flags = Flag.objects.filter(day__employee=plant.asha)
    page = text(decide(plant.people.meena, "excuse", flags, "Doctor's note"))
    assert "2 excused" in page
    assert set(flags.values_list("review", "note")) == {("excused", "Doctor's note")}
    assert Decision.objects.filter(by=plant.people.meena).count() == 2


def test_the_second_of_two_people_is_told(plant: Plant) -> None:
    flag = plant.flag(plant.asha, "late")
    decide(plant.people.meena, "confirm", [flag])
    page = text(decide(plant.people.kavita, "excuse", [flag], "Too late"))
    assert "This was confirmed by meena already." in page
    flag.refresh_from_db()
    assert flag.review == "confirmed"


def test_an_excuse_without_a_note_is_refused_in_words(plant: Plant) -> None:
    assert "Say why it is excused" in text(decide(plant.people.meena, "excuse", [plant.flag(plant.asha, "late")]))


def test_strangers_and_security_decide_nothing(plant: Plant) -> None:
    flag = plant.flag(plant.asha, "late")
    for user in (plant.people.stranger, plant.people.farid):
        decide(user, "confirm", [flag])
    flag.refresh_from_db()
    assert flag.review == "pending"


def test_nobody_decides_about_their_own_day(plant: Plant) -> None:
    Employee.objects.filter(pk=plant.asha.pk).update(user=plant.people.meena)
    flag = plant.flag(plant.asha, "late")
    assert "Nobody decides about their own day" in text(decide(plant.people.meena, "confirm", [flag]))


def test_a_decision_is_taken_back_and_stays_on_record(plant: Plant) -> None:
    flag = plant.flag(plant.asha, "late")
    decide(plant.people.meena, "confirm", [flag])
    decide(plant.people.kavita, "take_back", [flag], "Wrong person")
    flag.refresh_from_db()
    assert flag.review == "pending"
    assert list(Decision.objects.values_list("decision", flat=True)) == ["pending", "confirmed"]


def test_a_decision_falls_when_its_facts_change(plant: Plant) -> None:
    decide(plant.people.meena, "excuse", [plant.flag(plant.asha, "late")], "Bus")
    plant.punch(plant.asha, "2026-03-02 08:05:30", "in", at=LATER, event_id="late-arriving")
    assert plant.flag(plant.asha, "late").review == "pending"
    plant.punch(plant.asha, "2026-03-02 17:30", "out", at=LATER)
    assert plant.flag(plant.asha, "late").review == "pending"


def test_a_decision_survives_a_rebuild(plant: Plant) -> None:
    decide(plant.people.meena, "excuse", [plant.flag(plant.asha, "late")], "Bus")
    DayRecord.objects.all().delete()
    plant.rebuild(plant.asha)
    late = plant.flag(plant.asha, "late")
    assert (late.review, late.note, late.reviewed_by) == ("excused", "Bus", plant.people.meena)


@pytest.mark.parametrize(
    "address", [QUEUE, "/admin/attendance/dayrecord/?period=all", "/admin/attendance/punch/?period=all"]
)
def test_a_list_costs_at_most_twenty_queries_however_long(plant: Plant, address: str) -> None:
    for number in range(30):
        person = make_employee(plant.site, f"X{number}", "Someone", department="Assembly")
        plant.punch(person, "2026-03-02 03:00", "in", at=LATER)
    client = browser(plant.people.meena)
    client.get(address)
    with CaptureQueriesContext(connection) as caught:
        assert "Someone" in text(client.get(address))
    assert len(caught) <= 20


def month(user: Any, employee: Employee, month: str = "2026-03") -> Any:
    return browser(user).get(f"/admin/attendance/dayrecord/person/{employee.pk}/{month}/")


def test_a_month_is_on_one_page_with_sums_flags_and_punches(plant: Plant) -> None:
    page = text(month(plant.people.meena, plant.asha))
    assert "Asha, March 2026" in page
    for words in ("LATE 6 min", "EARLY EXIT 60 min", "08:06:12", "7:53", "absent"):
        assert words in page


@pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("farid", 404), ("kavita", 200)])
def test_a_month_is_for_hr_of_the_site(plant: Plant, who: str, status: int) -> None:
    assert month(getattr(plant.people, who), plant.asha).status_code == status


def test_a_month_of_nonsense_does_not_exist(plant: Plant) -> None:
    assert month(plant.people.meena, plant.asha, "2026-99").status_code == 404


def test_a_month_says_what_lies_beyond_the_laws_hours(plant: Plant) -> None:
    assert "Beyond the law" not in text(month(plant.people.meena, plant.asha))
    AttendancePolicy.objects.create(site=plant.site, effective_from=MONDAY, law="factories_act_1948")
    plant.punch(plant.asha, "2026-03-02 18:36:12", "out")
    assert "<dt>Beyond the law’s hours</dt><dd>1:30</dd>" in text(month(plant.people.meena, plant.asha))


def test_an_empty_month_says_so(plant: Plant) -> None:
    assert "Nothing is known of this month" in text(month(plant.people.meena, plant.asha, "2020-01"))


@pytest.mark.parametrize("model", ["punch", "dayrecord", "flag", "decision", "adjustment", "limitwarning"])
def test_what_was_derived_or_recorded_is_read_only(plant: Plant, model: str) -> None:
    assert browser(plant.people.root).get(f"/admin/attendance/{model}/add/").status_code == 403
    punch = Punch.objects.first()
    assert (
        browser(plant.people.root).post(f"/admin/attendance/punch/{punch.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )


CORRECTION = {"kind": "add", "at_0": "2026-03-02", "at_1": "07:55", "direction": "in", "reason": "The reader was off"}


def ask(plant: Plant, **change: Any) -> Any:
    data = {"employee": plant.asha.pk, **CORRECTION, **change}
    return browser(plant.people.meena).post("/admin/attendance/correction/add/", data)


def test_a_correction_is_asked_on_the_clock_of_the_site(plant: Plant) -> None:
    assert ask(plant).status_code == 302
    assert Correction.objects.get().at == clock("2026-03-02 07:55")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"at_1": ""}, "Say when the punch should have been", id="no time"),
        pytest.param({"at_0": "2999-01-01"}, "This time has not come yet", id="the future"),
        pytest.param({"kind": "remove"}, "Choose the punch of this person that is wrong", id="which punch"),
        pytest.param({"reason": ""}, "This field is required", id="no reason"),
    ],
)
def test_a_correction_that_makes_no_sense_says_what_to_mend(plant: Plant, change: dict, words: str) -> None:
    assert words in text(ask(plant, **change))
    assert not Correction.objects.exists()


def test_a_correction_is_approved_by_somebody_else(plant: Plant) -> None:
    ask(plant)
    for who, state in (("meena", "pending"), ("stranger", "pending"), ("kavita", "approved")):
        data = {"action": "approve", "_selected_action": [Correction.objects.get().pk], "note": "", "index": 0}
        browser(getattr(plant.people, who)).post("/admin/attendance/correction/", data)
        assert Correction.objects.get().state == state
    assert plant.record(plant.asha).first_in == clock("2026-03-02 07:55")


def test_a_wrong_punch_is_taken_out_and_stays_to_be_seen(plant: Plant) -> None:
    wrong = Punch.objects.get(direction="in")
    assert ask(plant, kind="remove", punch=wrong.pk, at_0="", at_1="").status_code == 302
    data = {"action": "approve", "_selected_action": [Correction.objects.get().pk], "note": "", "index": 0}
    browser(plant.people.kavita).post("/admin/attendance/correction/", data)
    assert Punch.objects.with_state().get(pk=wrong.pk).state == "superseded"
    assert plant.flag(plant.asha, "missing_in").review == "pending"


def test_a_period_is_locked_exported_and_opened_again(plant: Plant) -> None:
    meena, kavita = browser(plant.people.meena), browser(plant.people.kavita)
    made = {"site": plant.site.pk, "first_date": "2026-03-02", "last_date": "2026-03-03"}
    meena.post("/admin/attendance/payperiod/add/", made)
    period = PayPeriod.objects.get()
    address = f"/admin/attendance/payperiod/{period.pk}"
    assert "flags wait for a decision" in text(meena.get(f"{address}/change/"))
    assert "flags wait for a decision" in text(meena.post(f"{address}/lock/", follow=True))
    meena.post(f"{address}/lock/", {"accept_unreviewed": "on"})
    period.refresh_from_db()
    assert period.is_locked
    first, second = (meena.get(f"{address}/export.xlsx").getvalue() for _ in range(2))
    assert first == second
    assert browser(plant.people.stranger).get(f"{address}/export.csv").status_code == 404
    assert "Your role does not allow this" in text(meena.post(f"{address}/unlock/", {"reason": "x"}, follow=True))
    kavita.post(f"{address}/unlock/", {"reason": "A mistake"})
    period.refresh_from_db()
    assert not period.is_locked


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


TURN = "employee_code,shift,from_date,cycle_days\n"


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
    ],
)
def test_a_table_that_makes_no_sense_says_what_to_mend(plant: Plant, path: str, table: str, words: str) -> None:
    before = (Punch.objects.count(), Assignment.objects.count(), ShiftVersion.objects.count())
    assert words in text(load(plant, path, table))
    assert (Punch.objects.count(), Assignment.objects.count(), ShiftVersion.objects.count()) == before


def test_security_imports_nothing_and_nobody_imports_into_another_site(plant: Plant) -> None:
    assert browser(plant.people.farid).get("/admin/identity/employee/import/").status_code == 403
    data = {"site": plant.site.pk, "text": PEOPLE, "_import": "1"}
    browser(plant.people.stranger).post("/admin/identity/employee/import/", data)
    assert not Employee.objects.filter(code="E7").exists()
