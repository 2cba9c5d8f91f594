"""Whatever happens in whatever order: living through it gives the same days as deriving everything from scratch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from attendance.models import Assignment, AttendancePolicy, DayRecord, DirtyDay, Flag, Holiday, Leave, Punch, SetAside
from attendance.models.shifts import LeavePart
from attendance.services.corrections import ask_correction, decide_correction
from attendance.services.periods import add_period, lock_period
from attendance.services.rebuild import rebuild_dirty, rebuild_site
from attendance.services.review import review_flag
from attendance.services.rosters import assign_shift, save_shift, touch_person, touch_site
from attendance.tests.factories import LATER, MONDAY, Plant, clock, make_employee, make_plant
from factoryai.rest import Refusal
from identity.models import Employee

pytestmark = pytest.mark.django_db

LAST = MONDAY + timedelta(days=5)
QUICK = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""Each example writes to the database: a failing one is shown as it was found, shrinking it would take minutes."""

DAYS = st.integers(0, 4).map(lambda n: MONDAY + timedelta(days=n))
TIMES = st.integers(0, 24 * 60 - 1).map(lambda n: time(n // 60, n % 60))
WHO = st.sampled_from(["asha", "ravi", "kiran"])
WAYS = st.sampled_from(["in", "out", "unknown"])
PUNCHES = st.tuples(st.just("punch"), WHO, DAYS, TIMES, WAYS)
EDITS = st.one_of(
    PUNCHES,
    PUNCHES,
    PUNCHES,
    st.tuples(st.just("remove"), st.integers(0, 20)),
    st.tuples(st.just("shift"), DAYS, st.integers(0, 30), st.integers(0, 480)),
    st.tuples(st.just("holiday"), DAYS),
    st.tuples(st.just("leave"), WHO, DAYS, st.sampled_from(LeavePart.values)),
    st.tuples(
        st.just("policy"), st.integers(0, 20), st.integers(1, 3), st.lists(st.integers(0, 6), max_size=2), st.booleans()
    ),
    st.tuples(st.just("night"), DAYS, st.sampled_from(["start", "end", "most", "split"]), st.integers(18, 23)),
    st.tuples(st.just("turn"), WHO, DAYS, st.integers(0, 2)),
    st.tuples(st.just("excuse"), st.integers(0, 20)),
)


@dataclass
class Mill(Plant):
    """The plant, with somebody whom no shift is assigned to."""

    kiran: Employee


@pytest.fixture
def plant() -> Mill:
    plant = make_plant()
    return Mill(**vars(plant), kiran=make_employee(plant.site, "E3", "Kiran"))


def at(day: date, clock_time: time) -> datetime:
    return clock(f"{day} {clock_time}")


def apply(plant: Mill, edit: tuple[Any, ...]) -> None:
    """Do one thing as HR or a device would; what makes no sense is refused and changes nothing."""
    kind, *facts = edit
    with transaction.atomic():
        try:
            EDIT[kind](plant, *facts)
        except Refusal:
            transaction.set_rollback(True)
    rebuild_dirty(at=LATER)


def punch(plant: Mill, who: str, day: date, clock_time: time, way: str) -> None:
    moment = at(day, clock_time)
    plant.punch(getattr(plant, who), f"{day} {clock_time}", way, at=LATER, event_id=f"{who}{moment}{way}")


def remove(plant: Mill, number: int) -> None:
    rows = list(Punch.objects.standing().select_related("employee__site").order_by("employee", "at", "direction"))
    if rows:
        wrong = rows[number % len(rows)]
        correction = ask_correction(
            employee=wrong.employee, kind="remove", reason="wrong face", punch=wrong, by=plant.people.meena, at=LATER
        )
        decide_correction(correction=correction, approve=True, note="", by=plant.people.kavita, at=LATER)


def shift(plant: Mill, day: date, grace: int, least: int) -> None:
    fields = {"starts_at": time(8), "ends_at": time(17), "effective_from": day}
    fields |= {"grace_in_minutes": grace, "absent_below_minutes": least}
    save_shift(site=plant.site, name="A", fields=fields, by=plant.people.meena, at=LATER)


def holiday(plant: Mill, day: date) -> None:
    row, is_made = Holiday.objects.get_or_create(site=plant.site, date=day, defaults={"name": "Holi"})
    if not is_made:
        row.delete()
    touch_site(site=plant.site, first=day, last=day, at=LATER)


def leave(plant: Mill, who: str, day: date, part: str) -> None:
    Leave.objects.create(employee=getattr(plant, who), from_date=day, to_date=day, part=part)
    touch_person(employee=getattr(plant, who), first=day, last=day, at=LATER)


def policy(plant: Mill, minutes: int, every: int, days_off: list[int], counts: bool) -> None:
    since = date(2026, 1, 1)
    fields = {"monthly_grace_minutes": minutes, "half_day_every": every, "week_offs": days_off}
    fields["counts_unplanned_work"] = counts
    AttendancePolicy.objects.update_or_create(site=plant.site, effective_from=since, defaults=fields)
    touch_site(site=plant.site, first=since, last=LAST, at=LATER)


def night(plant: Mill, day: date, dated_by: str, hour: int) -> None:
    fields = {"starts_at": time(hour), "ends_at": time(6), "effective_from": day, "dated_by": dated_by}
    save_shift(site=plant.site, name="N", fields=fields, by=plant.people.meena, at=LATER)


def turn(plant: Mill, who: str, day: date, length: int) -> None:
    """Give somebody the night for a few days, where the hours are free."""
    last = day + timedelta(days=length)
    assign_shift(
        assignment=Assignment(employee=getattr(plant, who), shift=plant.night, from_date=day, to_date=last), at=LATER
    )


def excuse(plant: Mill, number: int) -> None:
    rows = list(Flag.objects.awaiting_review().select_related("day__employee").order_by("day__slot", "kind", "minutes"))
    if rows:
        flag = rows[number % len(rows)]
        review_flag(flag=flag, decision="excused", note="strike", by=plant.people.meena, at=LATER)


EDIT = {edit.__name__: edit for edit in (punch, remove, shift, holiday, leave, policy, night, turn, excuse)}


def days(first: date = MONDAY, last: date = LAST) -> list[tuple[Any, ...]]:
    """Return everything derived of some dates, without ids."""
    rows = DayRecord.objects.dated(first, last).order_by("employee", "slot")
    flags = Flag.objects.filter(day__in=rows).order_by("day__employee", "day__slot", "kind")
    return [
        *rows.values_list("employee", "slot", "status", "first_in", "last_out", "worked_minutes", "digest"),
        *flags.values_list("day__employee", "day__slot", "kind", "why", "review", "note"),
    ]


def asides() -> list[tuple[Any, ...]]:
    return list(SetAside.objects.order_by("punch").values_list("punch", "state", "reason", "slot"))


def from_scratch(plant: Mill) -> None:
    DayRecord.objects.exclude(state="locked").delete()
    SetAside.objects.all().delete()
    rebuild_site(site=plant.site, first=MONDAY - timedelta(days=1), last=LAST, at=LATER)


@QUICK
@given(st.lists(EDITS, min_size=1, max_size=12))
def test_living_through_edits_equals_deriving_from_scratch(plant: Mill, edits: list[tuple[Any, ...]]) -> None:
    with transaction.atomic():
        rebuild_site(site=plant.site, first=MONDAY, last=LAST, at=LATER)
        for edit in edits:
            apply(plant, edit)
        lived, set_aside = days(), asides()
        from_scratch(plant)
        assert (days(), asides()) == (lived, set_aside)
        assert DirtyDay.objects.count() == 0
        transaction.set_rollback(True)


@QUICK
@given(st.lists(PUNCHES, min_size=2, max_size=10), st.randoms(use_true_random=False))
def test_punches_give_the_same_days_in_any_order_of_arrival(
    plant: Mill, punches: list[tuple[Any, ...]], dice: Any
) -> None:
    shuffled = list(punches)
    dice.shuffle(shuffled)
    found = []
    for order in (punches, shuffled, [*shuffled, *punches]):
        with transaction.atomic():
            for one in order:
                apply(plant, one)
            found.append([row for row in days() if row[2] != "absent"])
            transaction.set_rollback(True)
    assert found[0] == found[1] == found[2]


@QUICK
@given(st.lists(EDITS, min_size=1, max_size=8), st.lists(EDITS, min_size=1, max_size=8))
def test_locked_days_stay_byte_for_byte_whatever_comes_after(
    plant: Mill, before: list[tuple[Any, ...]], after: list[tuple[Any, ...]]
) -> None:
    with transaction.atomic():
        for edit in before:
            apply(plant, edit)
        period = add_period(site=plant.site, first=MONDAY, last=LAST)
        lock_period(period=period, by=plant.people.meena, at=LATER, accept_unreviewed=True)
        locked = list(DayRecord.objects.filter(state="locked").order_by("pk").values())
        flags = list(Flag.objects.filter(day__state="locked").order_by("pk").values())
        for edit in after:
            apply(plant, edit)
        assert list(DayRecord.objects.filter(state="locked").order_by("pk").values()) == locked
        assert list(Flag.objects.filter(day__state="locked").order_by("pk").values()) == flags
        transaction.set_rollback(True)
