"""Punches become days: recorded once, derived, flagged, finalised, corrected."""

from __future__ import annotations

import dataclasses
from datetime import date, time, timedelta
from typing import Any

import pytest

from attendance.export import content_hash, live_table, table
from attendance.models import (
    Assignment,
    AttendancePolicy,
    DayRecord,
    DirtyDay,
    Flag,
    Holiday,
    Leave,
    LimitWarning,
    PayPeriod,
    Punch,
    SetAside,
    Source,
)
from attendance.rules.flags import judge_again
from attendance.services.finalise import finalise_days
from attendance.services.limits import watch_limits
from attendance.services.periods import add_period, lock_period
from attendance.services.presence import people_on_shift
from attendance.services.punches import NewPunch, record_punch, record_punches
from attendance.services.rebuild import rebuild_dirty, rebuild_site
from attendance.services.rosters import save_shift, touch_site
from attendance.services.watermarks import close_site
from attendance.tests.factories import LATER, MONDAY, Plant, assign, clock, make_employee, make_plant
from factoryai.rest import Refusal
from identity.services.people import save_employee

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> Plant:
    return make_plant()


def test_an_entry_and_an_exit_make_a_day_that_explains_itself(plant: Plant) -> None:
    plant.punch(plant.asha, "2026-03-02 08:06:12", "in", place="Gate 1")
    plant.punch(plant.asha, "2026-03-02 17:02", "out", place="Gate 1")
    day, late = plant.record(plant.asha), plant.flag(plant.asha, "late")
    assert (day.status, day.worked_minutes, day.after_start_minutes, day.past_grace_minutes) == ("present", 535, 6, 1)
    assert late.why == "LATE 6 min: first entry 08:06:12 at Gate 1; shift A (v1) starts 08:00, grace 5 min"
    assert judge_again(late.kind, late.inputs)


def test_a_night_is_dated_by_its_start(plant: Plant) -> None:
    plant.punch(plant.ravi, "2026-03-02 21:58", "in")
    plant.punch(plant.ravi, "2026-03-03 06:01", "out")
    day = plant.record(plant.ravi)
    assert (day.shift_date, day.worked_minutes) == (MONDAY, 483)
    assert not Flag.objects.exists()


def test_the_same_event_again_changes_nothing_and_answers_the_same(plant: Plant) -> None:
    first = plant.punch(plant.asha, "2026-03-02 08:00", "in", event_id="a-1")
    again = plant.punch(plant.asha, "2026-03-02 08:00", "in", event_id="a-1")
    assert (again.punch, again.record, again.is_duplicate) == (first.punch, first.record, False)
    assert Punch.objects.count() == 1


def test_a_second_entry_is_kept_and_changes_nothing(plant: Plant) -> None:
    first = plant.punch(plant.asha, "2026-03-02 08:00", "in")
    second = plant.punch(plant.asha, "2026-03-02 11:00", "in", event_id="device-7")
    assert (first.is_duplicate, second.is_duplicate) == (False, True)
    assert second.record == first.record
    assert SetAside.objects.get().reason == "entry already at 02:30:00 UTC"
    assert plant.record(plant.asha).first_in == clock("2026-03-02 08:00")


def test_a_source_without_ids_repeats_itself_in_vain(plant: Plant) -> None:
    plant.punch(plant.asha, "2026-03-02 08:00", "in")
    assert plant.punch(plant.asha, "2026-03-02 08:00", "in").is_duplicate
    assert Punch.objects.count() == 1


def test_punches_outside_every_window_are_flagged_and_kept(plant: Plant) -> None:
    outcome = plant.punch(plant.asha, "2026-03-02 03:00", "in", place="Gate 1")
    assert outcome.record.status == ""
    assert [flag.kind for flag in outcome.record.flags.all()] == ["off_shift"]
    assert Punch.objects.with_state().get().state == "off_shift"


def test_a_late_arriving_entry_moves_the_first_one_back(plant: Plant) -> None:
    plant.punch(plant.asha, "2026-03-02 08:20", "in")
    plant.punch(plant.asha, "2026-03-02 07:58", "in", at=LATER)
    assert plant.record(plant.asha).first_in == clock("2026-03-02 07:58")
    assert not Flag.objects.filter(kind="late").exists()


@pytest.mark.parametrize(
    ("text", "code"), [("2026-03-02 09:00", "in_future"), ("2010-01-01 00:03", "long_ago")], ids=["future", "past"]
)
def test_a_clock_that_is_wrong_is_refused(plant: Plant, text: str, code: str) -> None:
    row = NewPunch(plant.asha.pk, clock(text), "in")
    with pytest.raises(Refusal) as refused:
        record_punch(row=row, employee=plant.asha, source=plant.source(), at=clock("2026-03-02 08:00"))
    assert (refused.value.code, Punch.objects.count()) == (code, 0)


def bulk(plant: Plant, *rows: NewPunch, at=LATER):
    people = {plant.asha.pk: plant.asha, plant.ravi.pk: plant.ravi}
    return record_punches(rows=rows, source=plant.source(), people=people, at=at)


def test_a_bad_row_spoils_no_neighbour(plant: Plant) -> None:
    good = NewPunch(plant.asha.pk, clock("2026-03-02 08:00"), "in", "1")
    bad = NewPunch(plant.stranger.pk, clock("2026-03-02 08:00"), "in", "2")
    late = dataclasses.replace(good, at=clock("2027-01-01 08:00"), event_id="3")
    result = bulk(plant, good, bad, late, good)
    assert (result.accepted, result.duplicates) == (1, 1)
    assert [(index, code) for index, code, _ in result.rejected] == [(1, "unknown_employee"), (2, "in_future")]


def test_what_came_in_bulk_is_derived_by_the_job(plant: Plant) -> None:
    bulk(plant, NewPunch(plant.asha.pk, clock("2026-03-02 08:06:12"), "in", "1"))
    assert (DayRecord.objects.count(), DirtyDay.objects.count()) == (0, 1)
    rebuild_dirty(at=LATER)
    assert plant.record(plant.asha).after_start_minutes == 6
    assert DirtyDay.objects.count() == 0


def test_a_rebuild_that_finds_nothing_different_writes_nothing(plant: Plant) -> None:
    plant.punch(plant.asha, "2026-03-02 08:06", "in", at=LATER)
    done = rebuild_site(site=plant.site, first=MONDAY, last=MONDAY, at=LATER)
    again = rebuild_site(site=plant.site, first=MONDAY, last=MONDAY, at=LATER)
    assert done.people == 2
    assert (again.written, again.deleted) == (0, 0)


def test_an_edited_shift_changes_the_days_from_its_date_on(plant: Plant) -> None:
    tuesday = MONDAY + timedelta(days=1)
    plant.punch(plant.asha, "2026-03-02 08:06", "in", at=LATER)
    plant.punch(plant.asha, "2026-03-03 08:06", "in", at=LATER)
    fields = {"starts_at": "08:00", "ends_at": "17:00", "grace_in_minutes": 10, "effective_from": tuesday}
    save_shift(site=plant.site, name="A", fields={**fields, **as_times(fields)}, by=plant.people.meena, at=LATER)
    rebuild_dirty(at=LATER)
    lates = Flag.objects.filter(kind="late").values_list("shift_date", flat=True)
    assert list(lates) == [MONDAY]
    assert plant.record(plant.asha, tuesday).version.number == 2


def as_times(fields: dict) -> dict:
    return {name: time.fromisoformat(fields[name]) for name in ("starts_at", "ends_at")}


def test_a_version_that_runs_into_another_shift_of_somebody_is_refused(plant: Plant) -> None:
    assign(plant.asha, plant.night)
    fields = {"starts_at": time(8), "window_before_minutes": 30, "window_after_minutes": 30}
    longer = {**fields, "ends_at": time(23), "effective_from": date(2026, 3, 10)}
    with pytest.raises(Refusal, match="2026-03-10 it overlaps another shift of Asha") as refused:
        save_shift(site=plant.site, name="A", fields=longer, by=None, at=LATER)
    assert (refused.value.code, plant.day.versions.count()) == ("shifts_overlap", 1)
    until = {**fields, "ends_at": time(22), "effective_from": date(2026, 3, 10)}
    assert save_shift(site=plant.site, name="A", fields=until, by=None, at=LATER).number == 2


def test_a_holiday_takes_the_absence_away(plant: Plant) -> None:
    plant.rebuild(plant.asha)
    assert plant.record(plant.asha).status == "absent"
    Holiday.objects.create(site=plant.site, date=MONDAY, name="Holi")
    touch_site(site=plant.site, first=MONDAY, last=MONDAY, at=LATER)
    rebuild_dirty(at=LATER)
    assert plant.record(plant.asha).status == "holiday"


def test_nobody_is_absent_before_every_required_source_has_reported(plant: Plant) -> None:
    source = plant.source()
    Source.objects.filter(pk=source.pk).update(is_required=True, reported_until=clock("2026-03-02 12:00"))
    finalise_days(at=clock("2026-03-04 12:00"))
    assert not DayRecord.objects.filter(status="absent", shift_date=MONDAY).exists()
    Source.objects.filter(pk=source.pk).update(reported_until=clock("2026-03-04 11:00"))
    finalise_days(at=clock("2026-03-04 12:00"))
    assert plant.record(plant.asha).status == "absent"


def test_a_person_may_close_the_day_instead_of_a_dead_source(plant: Plant) -> None:
    Source.objects.filter(pk=plant.source().pk).update(is_required=True)
    now = clock("2026-03-04 12:00")
    finalise_days(at=now)
    assert not DayRecord.objects.exists()
    close_site(site=plant.site, until=now, reason="The gate's reader is broken", by=plant.people.meena, at=now)
    finalise_days(at=now)
    assert plant.record(plant.asha).status == "absent"


def test_time_moves_a_day_from_live_to_final(plant: Plant) -> None:
    plant.punch(plant.asha, "2026-03-02 08:00", "in")
    assert plant.record(plant.asha).state == "live"
    finalise_days(at=clock("2026-03-03 09:00"))
    assert (plant.record(plant.asha).state, plant.flag(plant.asha, "missing_out").review) == ("final", "pending")


def test_a_punch_that_arrives_after_the_absence_takes_it_back(plant: Plant) -> None:
    finalise_days(at=clock("2026-03-05 12:00"))
    assert plant.record(plant.asha).status == "absent"
    plant.punch(plant.asha, "2026-03-02 08:00", "in", at=clock("2026-03-05 13:00"))
    assert plant.record(plant.asha).status == "present"


def test_the_sites_days_off_are_days_off(plant: Plant) -> None:
    AttendancePolicy.objects.create(site=plant.site, effective_from=date(2026, 1, 1), week_offs=[6])
    plant.rebuild(plant.asha, date(2026, 3, 2), date(2026, 3, 8))
    days = dict(DayRecord.objects.filter(employee=plant.asha).values_list("shift_date", "status"))
    assert (days[date(2026, 3, 7)], days[date(2026, 3, 8)]) == ("absent", "week_off")


def test_the_default_shift_is_for_people_without_an_assignment(plant: Plant) -> None:
    newcomer = make_employee(plant.site, "E3", "Nila")
    AttendancePolicy.objects.create(site=plant.site, effective_from=date(2026, 1, 1), default_shift=plant.day)
    plant.punch(newcomer, "2026-03-02 08:10", "in")
    assert plant.flag(newcomer, "late").rule == "A v1"


def test_another_persons_data_changes_nothing(plant: Plant) -> None:
    plant.punch(plant.asha, "2026-03-02 08:06", "in", at=LATER)
    before = plant.record(plant.asha).digest
    plant.punch(plant.ravi, "2026-03-02 22:00", "in", at=LATER)
    plant.rebuild(plant.asha)
    assert plant.record(plant.asha).digest == before


def test_people_on_shift_are_those_who_came_and_did_not_leave(plant: Plant) -> None:
    plant.punch(plant.asha, "2026-03-02 08:00", "in")
    plant.punch(plant.ravi, "2026-03-02 22:00", "in")
    counts = [people_on_shift(plant.site, clock(f"2026-03-02 {at}")) for at in ("07:59", "12:00", "22:30")]
    assert counts == [0, 1, 1]
    plant.punch(plant.ravi, "2026-03-03 06:00", "out")
    assert people_on_shift(plant.site, clock("2026-03-03 06:30")) == 0
    assert people_on_shift(plant.people.other_site, clock("2026-03-02 12:00")) == 0


def test_passed_limits_are_listed_once_and_go_with_what_gave_them(plant: Plant) -> None:
    AttendancePolicy.objects.create(site=plant.site, effective_from=date(2026, 1, 1), law="factories_act_1948")
    plant.punch(plant.asha, "2026-03-02 08:00", "in")
    plant.punch(plant.asha, "2026-03-02 18:00", "out")
    soon = clock("2026-03-04 12:00")
    assert [watch_limits(at=soon), watch_limits(at=soon)] == [2, 2]
    found = LimitWarning.objects.order_by("limit").values_list("employee", "date", "limit", "by_minutes")
    assert list(found) == [(plant.asha.pk, MONDAY, "daily_hours", 60), (plant.asha.pk, MONDAY, "rest_interval", 300)]
    plant.punch(plant.asha, "2026-03-02 13:00", "out")
    plant.day.versions.update(worked_policy="pairs")
    plant.rebuild(plant.asha)
    assert watch_limits(at=soon) == 0


@pytest.mark.parametrize(("since", "found"), [(MONDAY, 2), (MONDAY + timedelta(days=1), 0)])
def test_a_law_is_watched_from_the_date_of_its_policy_on(plant: Plant, since: date, found: int) -> None:
    AttendancePolicy.objects.create(site=plant.site, effective_from=since, law="factories_act_1948")
    plant.punch(plant.asha, "2026-03-02 08:00", "in")
    plant.punch(plant.asha, "2026-03-02 18:00", "out")
    assert watch_limits(at=clock("2026-03-04 12:00")) == found


def test_hours_beyond_the_week_are_in_the_payroll_once_and_count_from_the_monday_before(plant: Plant) -> None:
    """Seven days of eight hours are eight beyond 48: all of them on the Sunday, wherever the period begins."""
    for day in range(2, 9):
        plant.punch(plant.asha, f"2026-03-0{day} 08:00", "in")
        plant.punch(plant.asha, f"2026-03-0{day} 16:00", "out")
    sunday = date(2026, 3, 8)
    of_week, of_sunday = (
        add_period(site=plant.site, first=first, last=last, department=department)
        for first, last, department in ((MONDAY, sunday, "Paint"), (sunday, sunday, "Assembly"))
    )
    assert totals_of(of_sunday, "E1")["beyond_law_minutes"] == ""
    AttendancePolicy.objects.create(site=plant.site, effective_from=date(2026, 1, 1), law="factories_act_1948")
    assert totals_of(of_sunday, "E1")["beyond_law_minutes"] == 480
    plant.asha.department = "Paint"
    save_employee(plant.asha)
    assert totals_of(of_week, "E1")["beyond_law_minutes"] == 480
    finalise_days(at=LATER)
    locked = lock_period(period=of_week, by=plant.people.meena, at=LATER, accept_unreviewed=True)
    AttendancePolicy.objects.update(law="")
    assert content_hash(locked) == locked.content_hash
    assert totals_of(locked, "E1")["beyond_law_minutes"] == 480


def totals_of(period: PayPeriod, code: str) -> dict[str, Any]:
    lines = list(table(period))
    names = next(line for line in lines if "days_present" in line)
    found = next(line for line in lines[lines.index(names) :] if line and line[0] == code)
    return dict(zip(names, found, strict=True))


def test_half_a_day_of_leave_is_half_a_day_in_the_payroll(plant: Plant) -> None:
    Leave.objects.create(employee=plant.asha, from_date=MONDAY, to_date=MONDAY, part="first_half")
    plant.punch(plant.asha, "2026-03-02 12:25", "in")
    plant.punch(plant.asha, "2026-03-02 17:00", "out")
    plant.rebuild(plant.asha)
    day = plant.record(plant.asha)
    assert (day.status, day.leave, day.scheduled_minutes, day.flags.count()) == ("half_day", "first_half", 270, 0)
    lines = list(live_table(add_period(site=plant.site, first=MONDAY, last=MONDAY)))
    names = [position for position, line in enumerate(lines) if line and line[0] == "employee_code"]
    row, sums = (dict(zip(lines[position], lines[position + 1], strict=True)) for position in names)
    assert (row["status"], row["leave"]) == ("half day", "first half")
    assert (sums["half_days"], sums["half_days_on_leave"]) == (1, 1)


def test_work_on_the_sites_day_off_is_overtime(plant: Plant) -> None:
    AttendancePolicy.objects.create(site=plant.site, effective_from=date(2026, 1, 1), week_offs=[0])
    plant.punch(plant.asha, "2026-03-02 10:00", "in")
    plant.punch(plant.asha, "2026-03-02 14:00", "out")
    plant.rebuild(plant.asha)
    day = plant.record(plant.asha)
    assert (day.status, day.overtime_minutes, day.scheduled_minutes, day.flags.count()) == ("present", 240, 0, 0)


def test_who_is_switched_off_is_absent_on_no_day_after_the_last_punch(plant: Plant) -> None:
    plant.punch(plant.asha, "2026-03-03 08:00", "in")
    plant.punch(plant.asha, "2026-03-03 17:00", "out")
    finalise_days(at=clock("2026-03-06 12:00"))
    plant.asha.is_active = False
    save_employee(plant.asha)
    rebuild_dirty(at=clock("2026-03-06 12:00"))
    days = DayRecord.objects.filter(employee=plant.asha).order_by("shift_date").values_list("shift_date", "status")
    assert dict(days) == {date(2026, 3, 1): "absent", MONDAY: "absent", date(2026, 3, 3): "present"}


def test_a_policy_about_unplanned_work_holds_from_its_date_on_however_much_is_derived_at_once(plant: Plant) -> None:
    Assignment.objects.all().delete()
    for since, counts in ((date(2026, 1, 1), False), (date(2026, 3, 15), True)):
        AttendancePolicy.objects.create(site=plant.site, effective_from=since, counts_unplanned_work=counts)
    for day in ("2026-03-05", "2026-03-20"):
        plant.punch(plant.asha, f"{day} 08:00", "in")
        plant.punch(plant.asha, f"{day} 17:00", "out")
    plant.rebuild(plant.asha, date(2026, 3, 5))
    alone = plant.record(plant.asha, date(2026, 3, 5))
    plant.rebuild(plant.asha, date(2026, 3, 1), date(2026, 3, 31))
    assert plant.record(plant.asha, date(2026, 3, 5)).digest == alone.digest
    assert (alone.worked_minutes, plant.record(plant.asha, date(2026, 3, 20)).worked_minutes) == (0, 540)


def test_an_event_id_used_again_for_another_person_is_refused_aloud(plant: Plant) -> None:
    plant.punch(plant.asha, "2026-03-02 08:00", "in", event_id="1")
    with pytest.raises(Refusal) as refused:
        plant.punch(plant.ravi, "2026-03-02 22:00", "in", event_id="1")
    assert (refused.value.code, refused.value.status) == ("event_id_reused", 409)
    moment = clock("2026-03-02 22:00")
    rows = [
        NewPunch(who.pk, moment, "in", event_id)
        for who, event_id in ((plant.ravi, "1"), (plant.ravi, "2"), (plant.asha, "2"), (plant.asha, "1"))
    ]
    found = bulk(plant, *rows, at=moment)
    assert (found.accepted, found.duplicates) == (1, 1)
    assert [(index, code) for index, code, _ in found.rejected] == [(0, "event_id_reused"), (2, "event_id_reused")]
