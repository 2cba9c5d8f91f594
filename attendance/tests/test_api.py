"""The contract of attendance: each address as nobody, the wrong role, another site and the right person."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from attendance.models import DayRecord, DirtyDay, Punch, SetAside, Source
from attendance.services.finalise import finalise_days
from attendance.services.rebuild import rebuild_dirty
from attendance.tests.calls import BASE, CHECK_IN, CHECK_OUT, SHIFT, flag_of, get, post, row
from attendance.tests.factories import LATER, MONDAY, Plant, clock, make_employee, make_plant
from factoryai.sites.tests.factories import api_client


@pytest.fixture
def plant(db: None) -> Plant:
    return make_plant()


def test_a_check_in_answers_with_the_day(plant: Plant) -> None:
    answer = post(plant.people.gate, "check-in", CHECK_IN)
    day = answer.json()
    assert answer.status_code == 201
    assert (day["employee_code"], day["shift_date"], day["state"]) == ("E1", "2026-03-02", "final")
    assert (day["after_start_minutes"], day["past_grace_minutes"], day["grace_used_minutes"]) == (6, 1, 0)
    late = flag_of(day, "late")
    assert (late["minutes"], late["review"], late["reviewed_by"], late["note"]) == (6, "pending", None, "")


def test_a_second_check_in_says_duplicate_and_shows_the_same_day(plant: Plant) -> None:
    post(plant.people.gate, "check-in", CHECK_IN)
    again = post(plant.people.gate, "check-in", {**CHECK_IN, "check_in_time": "2026-03-02T12:00:00+05:30"})
    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    record = again.json()["record"]
    assert record["first_in"] == "2026-03-02T02:36:12Z"
    assert [one["at"] for one in record["suppressed"]] == ["2026-03-02T06:30:00Z"]


def test_the_same_event_id_gives_the_same_answer(plant: Plant) -> None:
    first = post(plant.people.gate, "check-in", {**CHECK_IN, "event_id": "x"})
    again = post(plant.people.gate, "check-in", {**CHECK_IN, "event_id": "x"})
    assert (first.status_code, first.json()) == (again.status_code, again.json())


def test_a_check_out_that_is_too_soon_has_its_flag(plant: Plant) -> None:
    post(plant.people.gate, "check-in", CHECK_IN)
    day = post(plant.people.gate, "check-out", CHECK_OUT).json()
    assert day["early_exit_minutes"] == 60
    assert {flag["kind"] for flag in day["flags"]} == {"late", "early_exit"}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        pytest.param({"check_in_time": "2026-03-02T08:00:00"}, 400, "naive_time", id="no offset"),
        pytest.param({"check_in_time": "2999-03-02T08:00:00Z"}, 400, "in_future", id="far future"),
        pytest.param({"check_in_time": "yesterday"}, 400, "invalid", id="no time"),
        pytest.param({"employee_code": "E9"}, 404, "unknown_employee", id="nobody"),
        pytest.param({"site": "chennai"}, 404, "unknown_employee", id="another site's"),
        pytest.param({"employee_code": "a\x00b"}, 400, "null_characters_not_allowed", id="a null character"),
    ],
)
def test_a_bad_check_in_is_refused_with_its_code(plant: Plant, change: dict, status: int, code: str) -> None:
    answer = post(plant.people.gate, "check-in", {**CHECK_IN, **change})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Punch.objects.exists()


def test_nobody_is_named_in_a_check_in(plant: Plant) -> None:
    answer = post(plant.people.gate, "check-in", {"check_in_time": CHECK_IN["check_in_time"]})
    assert (answer.status_code, answer.json()["code"]) == (400, "employee_missing")


def test_the_good_rows_of_a_bulk_are_kept(plant: Plant) -> None:
    rows = [
        row("1"),
        row("2", employee_code="E9"),
        row("3", at="2026-03-02T08:00:00"),
        row("4", at="2999-01-01T00:00:00Z"),
        row("5", direction=[]),
        row("6", site="chennai"),
        row("7", at="2026-03-02T08:00:00+99:00"),
        row("", at="2026-03-02T08:00:00Z"),
        "nonsense",
        row("1"),
        row("8", employee_code="E2", at="2026-03-02T22:00:00+05:30"),
        row("9", employee_code="E\ud800"),
        row("\udfff"),
        row("10", source="a\x00"),
        row("11", site="\ud800"),
    ]
    answer = post(plant.people.gate, "punches", rows).json()
    assert (answer["accepted"], answer["duplicates"]) == (2, 1)
    assert {one["index"]: one["code"] for one in answer["rejected"]} == {
        1: "unknown_employee", 2: "naive_time", 3: "in_future", 4: "bad_direction", 5: "unknown_employee",
        6: "bad_time", 7: "bad_event_id", 8: "not_an_object", 11: "unknown_employee", 12: "bad_event_id",
        13: "bad_source", 14: "unknown_employee",
    }  # fmt: skip


def test_the_same_id_of_two_sources_is_two_facts(plant: Plant) -> None:
    answer = post(plant.people.gate, "punches", [row("1"), row("1", source="gate-2", at="2026-03-02T17:00:00+05:30")])
    assert answer.json()["accepted"] == 2


def test_ten_thousand_rows_are_too_many(plant: Plant) -> None:
    answer = post(plant.people.gate, "punches", [row(str(number)) for number in range(1001)])
    assert (answer.status_code, answer.json()["code"], Punch.objects.count()) == (413, "too_many_rows", 0)


def test_a_bulk_costs_the_same_queries_for_one_and_for_many(plant: Plant) -> None:
    post(plant.people.gate, "punches", [row("0")])
    few, many = (queries_of(plant, count) for count in (2, 300))
    assert many <= few + BATCHES


BATCHES = 5
"""SQLite takes a thousand values at a time, and so three hundred rows in a few pieces."""


def queries_of(plant: Plant, count: int) -> int:
    rows = [
        row(f"{count}-{number}", at=f"2026-03-02T09:{number % 60:02}:{number // 60:02}Z") for number in range(count)
    ]
    with CaptureQueriesContext(connection) as caught:
        assert post(plant.people.gate, "punches", rows).json()["accepted"] == count
    return len(caught)


def test_an_empty_bulk_is_a_sign_of_life(plant: Plant) -> None:
    post(plant.people.gate, "punches", [row("1")])
    before = Source.objects.get().reported_until
    post(plant.people.gate, "punches", [])
    assert Source.objects.get().reported_until > before


def test_a_post_speaks_only_for_the_terminals_that_it_names(plant: Plant) -> None:
    post(plant.people.gate, "punches", [row("1"), row("1", source="gate-2", employee_code="E2")])
    silent = Source.objects.get(name__endswith="gate-2").reported_until
    post(plant.people.gate, "punches", [row("2", at="2026-03-02T17:00:00+05:30")])
    until = dict(Source.objects.values_list("name", "reported_until"))
    assert until["api:gate/gate-2"] == silent < until["api:gate/gate-1"]


def test_punches_say_what_became_of_them(plant: Plant) -> None:
    post(plant.people.gate, "punches", [row("1"), row("2", at="2026-03-02T11:00:00+05:30")])
    post(plant.people.gate, "punches", [row("3", at="2026-03-02T02:00:00+05:30")])
    rebuild_dirty(at=LATER)
    listed = get(plant.people.meena, "punches").json()["results"]
    assert {one["event_id"]: one["state"] for one in listed} == {"1": "counted", "2": "duplicate", "3": "off_shift"}
    assert get(plant.people.meena, "punches", state="duplicate").json()["count"] == 1


@pytest.mark.parametrize(
    ("path", "query"),
    [("days", {}), ("punches", {}), ("shifts", {}), ("assignments", {}), ("holidays", {}), ("corrections", {}),
     ("periods", {})],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_lists_are_for_hr_and_managers_of_the_site(plant: Plant, path: str, query: dict) -> None:
    post(plant.people.gate, "check-in", CHECK_IN)
    people = plant.people
    seen = {name: get(getattr(people, name), path).status_code for name in ("meena", "kavita", "farid", "gate", "asha")}
    assert seen == {"meena": 200, "kavita": 200, "farid": 403, "gate": 403, "asha": 403}
    assert get(None, path).status_code == 401
    assert get(people.stranger, path).json()["count"] == 0


def test_the_strangers_day_does_not_exist(plant: Plant) -> None:
    day = post(plant.people.gate, "check-in", CHECK_IN).json()["id"]
    assert get(plant.people.meena, f"days/{day}").status_code == 200
    assert get(plant.people.stranger, f"days/{day}").status_code == 404
    review = {"flag": "late", "decision": "confirmed"}
    assert post(plant.people.stranger, f"days/{day}/review", review).status_code == 404
    assert post(plant.people.farid, f"days/{day}/review", review).status_code == 403


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"flag": "late"}, 1), ({"flag": "early_exit"}, 0), ({"flag": "late", "review": "pending"}, 1),
        ({"review": "excused"}, 0), ({"from": "2026-03-04"}, 0), ({"from": "2026-03-02", "to": "2026-03-02"}, 1),
    ],
    ids=str,
)  # fmt: skip
def test_days_are_found_by_flag_review_and_date(plant: Plant, query: dict, count: int) -> None:
    post(plant.people.gate, "check-in", CHECK_IN)
    assert get(plant.people.meena, "days", **query).json()["count"] == count


@pytest.mark.parametrize("query", [{"from": "soon"}, {"flag": "tired"}, {"review": "maybe"}], ids=str)
def test_a_filter_that_makes_no_sense_is_refused(plant: Plant, query: dict) -> None:
    assert get(plant.people.meena, "days", **query).status_code == 400


def test_a_page_of_days_costs_the_same_queries_for_one_and_for_many(plant: Plant) -> None:
    counts = []
    for number in range(1, 12):
        person = make_employee(plant.site, f"X{number}", "Someone")
        post(plant.people.gate, "check-in", {**CHECK_IN, "employee_code": person.code})
        if number in (1, 11):
            with CaptureQueriesContext(connection) as caught:
                get(plant.people.meena, "days")
            counts.append(len(caught))
    assert counts[0] == counts[1] <= 8


def test_hr_excuses_a_flag_once(plant: Plant) -> None:
    day = post(plant.people.gate, "check-in", CHECK_IN).json()["id"]
    excuse = {"flag": "late", "decision": "excused", "note": "The bus broke down"}
    late = flag_of(post(plant.people.meena, f"days/{day}/review", excuse).json(), "late")
    assert (late["review"], late["reviewed_by"], late["note"]) == ("excused", "meena", "The bus broke down")
    again = post(plant.people.kavita, f"days/{day}/review", {"flag": "late", "decision": "confirmed"})
    assert (again.status_code, again.json()["code"]) == (409, "already_reviewed")
    assert "meena" in again.json()["message"]


def test_an_excuse_needs_a_note(plant: Plant) -> None:
    day = post(plant.people.gate, "check-in", CHECK_IN).json()["id"]
    answer = post(plant.people.meena, f"days/{day}/review", {"flag": "late", "decision": "excused"})
    assert (answer.status_code, answer.json()["code"]) == (400, "note_missing")


def test_a_shift_is_added_in_versions(plant: Plant) -> None:
    first = post(plant.people.meena, "shifts", SHIFT)
    second = post(plant.people.meena, "shifts", {**SHIFT, "effective_from": "2026-02-01", "grace_in_minutes": 10})
    assert (first.status_code, first.json()["version"], second.json()["version"]) == (201, 1, 2)
    assert first.json()["id"] == second.json()["id"]
    clash = post(plant.people.meena, "shifts", SHIFT)
    assert (clash.status_code, clash.json()["code"]) == (409, "version_exists")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"ends_at": "14:00"}, "no_length", id="start equals end"),
        pytest.param({"window_before_minutes": 500, "window_after_minutes": 500}, "window_too_long", id="a whole day"),
        pytest.param({"site": "chennai"}, "does_not_exist", id="another site"),
        pytest.param({"grace_in_minutes": -1}, "min_value", id="negative grace"),
    ],
)
def test_a_shift_that_makes_no_sense_is_refused(plant: Plant, change: dict, code: str) -> None:
    answer = post(plant.people.meena, "shifts", {**SHIFT, **change})
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_overlapping_assignments_are_refused_by_their_scheduled_times(plant: Plant) -> None:
    shift = post(plant.people.meena, "shifts", {**SHIFT, "starts_at": "16:00"}).json()["id"]
    given = {"employee": plant.asha.pk, "shift": shift, "from_date": "2026-03-09", "to_date": None}
    answer = post(plant.people.meena, "assignments", given)
    assert (answer.status_code, answer.json()["code"]) == (409, "shifts_overlap")
    sundays = {**given, "weekdays": [6]}
    assert post(plant.people.meena, "assignments", sundays).status_code == 409


def test_a_strangers_employee_is_assigned_nothing(plant: Plant) -> None:
    given = {"employee": plant.stranger.pk, "shift": plant.day.pk, "from_date": "2026-03-09"}
    answer = post(plant.people.meena, "assignments", given)
    assert (answer.status_code, answer.json()["code"]) == (400, "does_not_exist")


def test_an_assignment_does_not_end_before_it_starts(plant: Plant) -> None:
    given = {"employee": plant.asha.pk, "shift": plant.day.pk, "from_date": "2026-03-09", "to_date": "2026-03-01"}
    answer = post(plant.people.meena, "assignments", given)
    assert (answer.status_code, answer.json()["code"]) == (400, "end_before_start")


def test_an_ended_assignment_takes_its_absences_with_it(plant: Plant) -> None:
    plant.rebuild(plant.asha)
    assignment = get(plant.people.meena, "assignments", employee=plant.asha.pk).json()["results"][0]["id"]
    assert api_client(plant.people.meena).delete(f"{BASE}/assignments/{assignment}").status_code == 204
    rebuild_dirty(at=LATER)
    assert not DayRecord.objects.filter(employee=plant.asha).exists()


def test_a_holiday_is_added_and_its_days_are_derived_again(plant: Plant) -> None:
    answer = post(plant.people.meena, "holidays", {"site": "pune", "date": "2026-03-02", "name": "Holi"})
    assert (answer.status_code, DirtyDay.objects.count()) == (201, 2)


def test_the_ledger_counts_uses_and_minutes(plant: Plant) -> None:
    post(plant.people.gate, "check-in", {**CHECK_IN, "check_in_time": "2026-03-02T08:03:00+05:30"})
    post(plant.people.gate, "check-in", {**CHECK_IN, "check_in_time": "2026-03-03T08:20:00+05:30"})
    ledger = get(plant.people.meena, "grace-ledger", employee=plant.asha.pk, month="2026-03").json()
    assert (ledger["uses"], ledger["minutes"], ledger["lates"], ledger["remaining_minutes"]) == (1, 3, 1, None)
    assert get(plant.people.stranger, "grace-ledger", employee=plant.asha.pk, month="2026-03").status_code == 404


def test_a_correction_is_asked_by_one_and_decided_by_another(plant: Plant) -> None:
    post(plant.people.gate, "check-in", CHECK_IN)
    asked = {
        "employee": plant.asha.pk, "kind": "add", "at": "2026-03-02T07:55:00+05:30", "direction": "in",
        "reason": "The reader was off",
    }  # fmt: skip
    correction = post(plant.people.meena, "corrections", asked).json()
    own = post(plant.people.meena, f"corrections/{correction['id']}/decide", {"approve": True})
    assert (own.status_code, own.json()["code"]) == (403, "own_request")
    done = post(plant.people.kavita, f"corrections/{correction['id']}/decide", {"approve": True, "note": "Seen"}).json()
    assert (done["state"], done["decided_by"]) == ("approved", "kavita")
    assert [late_on_monday(done[when]) for when in ("before", "after")] == [6, 0]
    again = post(plant.people.root, f"corrections/{correction['id']}/decide", {"approve": False})
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")


def late_on_monday(days: list[dict[str, Any]]) -> int:
    return next(day["after_start_minutes"] for day in days if day["date"] == "2026-03-02")


def test_a_person_who_left_is_absent_no_more(plant: Plant) -> None:
    plant.rebuild(plant.asha, MONDAY, date(2026, 3, 6))
    absent = DayRecord.objects.filter(employee=plant.asha, status="absent", shift_date__gte=date(2026, 3, 4))
    assert absent.exists()
    left = api_client(plant.people.meena).patch(f"/api/v1/employees/{plant.asha.pk}", {"left_date": "2026-03-03"})
    assert left.status_code == 200
    rebuild_dirty(at=LATER)
    assert not absent.exists()


def test_employees_are_for_hr_and_managers_of_the_site(plant: Plant) -> None:
    address = f"/api/v1/employees/{plant.asha.pk}"
    people = plant.people
    codes = [api_client(who).get(address).status_code for who in (people.meena, people.kavita, people.farid)]
    assert codes == [200, 200, 403]
    assert api_client(people.stranger).patch(address, {"name": "Mine"}).status_code == 404
    moved = api_client(people.meena).patch(address, {"site": "chennai"})
    assert (moved.status_code, moved.json()["code"]) == (400, "read_only")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("path", ["assignments", "holidays", "shifts", "periods", "ledger", "days", "month"])
def test_dates_at_the_ends_of_the_calendar_are_refused(plant: Plant, path: str, day: str) -> None:
    meena, made = plant.people.meena, {"site": "pune", "name": "Z"}
    answers = {
        "assignments": lambda: post(meena, path, {"employee": plant.asha.pk, "shift": plant.day.pk, "from_date": day}),
        "holidays": lambda: post(meena, path, {**made, "date": day}),
        "shifts": lambda: post(meena, path, {**SHIFT, "effective_from": day}),
        "periods": lambda: post(meena, path, {**made, "first_date": day, "last_date": day}),
        "ledger": lambda: get(meena, "grace-ledger", employee=plant.asha.pk, month=day[:7]),
        "days": lambda: get(meena, path, **{"from": day}),
        "month": lambda: api_client(meena).get(f"/admin/attendance/dayrecord/person/{plant.asha.pk}/{day[:7]}/"),
    }
    assert answers[path]().status_code in (302, 400, 404)


def test_a_person_who_changed_departments_stays_in_the_period_they_were_locked_with(plant: Plant) -> None:
    post(plant.people.gate, "check-in", CHECK_IN)
    made = {"site": "pune", "first_date": "2026-03-02", "last_date": "2026-03-03", "department": "Assembly"}
    period = post(plant.people.meena, "periods", made).json()["id"]
    post(plant.people.meena, f"periods/{period}/lock", {"accept_unreviewed": True})
    type(plant.asha).objects.filter(pk=plant.asha.pk).update(department="Paint")
    post(plant.people.gate, "check-out", CHECK_OUT)
    assert plant.record(plant.asha).state == "locked"
    assert len(get(plant.people.meena, f"periods/{period}/adjustments").json()) == 1
    post(plant.people.kavita, f"periods/{period}/unlock", {"reason": "A mistake"})
    rebuild_dirty(at=LATER)
    plant.rebuild(plant.asha)
    assert (plant.record(plant.asha).state, plant.record(plant.asha).early_exit_minutes) == ("final", 60)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "soon"])
def test_a_time_outside_the_calendar_finds_no_punches(plant: Plant, at: str) -> None:
    assert get(plant.people.meena, "punches", after=at).status_code == 400


def test_finished_days_are_absent_for_those_who_never_came(plant: Plant) -> None:
    finalise_days(at=clock("2026-03-04 12:00"))
    assert get(plant.people.meena, "days", status="absent", **{"from": str(MONDAY)}).json()["count"] == 3


def _until_taken(send: Callable[[], int]) -> int:
    """Send again while the server says that it is busy, as a device does: the repeat is the same fact."""
    return next(status for status in (send() for _ in range(20)) if status != 503)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ids", ["one", "each"])
def test_fifty_entries_at_one_instant_are_one_check_in(ids: str) -> None:
    plant = make_plant()
    answers: list[int] = []
    barrier = threading.Barrier(50)

    def enter(number: int) -> None:
        event = {"event_id": f"e{number}"} if ids == "each" else {}
        barrier.wait()
        answers.append(_until_taken(lambda: post(plant.people.gate, "check-in", {**CHECK_IN, **event}).status_code))
        connections.close_all()

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 49 + [201]
    assert DayRecord.objects.filter(first_in__isnull=False).count() == 1
    assert Punch.objects.count() - SetAside.objects.count() == 1
