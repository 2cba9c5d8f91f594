"""Days off, work without a shift, versions and turning rosters: what a day is called and why."""

from __future__ import annotations

import dataclasses
from datetime import time, timedelta

import pytest

from attendance.rules.derivation import Roster, derive_days
from attendance.rules.flags import FlagKind, judge_again
from attendance.rules.matching import Direction, Punch, PunchState, place_punches
from attendance.rules.sessions import SessionPolicy
from attendance.rules.shifts import (
    DAY,
    Assignment,
    Cycle,
    Leave,
    OvertimePolicy,
    occurrences,
)
from attendance.tests.values import (
    FIRST,
    KOLKATA,
    LATER,
    MONDAY,
    MORNING,
    NIGHT,
    SECOND,
    assigned,
    clock,
    entry,
    leave,
    records,
    roster,
)


def test_an_exit_alone_is_a_missing_entry() -> None:
    day = records([leave("17:00")])[0]
    assert [flag.kind for flag in day.flags] == [FlagKind.MISSING_IN]
    assert day.flags[0].why == "NO ENTRY: exit 17:00:00 has no entry before it; shift A (v3)"


def test_a_shift_that_closes_itself_ends_at_its_scheduled_end_and_says_so() -> None:
    day = records([entry("08:00")], dataclasses.replace(MORNING, closes_itself=True))[0]
    assert (day.last_out, day.worked_minutes, [flag.kind for flag in day.flags]) == (None, 540, [FlagKind.AUTO_CLOSED])


def test_two_looks_of_a_camera_without_direction_are_one_punch() -> None:
    shift = dataclasses.replace(MORNING, repeat_within=timedelta(minutes=2))
    looks = [Punch(clock(text)) for text in ("08:00:00", "08:01:59", "17:00:00")]
    placed = place_punches(looks, roster(shift, days=1))
    assert [p.state for p in placed] == [PunchState.COUNTED, PunchState.DUPLICATE, PunchState.COUNTED]


@pytest.mark.parametrize(
    ("roster_of", "statuses"),
    [
        pytest.param({"holidays": frozenset({MONDAY})}, ["holiday", None], id="a holiday"),
        pytest.param({"leaves": (Leave(MONDAY, MONDAY),)}, ["on_leave", None], id="leave"),
        pytest.param(
            {"leaves": (Leave(MONDAY, MONDAY, FIRST), Leave(MONDAY, MONDAY, SECOND))},
            ["on_leave", None],
            id="two halves",
        ),
        pytest.param({"leaves": (Leave(MONDAY, MONDAY, FIRST),)}, ["half_day", None], id="half a day of leave"),
        pytest.param({"days_off": frozenset({MONDAY})}, ["week_off", None], id="a day off"),
        pytest.param({"joined": MONDAY + DAY}, [None, None], id="before joining"),
        pytest.param({}, ["absent", None], id="a day of work"),
    ],
)
def test_a_day_without_punches_says_why(roster_of: dict, statuses: list[str | None]) -> None:
    given = Roster((Assignment((MORNING,), MONDAY, None),), **roster_of)
    now = clock("08:00", MONDAY + DAY)
    found = derive_days(given, [], MONDAY, MONDAY + DAY, KOLKATA, now=now, watermark=now).records
    said = {record.shift_date: record.status for record in found}
    assert [said.get(MONDAY), said.get(MONDAY + DAY)] == statuses


def test_work_on_a_holiday_is_overtime_and_never_late() -> None:
    shift = dataclasses.replace(MORNING, overtime=OvertimePolicy.BEYOND_HOURS)
    given = Roster((Assignment((shift,), MONDAY, MONDAY),), holidays=frozenset({MONDAY}))
    punches = [entry("10:00"), leave("14:00")]
    day = derive_days(given, punches, MONDAY, MONDAY, KOLKATA, now=LATER, watermark=LATER).records[0]
    assert (day.status, day.worked_minutes, day.overtime_minutes, day.flags) == ("present", 240, 240, ())


@pytest.mark.parametrize("off", ["the site's day off", "its own weekday off", "the off days of a turn"])
def test_work_on_a_day_off_counts_as_overtime_and_is_never_late(off: str) -> None:
    shift = dataclasses.replace(MORNING, overtime=OvertimePolicy.BEYOND_HOURS)
    weekdays = frozenset({1, 2, 3}) if off == "its own weekday off" else None
    cycle = Cycle(MONDAY + DAY, 4, frozenset({0, 1})) if off == "the off days of a turn" else None
    days_off = frozenset({MONDAY}) if off == "the site's day off" else frozenset()
    given = Roster((Assignment((shift,), MONDAY - 7 * DAY, None, weekdays, cycle),), days_off=days_off)
    punches = [entry("10:00"), leave("14:00")]
    found = derive_days(given, punches, MONDAY, MONDAY, KOLKATA, now=LATER, watermark=LATER).records
    assert [(day.status, day.worked_minutes, day.overtime_minutes, day.flags) for day in found] == [
        ("present", 240, 240, ())
    ]


def test_an_entry_on_a_day_off_opens_the_shift_that_begins_then() -> None:
    early = dataclasses.replace(MORNING, name="E", starts_at=time(6), ends_at=time(14))
    late = dataclasses.replace(MORNING, name="L", starts_at=time(14), ends_at=time(22))
    given = Roster(assigned(early, late), days_off=frozenset({MONDAY}))
    punches = [entry("13:58"), leave("22:00")]
    found = derive_days(given, punches, MONDAY, MONDAY, KOLKATA, now=LATER, watermark=LATER).records
    assert [(day.shift, day.worked_minutes) for day in found] == [("L", 482)]


def test_punches_on_a_holiday_that_a_shift_leaves_alone_are_kept_for_hr() -> None:
    shift = dataclasses.replace(MORNING, skips_holidays=True)
    given = Roster(assigned(shift, days=1), holidays=frozenset({MONDAY}))
    found = derive_days(given, [entry("08:00")], MONDAY, MONDAY, KOLKATA, now=LATER, watermark=LATER)
    assert [one.state for one in found.placed] == [PunchState.OFF_SHIFT]
    assert [(day.status, [flag.kind for flag in day.flags]) for day in found.records] == [("holiday", ["off_shift"])]


@pytest.mark.parametrize(
    ("punches", "kinds"),
    [
        pytest.param([entry("08:00"), leave("12:00")], [], id="whole"),
        pytest.param([entry("08:00")], [FlagKind.MISSING_OUT], id="no exit"),
        pytest.param([leave("12:00")], [FlagKind.MISSING_IN], id="no entry"),
        pytest.param(
            [entry("08:00", is_doubtful=True), leave("12:00")], [FlagKind.LOW_CONFIDENCE], id="a doubtful face"
        ),
    ],
)
def test_work_without_a_shift_is_flagged_like_any_other(punches: list[Punch], kinds: list[FlagKind]) -> None:
    given = Roster(sessions=SessionPolicy())
    found = derive_days(given, punches, MONDAY, MONDAY, KOLKATA, now=LATER, watermark=LATER).records
    assert [flag.kind for day in found for flag in day.flags] == kinds
    assert all(judge_again(flag.kind, flag.inputs) for day in found for flag in day.flags)


@pytest.mark.parametrize(
    ("punches", "shifts"),
    [
        pytest.param(
            [("22:00", "in", 0), ("06:10", "out", 1)], "N", id="the exit of a night in the next shift's hours"
        ),
        pytest.param([("22:00", "in", 0), ("06:10", "in", 1), ("06:20", "out", 1)], "NDD", id="once that is entered"),
        pytest.param([("06:10", "out", 1)], "D", id="an exit that ends nothing"),
    ],
)
def test_an_open_session_keeps_its_exit(punches: list[tuple[str, str, int]], shifts: str) -> None:
    dawn = dataclasses.replace(MORNING, name="D", starts_at=time(6), ends_at=time(14))
    given = [Punch(clock(text, MONDAY + day * DAY), Direction(way)) for text, way, day in punches]
    placed = place_punches(given, roster(NIGHT, dawn, days=2))
    assert "".join(one.occurrence.shift.name for one in placed if one.occurrence).replace("NN", "N") == shifts


def test_the_version_in_force_on_the_day_is_used() -> None:
    later = dataclasses.replace(MORNING, starts_at=time(9), version=4, effective_from=MONDAY + DAY)
    given = Roster((Assignment((MORNING, later), MONDAY, None),))
    punches = [entry("08:30"), Punch(clock("08:30", MONDAY + DAY), Direction.IN)]
    days = derive_days(given, punches, MONDAY, MONDAY + DAY, KOLKATA, now=LATER, watermark=LATER).records
    assert [(day.occurrence.shift.version, day.is_late) for day in days] == [(3, True), (4, False)]


def test_a_turning_roster_has_its_days_on_and_off() -> None:
    two_on_two_off = Cycle(MONDAY, 4, frozenset({0, 1}))
    turning = Assignment((MORNING,), MONDAY, None, None, two_on_two_off)
    found = occurrences([turning], (), MONDAY, MONDAY + 7 * DAY, KOLKATA)
    assert [(o.shift_date - MONDAY).days for o in found] == [0, 1, 4, 5]
