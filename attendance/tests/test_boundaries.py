"""Where a rule turns: the last moment on one side, and the first on the other."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, time, timedelta

import pytest

from attendance.rules.days import State, Status
from attendance.rules.derivation import Derived, Roster, derive_days
from attendance.rules.flags import FlagKind, judge_again, ordinal
from attendance.rules.grace import GracePolicy, keep_ledger
from attendance.rules.intervals import total
from attendance.rules.matching import Direction, Punch, PunchState
from attendance.rules.sessions import SessionPolicy
from attendance.rules.shifts import DAY, Leave, LeavePart, Shift, judge_shift
from attendance.tests.values import KOLKATA, LATER, MONDAY, assigned, clock

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
MORNING = Shift("A", time(8), time(17), window_before=2 * HOUR, window_after=4 * HOUR)


def entry(text: str, day: date = MONDAY) -> Punch:
    return Punch(clock(text, day), Direction.IN)


def derive(*punches: Punch, now: datetime = LATER, **plan: object) -> Derived:
    return derive_days(Roster(**plan), punches, MONDAY, MONDAY + 6 * DAY, KOLKATA, now=now, watermark=now)


@pytest.mark.parametrize(
    ("ends_at", "after", "code"),
    [
        (time(17), 13 * HOUR - SECOND, ""),
        (time(17), 13 * HOUR, "window_too_long"),
        (time(5, 59), timedelta(0), ""),
        (time(8), timedelta(0), "no_length"),
    ],
)
def test_a_shift_and_its_windows_stay_under_a_day(ends_at, after, code):
    assert judge_shift(time(8), ends_at, 2 * HOUR, after) == code


@pytest.mark.parametrize(("ends_at", "is_overnight"), [(time(8, 1), False), (time(7, 59), True), (time(0), True)])
def test_a_shift_that_ends_before_it_starts_ends_on_the_next_day(ends_at, is_overnight):
    assert dataclasses.replace(MORNING, ends_at=ends_at).is_overnight == is_overnight


@pytest.mark.parametrize(("at", "worked"), [("16:59:59", SECOND), ("17:00:00", 0 * HOUR), ("18:30:00", 0 * HOUR)])
def test_a_shift_that_closes_itself_gives_no_time_to_who_came_after_its_end(at, worked):
    closing = dataclasses.replace(MORNING, closes_itself=True)
    (record,) = (one for one in derive(entry(at), assignments=assigned(closing, days=1)).records if one.occurrence)
    assert record.first_in == clock(at)
    assert total(record.worked) == worked


@pytest.mark.parametrize(("again", "state"), [("19:59:59", PunchState.DUPLICATE), ("20:00:00", PunchState.OFF_SHIFT)])
def test_a_second_entry_in_the_double_entry_window_stays_with_its_shift_beyond_the_margin(again, state):
    short = dataclasses.replace(MORNING, window_after=HOUR, double_entry=12 * HOUR)
    assert derive(entry("08:00"), entry(again), assignments=assigned(short, days=1)).placed[-1].state is state


def test_a_session_without_a_shift_is_open_until_no_punch_can_join_it():
    out = Punch(clock("12:00"), Direction.OUT)
    policy = SessionPolicy(new_session_gap=4 * HOUR)
    states = [
        derive(entry("08:00"), out, now=now, sessions=policy).records[0].state
        for now in (clock("16:00"), clock("16:00") + SECOND)
    ]
    assert states[0] is State.LIVE
    assert states[1] is not State.LIVE


def test_a_day_off_is_decided_when_the_day_is_over():
    plan = {"assignments": assigned(MORNING, days=1), "days_off": frozenset([MONDAY])}
    assert derive(now=clock("23:59:59"), **plan).records == []
    (record,) = derive(now=clock("00:00:00", MONDAY + DAY), **plan).records
    assert (record.status, record.closes_at) == (Status.WEEK_OFF, clock("00:00", MONDAY + DAY) - timedelta.resolution)


def test_half_days_of_leave_make_a_whole_one():
    halves = (Leave(MONDAY, MONDAY, LeavePart.FIRST_HALF), Leave(MONDAY, MONDAY, LeavePart.SECOND_HALF))
    (record,) = derive(assignments=assigned(MORNING, days=1), leaves=halves).records
    assert record.status is Status.ON_LEAVE


def test_two_lates_of_one_date_are_counted_in_the_order_of_their_shifts():
    early = dataclasses.replace(MORNING, name="Z", ends_at=time(11), window_after=HOUR)
    late = dataclasses.replace(MORNING, name="A", starts_at=time(13), window_before=HOUR)
    found = derive(entry("08:30"), entry("13:30"), assignments=assigned(early, late, days=1)).records
    judged, ledger = keep_ledger(tuple(reversed(found)), GracePolicy(half_day_every=2), KOLKATA)
    assert ledger.lates == 2
    assert [any(flag.kind is FlagKind.LATES_HALF_DAY for flag in one.flags) for one in judged] == [False, True]
    assert [one.shift for one in judged] == ["Z", "A"]


def test_each_half_day_for_lates_follows_from_what_it_says():
    punches = [entry("08:30", MONDAY + n * DAY) for n in range(7)]
    found = derive(*punches, assignments=assigned(MORNING, days=7)).records
    judged, _ = keep_ledger(found, GracePolicy(free_lates=1, half_day_every=3), KOLKATA)
    told = [flag for one in judged for flag in one.flags if flag.kind is FlagKind.LATES_HALF_DAY]
    assert [flag.inputs["lates"] for flag in told] == [4, 7]
    assert all(judge_again(flag.kind, flag.inputs) for flag in told)
    assert not judge_again(FlagKind.LATES_HALF_DAY, {**told[0].inputs, "lates": 5})


@pytest.mark.parametrize("said", ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "111th", "122nd"])
def test_an_ordinal_reads_as_it_is_said(said):
    assert ordinal(int(said[:-2])) == said
