"""Days that hang together are derived together: dates that move, pairs without a direction, far punches."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from attendance.models import (
    AttendancePolicy,
    DayRecord,
    Progress,
    Punch,
)
from attendance.rules.reach import Span
from attendance.rules.shifts import DAY
from attendance.services.corrections import ask_correction, decide_correction
from attendance.services.punches import NewPunch, record_punch, record_punches
from attendance.services.reach import find_reach
from attendance.services.rebuild import rebuild_dirty, rebuild_site
from attendance.tests.factories import (
    KOLKATA,
    LATER,
    MONDAY,
    Plant,
    assign,
    clock,
    make_employee,
    make_plant,
    make_shift,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> Plant:
    return make_plant()


def test_a_night_that_is_dated_by_its_other_end_keeps_its_record(plant: Plant) -> None:
    plant.punch(plant.ravi, "2026-03-02 22:00", "in")
    plant.punch(plant.ravi, "2026-03-03 06:00", "out")
    plant.night.versions.update(dated_by="end")
    plant.rebuild(plant.ravi, date(2026, 3, 4))
    assert plant.record(plant.ravi, date(2026, 3, 3)).worked_minutes == 480


@pytest.mark.parametrize(
    ("kind", "ago", "moves"),
    [
        pytest.param("device", 90, True, id="a device within a quarter of a year"),
        pytest.param("device", 91, False, id="a device before"),
        pytest.param("api", 400, False, id="a program"),
        pytest.param("camera", 400, False, id="a camera"),
        pytest.param("import", 400, True, id="a table"),
        pytest.param("manual", 400, True, id="by hand"),
    ],
)
def test_only_people_say_that_attendance_began_long_ago(plant: Plant, kind: str, ago: int, moves: bool) -> None:
    moment = LATER - timedelta(days=ago)
    source = plant.source(f"some {kind}", kind)
    single = NewPunch(plant.asha.pk, moment, "in", "single")
    lot = NewPunch(plant.ravi.pk, moment, "in", "lot")
    Progress.objects.update(kept_since=date(2026, 4, 1), finalised_until=date(2026, 4, 10))
    record_punch(row=single, employee=plant.asha, source=source, at=LATER)
    after_single = Progress.objects.get().kept_since
    Progress.objects.update(kept_since=date(2026, 4, 1))
    record_punches(rows=[lot], source=source, people={plant.ravi.pk: plant.ravi}, at=LATER)
    day = moment.astimezone(KOLKATA).date()
    assert {after_single, Progress.objects.get().kept_since} == {day if moves else date(2026, 4, 1)}
    rebuild_dirty(at=LATER)
    kept = DayRecord.objects.filter(shift_date=day, flags__kind="off_shift", status="")
    assert moves or kept.count() == 2


def test_an_event_that_is_sent_again_with_another_time_begins_attendance_on_no_other_day(plant: Plant) -> None:
    source = plant.source("turnstile", "device")
    first = NewPunch(plant.asha.pk, LATER - timedelta(days=1), "in", "e1")
    again = NewPunch(plant.asha.pk, LATER - timedelta(days=60), "in", "e1")
    Progress.objects.update(kept_since=date(2026, 3, 1))
    for row in (first, again):
        outcome = record_punch(row=row, employee=plant.asha, source=source, at=LATER)
    assert (outcome.punch.at, Progress.objects.get().kept_since) == (first.at, date(2026, 3, 1))


def unplanned_punches(plant: Plant) -> list[NewPunch]:
    """Kiran comes and goes every twelve hours, nothing is assigned, and the door does not say which way."""
    AttendancePolicy.objects.create(site=plant.site, effective_from=date(2026, 1, 1), counts_unplanned_work=True)
    kiran = make_employee(plant.site, "E3", "Kiran")
    start = clock("2026-03-02 08:00")
    return [NewPunch(kiran.pk, start + n * timedelta(hours=12), event_id=str(n)) for n in range(60)]


def worked_by_kiran() -> list[tuple[date, int, list[str]]]:
    rows = DayRecord.objects.filter(employee__code="E3", worked_minutes__gt=0).order_by("shift_date", "slot")
    return list(rows.values_list("shift_date", "worked_minutes", "spans"))


def test_twelve_hours_on_and_off_without_a_direction_are_paired_alike_by_the_day_and_by_the_month(plant: Plant) -> None:
    rows, people = unplanned_punches(plant), {one.pk: one for one in plant.site.employees.all()}
    kiran = people[rows[0].employee]
    for row in rows[:12]:
        record_punch(row=row, employee=kiran, source=plant.source(), at=LATER)
    record_punches(rows=rows[12:], source=plant.source(), people=people, at=LATER)
    rebuild_dirty(at=LATER)
    lived = worked_by_kiran()
    assert [(day, minutes) for day, minutes, _ in lived] == [(date(2026, 3, 2) + n * DAY, 720) for n in range(30)]
    for first, last in ((20, 25), (1, 31), (11, 12)):
        plant.rebuild(kiran, date(2026, 3, first), date(2026, 3, last))
        assert worked_by_kiran() == lived


def test_a_punch_taken_out_turns_all_days_that_hang_on_it(plant: Plant) -> None:
    rows, people = unplanned_punches(plant), {one.pk: one for one in plant.site.employees.all()}
    record_punches(rows=rows, source=plant.source(), people=people, at=LATER)
    rebuild_dirty(at=LATER)
    wrong = Punch.objects.order_by("at").first()
    asked = ask_correction(
        employee=wrong.employee, kind="remove", reason="guard", punch=wrong, by=plant.people.meena, at=LATER
    )
    decide_correction(correction=asked, approve=True, note="", by=plant.people.kavita, at=LATER)
    lived = worked_by_kiran()
    assert {clock_hours(spans) for _, _, spans in lived} == {(20, 8)}
    DayRecord.objects.all().delete()
    rebuild_site(site=plant.site, first=date(2026, 3, 1), last=date(2026, 4, 10), at=LATER)
    assert worked_by_kiran() == lived


def test_pairs_that_reach_back_to_shifts_round_the_clock_are_known_from_where_those_begin(plant: Plant) -> None:
    rows, people = unplanned_punches(plant), {one.pk: one for one in plant.site.employees.all()}
    kiran, day = people[rows[0].employee], date(2026, 3, 20)
    Progress.objects.update(kept_since=date(2026, 2, 1))
    for name, start, end in (("X", "06:00", "14:00"), ("Y", "14:00", "22:00"), ("Z", "22:00", "06:00")):
        shift = make_shift(plant.site, name, start, end)
        assign(kiran, shift, date(2026, 2, 20), to_date=date(2026, 3, 2))
    record_punches(rows=rows, source=plant.source(), people=people, at=LATER)
    _, reach = find_reach([kiran], Span(day, day), LATER.date())
    assert reach.known_from == date(2026, 2, 20)


def clock_hours(spans: list[list[str]]) -> tuple[int, ...]:
    return tuple(datetime.fromisoformat(text).astimezone(KOLKATA).hour for text in spans[0])


def test_a_record_that_moves_to_the_next_date_is_there_all_the_time(plant: Plant) -> None:
    """Dated by most of the work: the night of Monday is Tuesday's once the exit is known; Monday is rebuilt first."""
    plant.night.versions.update(dated_by="most", window_after_minutes=240)
    plant.punch(plant.ravi, "2026-03-02 22:00", "in")
    plant.punch(plant.ravi, "2026-03-02 23:59", "out", at=LATER)
    assert plant.record(plant.ravi, MONDAY).worked_minutes == 119
    row = NewPunch(plant.ravi.pk, clock("2026-03-03 06:00"), "out", "late")
    record_punches(rows=[row], source=plant.source(), people={plant.ravi.pk: plant.ravi}, at=LATER)
    plant.rebuild(plant.ravi, MONDAY - 2 * DAY, MONDAY - DAY)
    assert DayRecord.objects.get(employee=plant.ravi, worked_minutes=480).shift_date == MONDAY + DAY


def test_minutes_cut_at_midnight_add_up_to_the_minutes_worked(plant: Plant) -> None:
    plant.night.versions.update(dated_by="split")
    plant.punch(plant.ravi, "2026-03-02 21:58:30", "in")
    plant.punch(plant.ravi, "2026-03-03 06:01:45", "out")
    night = plant.record(plant.ravi)
    assert night.worked_minutes == 483
    assert night.shares == {"2026-03-02": 121, "2026-03-03": 362}
    assert night.hours_by_date == "Mon 2 Mar 2:01, Tue 3 Mar 6:02"
