"""HR's desk: the queue, the month, corrections and periods; each for the right role and the own site."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.admin import site as admin_site
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from attendance.models import (
    AttendancePolicy,
    Correction,
    DayRecord,
    Decision,
    Flag,
    PayPeriod,
    Punch,
    Source,
)
from attendance.services.review import review_flag
from attendance.tests.desk import browser, late_monday, text
from attendance.tests.factories import LATER, MONDAY, Plant, clock, make_employee
from identity.models import Employee

MODELS = [model for model in admin_site._registry if model._meta.app_label == "attendance" or model is Employee]
QUEUE = "/admin/attendance/flag/"


@pytest.fixture
def plant(db: None) -> Plant:
    return late_monday()


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
