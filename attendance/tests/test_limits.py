"""The law's limits, overtime, rounding, and breaks: edges by table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.rules.intervals import Interval, beyond, by_day, day_length, total, within, without
from attendance.rules.limits import EU_2003_88, FACTORIES_ACT_1948, Limit, in_force, versions_between, watch, watch_all
from attendance.rules.matching import Direction, Placed, Punch, PunchState
from attendance.rules.overtime import OvertimeRule, Per, classify
from attendance.rules.rounding import Mode, round_minutes
from attendance.rules.shifts import DAY, Shift, occurrence_on
from attendance.rules.worked import paid_spans, read_presence, scheduled_hours
from attendance.tests.values import BERLIN, KOLKATA, MONDAY, clock

HOUR = timedelta(hours=1)


def span(start: str, end: str, day: date = MONDAY) -> Interval:
    begins, ends = clock(start, day), clock(end, day)
    return Interval(begins, ends if ends > begins else ends + DAY)


def week(*spans: tuple[str, str], days: int) -> dict[date, list[Interval]]:
    return {MONDAY + n * DAY: [span(*one, MONDAY + n * DAY) for one in spans] for n in range(days)}


@pytest.mark.parametrize(
    ("days", "limits", "passed"),
    [
        pytest.param(week(("06:00", "12:00"), days=1), EU_2003_88, [], id="six hours without a break"),
        pytest.param(week(("06:00", "12:01"), days=1), EU_2003_88, [Limit.REST_INTERVAL], id="a minute more"),
        pytest.param(
            week(("06:00", "11:00"), ("11:30", "16:30"), days=11),
            FACTORIES_ACT_1948,
            [Limit.DAILY_HOURS, Limit.WEEKLY_HOURS, Limit.WEEKLY_HOLIDAY],
            id="eleven days on end",
        ),
        pytest.param(week(("06:00", "11:00"), days=10), FACTORIES_ACT_1948, [], id="ten days on end"),
    ],
)
def test_a_limit_is_passed_only_beyond_it(days: dict, limits: object, passed: list[Limit]) -> None:
    assert sorted({one.limit for one in watch(days, limits)}) == sorted(passed)


@pytest.mark.parametrize(
    ("next_start", "is_passed"), [("07:00", False), ("06:59", True)], ids=["eleven hours", "a minute less"]
)
def test_daily_rest_is_eleven_hours_in_every_twenty_four(next_start: str, is_passed: bool) -> None:
    tuesday = MONDAY + DAY
    days = {MONDAY: [span("08:00", "13:00"), span("14:00", "20:00")], tuesday: [span(next_start, "12:00", tuesday)]}
    assert (Limit.DAILY_REST in {one.limit for one in watch(days, EU_2003_88)}) is is_passed


def test_the_hours_of_a_shift_take_a_break_out_once() -> None:
    slot = ((time(12), time(12, 30)),)
    shift = Shift("A", time(8), time(17), breaks=slot, break_deducted=timedelta(minutes=45))
    assert scheduled_hours(occurrence_on(shift, MONDAY, KOLKATA), KOLKATA) == timedelta(hours=8, minutes=15)


def test_a_night_of_rest_is_found_whatever_the_clock_does() -> None:
    saturday = date(2026, 3, 28)
    nights = [
        Interval(clock("22:00", saturday, BERLIN), clock("06:00", saturday + DAY, BERLIN)),
        Interval(clock("22:00", saturday + DAY, BERLIN), clock("06:00", saturday + 2 * DAY, BERLIN)),
    ]
    days = {saturday: [nights[0]], saturday + DAY: [nights[1]]}
    assert Limit.DAILY_REST not in {one.limit for one in watch(days, EU_2003_88)}


def test_a_warning_says_what_and_by_how_much() -> None:
    found = watch(week(("06:00", "11:00"), ("11:30", "16:31"), days=1), FACTORIES_ACT_1948)
    assert [one.why for one in found if one.limit is Limit.DAILY_HOURS] == [
        "10:01 h worked in a day, Factories Act 1948 allows 9:00 h"
    ]


def test_the_limits_in_force_on_a_date_are_used() -> None:

    later = replace(FACTORIES_ACT_1948, effective_from=date(2026, 4, 1), daily_hours=8 * HOUR)
    both = [later, FACTORIES_ACT_1948]
    assert in_force(both, date(2026, 3, 31)).daily_hours == 9 * HOUR
    assert in_force(both, date(2026, 4, 1)).daily_hours == 8 * HOUR


RULES = [
    OvertimeRule("day 8", Per.DAY, 8 * HOUR, 1.5),
    OvertimeRule("day 10", Per.DAY, 10 * HOUR, 2.0),
    OvertimeRule("week", Per.WEEK, 40 * HOUR, 1.5),
]


@pytest.mark.parametrize(
    ("hours", "by_rule"),
    [
        pytest.param(8, {}, id="none"),
        pytest.param(10, {"day 8": 2}, id="the first two hours"),
        pytest.param(12, {"day 8": 2, "day 10": 2}, id="dearer beyond ten"),
    ],
)
def test_a_minute_of_overtime_is_claimed_by_one_rule(hours: int, by_rule: dict[str, int]) -> None:
    start = clock("06:00")
    found = classify({MONDAY: [Interval(start, start + hours * HOUR)]}, RULES)
    assert {one.rule: one.length // HOUR for one in found} == by_rule


def test_five_days_of_ten_hours_are_paid_once() -> None:
    days = week(("06:00", "16:00"), days=5)
    assert sum((one.length for one in classify(days, RULES)), timedelta()) == 10 * HOUR


SPANS = st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 300)), max_size=6)


def intervals(pairs: list[tuple[int, int]]) -> list[Interval]:
    found, at = [], datetime(2026, 3, 28, tzinfo=UTC)
    for gap, length in pairs:
        start = at + timedelta(minutes=gap)
        at = start + timedelta(minutes=length)
        found.append(Interval(start, at))
    return found


@given(SPANS, SPANS)
def test_cutting_holes_takes_exactly_what_is_common(pairs: list, holes: list) -> None:
    spans, cut = intervals(pairs), intervals(holes)
    common = sum((total(within(spans, hole)) for hole in cut), timedelta())
    assert total(without(spans, cut)) == total(spans) - common


@given(SPANS, st.integers(0, 2000))
def test_what_is_beyond_an_allowance_is_the_rest(pairs: list, minutes: int) -> None:
    spans, allowance = intervals(pairs), timedelta(minutes=minutes)
    assert total(beyond(spans, allowance)) == max(timedelta(), total(spans) - allowance)


@given(SPANS, st.sampled_from([UTC, BERLIN, KOLKATA]))
def test_days_add_up_to_the_whole(pairs: list, zone: object) -> None:
    spans = intervals(pairs)
    assert sum(by_day(spans, zone).values(), timedelta()) == total(spans)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)], ids=str
)
def test_days_have_the_hours_their_clock_gives_them(day: date, hours: int) -> None:
    assert day_length(day, BERLIN) == hours * HOUR


@pytest.mark.parametrize(
    ("minutes", "mode", "rounded"),
    [
        (487, Mode.NEAREST_DOWN, 480), (488, Mode.NEAREST_DOWN, 495), (487, Mode.NEAREST_UP, 495),
        (494, Mode.DOWN, 480), (481, Mode.UP, 495), (480, Mode.UP, 480), (481, Mode.NONE, 481),
    ],
)  # fmt: skip
def test_minutes_are_rounded_for_pay(minutes: int, mode: Mode, rounded: int) -> None:
    assert round_minutes(minutes, 15, mode) == rounded


def worked(*times: str, **fields: object) -> timedelta:
    shift = Shift("A", time(8), time(17), **fields)
    ways = (Direction.IN, Direction.OUT)
    placed = [
        Placed(Punch(clock(text), ways[n % 2], id=n), PunchState.COUNTED, goes=ways[n % 2])
        for n, text in enumerate(times)
    ]
    occurrence = occurrence_on(shift, MONDAY, KOLKATA)
    return total(paid_spans(read_presence(placed, shift), occurrence, KOLKATA))


LUNCH = {"break_deducted": timedelta(hours=1)}


@pytest.mark.parametrize(
    ("times", "fields", "hours"),
    [
        pytest.param(["08:00", "17:00"], {}, 9, id="no break"),
        pytest.param(["08:00", "17:00"], LUNCH, 8, id="deducted"),
        pytest.param(["08:00", "12:00"], {**LUNCH, "break_after": 6 * HOUR}, 4, id="too short for one"),
        pytest.param(["08:00", "12:00", "13:00", "17:00"], {**LUNCH, "counts_pairs": True}, 8, id="punched pauses win"),
        pytest.param(["08:00", "12:00", "12:30", "17:00"], {**LUNCH, "counts_pairs": True}, 8, id="punched too short"),
        pytest.param(["08:00", "17:00"], {"breaks": ((time(12), time(13)),)}, 8, id="a slot of the clock"),
        pytest.param(["08:00", "12:30"], {"breaks": ((time(12), time(13)),)}, 4, id="left during the slot"),
        pytest.param(["08:00", "08:30"], LUNCH, 0, id="never below nothing"),
    ],
)
def test_unpaid_breaks_are_taken_out_once(times: list[str], fields: dict, hours: float) -> None:
    assert worked(*times, **fields) == hours * HOUR


def test_a_slot_after_midnight_belongs_to_the_night() -> None:
    night = Shift("N", time(22), time(6), breaks=((time(2), time(3)),))
    occurrence = occurrence_on(night, MONDAY, KOLKATA)
    assert scheduled_hours(occurrence, KOLKATA) == 7 * HOUR


def test_a_law_is_watched_as_it_was_on_the_day() -> None:
    """An amendment asks for eight hours a day: days before it keep the nine of the act."""
    amended = replace(FACTORIES_ACT_1948, effective_from=MONDAY + DAY, daily_hours=8 * HOUR)
    law, days = [FACTORIES_ACT_1948, amended], week(("08:00", "12:00"), ("13:00", "18:00"), days=2)
    held = versions_between(law, date(2026, 1, 1))
    assert [one.effective_from for one in held] == [date(2026, 1, 1), MONDAY + DAY]
    assert [(one.day, one.limit) for one in watch_all(days, held)] == [(MONDAY + DAY, Limit.DAILY_HOURS)]
    assert versions_between(law, date(2026, 1, 1), MONDAY + DAY) == held[:1]
    assert versions_between(law, date(1900, 1, 1)) == law
