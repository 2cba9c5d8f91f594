"""Edges of grace, double entry and absence by table, and what must hold for any punches."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.rules.days import State, Status, derive_day
from attendance.rules.derivation import Roster, derive_days
from attendance.rules.flags import FlagKind, judge_again
from attendance.rules.intervals import total, whole_minutes, without
from attendance.rules.matching import Direction, Punch, PunchState, place_punches
from attendance.rules.shifts import (
    DAY,
    Assignment,
    DatedBy,
    Leave,
    LeavePart,
    Occurrence,
    OvertimePolicy,
    occurrences,
)
from attendance.tests.values import (
    BERLIN,
    FIRST,
    KOLKATA,
    LATER,
    MONDAY,
    MORNING,
    NIGHT,
    SECOND,
    assigned,
    clock,
    derive,
    entry,
    leave,
    records,
    roster,
)


@pytest.mark.parametrize(
    ("at", "late", "after_start", "past_grace", "grace_used"),
    [
        pytest.param("07:40:00", False, 0, 0, 0, id="early"),
        pytest.param("08:00:00", False, 0, 0, 0, id="on time"),
        pytest.param("08:04:59", False, 4, 0, 4, id="inside grace"),
        pytest.param("08:05:00", False, 5, 0, 5, id="the last second of grace"),
        pytest.param("08:05:01", True, 5, 0, 0, id="a second past"),
        pytest.param("08:06:12", True, 6, 1, 0, id="a minute past"),
    ],
)
def test_late_is_only_beyond_grace_to_the_second(
    at: str, late: bool, after_start: int, past_grace: int, grace_used: int
) -> None:
    day = records([entry(at), leave("17:00")])[0]
    figures = (day.after_start_minutes, day.past_grace_minutes, day.grace_used_minutes)
    assert (day.has(FlagKind.LATE), *figures) == (late, after_start, past_grace, grace_used)


def test_a_flag_explains_itself() -> None:
    late = records([entry("08:06:12", place="Gate 1"), leave("17:00")])[0].flags[0]
    assert late.why == "LATE 6 min: first entry 08:06:12 at Gate 1; shift A (v3) starts 08:00, grace 5 min"
    assert (late.minutes, late.rule) == (6, "A v3")


@pytest.mark.parametrize(("at", "early"), [("16:59:59", True), ("17:00:00", False), ("17:30:00", False)])
def test_leaving_a_second_before_the_end_is_early(at: str, early: bool) -> None:
    assert records([entry("08:00"), leave(at)])[0].has(FlagKind.EARLY_EXIT) is early


def test_a_missing_exit_is_a_flag_and_no_invented_time() -> None:
    day = records([entry("08:00")])[0]
    assert (day.last_out, day.worked_minutes, day.status) == (None, 0, Status.PRESENT)
    assert [flag.kind for flag in day.flags] == [FlagKind.MISSING_OUT]


@pytest.mark.parametrize(
    ("now", "status"),
    [
        pytest.param("12:00", Status.PRESENT, id="while the shift runs"),
        pytest.param("19:00", Status.PRESENT, id="at the last moment of the window"),
        pytest.param("19:01", Status.ABSENT, id="when nothing more can come"),
    ],
)
@pytest.mark.parametrize("punches", [["08:00"], ["08:00", "09:30"]], ids=["no exit", "a short stay"])
def test_too_little_work_costs_nothing_before_the_day_is_final(punches: list[str], now: str, status: Status) -> None:
    shift = dataclasses.replace(MORNING, absent_below=timedelta(hours=4), half_day_below=timedelta(hours=8))
    given = [entry(punches[0]), *map(leave, punches[1:])]
    assert records(given, shift, now=clock(now), days=1)[0].status is status


@pytest.mark.parametrize(
    ("part", "came", "went", "late", "early"),
    [
        pytest.param(FIRST, "12:36", "17:00", 6, 0, id="due from the middle on"),
        pytest.param(FIRST, "12:30", "16:50", 0, 10, id="until the end"),
        pytest.param(SECOND, "08:07", "12:30", 7, 0, id="due from the start"),
        pytest.param(SECOND, "08:00", "12:00", 0, 30, id="until the middle"),
    ],
)
def test_half_a_day_of_leave_leaves_the_other_half(
    part: LeavePart, came: str, went: str, late: int, early: int
) -> None:
    given = Roster(assigned(MORNING, days=1), leaves=(Leave(MONDAY, MONDAY, part),))
    punches = [entry(came), leave(went)]
    day = derive_days(given, punches, MONDAY, MONDAY, KOLKATA, now=LATER, watermark=LATER).records[0]
    assert (day.status, day.leave, day.scheduled) == (Status.HALF_DAY, part, timedelta(hours=4.5))
    assert (day.after_start_minutes, day.early_exit_minutes) == (late, early)
    assert [flag.minutes for flag in day.flags] == [minutes for minutes in (late, early) if minutes]
    assert all(judge_again(flag.kind, flag.inputs) for flag in day.flags)


def test_a_flag_beside_half_a_day_of_leave_says_from_when_on_one_was_due() -> None:
    given = Roster(assigned(MORNING, days=1), leaves=(Leave(MONDAY, MONDAY, FIRST),))
    punches = [entry("12:36"), leave("17:00")]
    day = derive_days(given, punches, MONDAY, MONDAY, KOLKATA, now=LATER, watermark=LATER).records[0]
    assert day.flags[0].why == (
        "LATE 6 min: first entry 12:36:00; shift A (v3) starts 12:30 after half a day of leave, grace 5 min"
    )


def test_nobody_in_the_other_half_of_a_day_of_leave_is_flagged() -> None:
    given = Roster(assigned(MORNING, days=1), leaves=(Leave(MONDAY, MONDAY, FIRST),))
    day = derive_days(given, [], MONDAY, MONDAY, KOLKATA, now=LATER, watermark=LATER).records[0]
    assert [flag.why for flag in day.flags] == [
        "ABSENT FOR HALF: half a day of leave; no punch in the other half of shift A (v3), 12:30 to 17:00"
    ]
    assert judge_again(day.flags[0].kind, day.flags[0].inputs)


def test_while_the_shift_runs_nothing_is_missing_yet() -> None:
    day = records([entry("08:00")], now=clock("12:00"))[0]
    assert (day.state, day.flags) == (State.LIVE, ())


@pytest.mark.parametrize(
    ("punches", "states"),
    [
        pytest.param([entry("08:00"), entry("08:00")], "CD", id="at the same instant"),
        pytest.param([entry("08:00"), entry("18:59")], "CD", id="eleven hours later"),
        pytest.param([entry("08:00"), leave("12:00"), entry("13:00")], "CCC", id="after an exit"),
        pytest.param([entry("08:00"), leave("17:00")], "CC", id="an exit is no entry"),
    ],
)
def test_one_entry_counts_for_an_occurrence(punches: list[Punch], states: str) -> None:
    placed = place_punches(punches, roster(MORNING, days=1))
    assert "".join("C" if p.state is PunchState.COUNTED else "D" for p in placed) == states


def test_the_next_mornings_entry_is_a_day_of_its_own() -> None:
    tuesday = Punch(clock("08:00", MONDAY + timedelta(days=1)), Direction.IN)
    assert [day.shift_date for day in records([entry("08:00"), tuesday]) if day.first_in] == [
        MONDAY,
        MONDAY + timedelta(days=1),
    ]


def test_a_night_belongs_to_the_date_it_began_on() -> None:
    punches = [entry("21:55"), Punch(clock("06:05", MONDAY + timedelta(days=1)), Direction.OUT)]
    day = records(punches, NIGHT)[0]
    assert (day.shift_date, day.worked_minutes, day.flags) == (MONDAY, 490, ())


@pytest.mark.parametrize(
    ("day", "minutes"),
    [
        pytest.param(date(2026, 3, 28), 420, id="the clocks go forward"),
        pytest.param(date(2026, 10, 24), 540, id="the clocks go back"),
    ],
)
def test_a_night_of_a_clock_change_is_as_long_as_it_was(day: date, minutes: int) -> None:
    found = occurrences([Assignment((NIGHT,), day, day)], (), day, day, BERLIN)
    next_day = day + timedelta(days=1)
    punches = [
        Punch(clock("22:00", day, BERLIN), Direction.IN),
        Punch(clock("06:00", next_day, BERLIN), Direction.OUT),
    ]
    record = derive_day(found[0], place_punches(punches, found), BERLIN, now=FAR, watermark=FAR)
    assert (record.worked_minutes, record.flags) == (minutes, ())


FAR = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("watermark", "said"),
    [
        pytest.param("17:00", False, id="the window is open"),
        pytest.param("19:00", False, id="the window's last moment"),
        pytest.param("23:59", False, id="the evening"),
    ],
)
def test_absent_waits_until_everybody_has_reported_and_the_day_is_over(watermark: str, said: bool) -> None:
    assert bool(records([], now=clock(watermark))) is said
    assert records([], now=clock("00:01", MONDAY + timedelta(days=1)))[0].status is Status.ABSENT


MOMENTS = st.builds(
    lambda minutes, direction, number: Punch(clock("00:00") + timedelta(minutes=minutes), direction, id=number),
    st.integers(0, 3 * 24 * 60),
    st.sampled_from(Direction),
    st.integers(0, 1000),
)
PUNCHES = st.lists(MOMENTS, max_size=14, unique_by=lambda punch: punch.id)
SHIFTS = st.sampled_from([(MORNING,), (NIGHT,), (MORNING, NIGHT)])


@given(PUNCHES, SHIFTS, st.randoms())
def test_the_order_of_arrival_does_not_matter(punches: list[Punch], shifts: tuple, random: object) -> None:
    shuffled = list(punches)
    random.shuffle(shuffled)
    assert records(punches, *shifts) == records(shuffled, *shifts)


@given(PUNCHES, SHIFTS)
def test_every_punch_is_in_exactly_one_state(punches: list[Punch], shifts: tuple) -> None:
    placed = place_punches(punches, roster(*shifts))
    assert sorted(p.punch.id for p in placed) == sorted(punch.id for punch in punches)
    assert all((p.occurrence is None) == (p.state is PunchState.OFF_SHIFT) for p in placed)


@given(PUNCHES, st.integers(0, 60), st.integers(0, 60))
def test_more_grace_never_adds_a_late_flag_nor_changes_worked_time(punches: list[Punch], a: int, b: int) -> None:
    less, more = sorted((a, b))
    strict = records(punches, dataclasses.replace(MORNING, grace_in=timedelta(minutes=less)))
    mild = records(punches, dataclasses.replace(MORNING, grace_in=timedelta(minutes=more)))
    assert [day.worked_minutes for day in strict] == [day.worked_minutes for day in mild]
    assert all(not m.has(FlagKind.LATE) or s.has(FlagKind.LATE) for s, m in zip(strict, mild, strict=True))


@given(PUNCHES, MOMENTS, SHIFTS)
def test_an_added_punch_changes_only_the_days_that_can_hold_it(
    punches: list[Punch], added: Punch, shifts: tuple
) -> None:
    before = {(day.shift_date, day.shift): day for day in records(punches, *shifts, now=FAR)}
    together = [*punches, dataclasses.replace(added, id=5000)]
    after = {(day.shift_date, day.shift): day for day in records(together, *shifts, now=FAR)}
    near = {(o.shift_date, o.shift.name) for o in roster(*shifts) if _can_hold(o, added.at)}
    local_date = added.at.astimezone(KOLKATA).date()
    untouched = [key for key in before.keys() | after.keys() if key not in near and key[0] != local_date]
    assert all(before.get(key) == after.get(key) for key in untouched)


def _can_hold(occurrence: Occurrence, at: datetime) -> bool:
    """Whether a punch at ``at`` may stand in the occurrence: its margins before any neighbour cuts them."""
    start, end, shift = occurrence.starts_at, occurrence.ends_at, occurrence.shift
    return start - shift.window_before <= at <= max(end + shift.window_after, start + shift.double_entry)


@given(PUNCHES, SHIFTS)
def test_nobody_works_two_shifts_at_once(punches: list[Punch], shifts: tuple) -> None:
    spans = sorted(span for day in records(punches, *shifts) for span in day.worked)
    assert all(earlier.end <= later.start for earlier, later in pairwise(spans))


@given(PUNCHES, SHIFTS)
def test_worked_time_never_exceeds_the_window(punches: list[Punch], shifts: tuple) -> None:
    found = {(o.shift.name, o.shift_date): o for o in roster(*shifts)}
    for day in records(punches, *shifts):
        occurrence = found[day.shift, day.shift_date]
        assert timedelta(minutes=day.worked_minutes) <= occurrence.window_end - occurrence.window_start + timedelta(
            hours=12
        )


def test_a_punch_outside_every_window_is_kept_for_hr() -> None:
    lone = place_punches([entry("03:00")], roster(MORNING, days=1))
    assert [(p.state, p.reason) for p in lone] == [(PunchState.OFF_SHIFT, "outside every shift's window")]


@given(PUNCHES, SHIFTS, st.integers(0, 30))
def test_every_explanation_gives_its_flag_again(punches: list[Punch], shifts: tuple, grace: int) -> None:
    mild = tuple(dataclasses.replace(shift, grace_in=timedelta(minutes=grace)) for shift in shifts)
    for day in derive(punches, *mild).records:
        assert all(judge_again(flag.kind, flag.inputs) for flag in day.flags)


@given(PUNCHES, SHIFTS)
def test_minutes_are_conserved_when_a_night_is_cut_at_midnight(punches: list[Punch], shifts: tuple) -> None:
    whole = records(punches, *shifts)
    cut = records(punches, *(dataclasses.replace(shift, dated_by=DatedBy.SPLIT) for shift in shifts))
    for before, after in zip(whole, cut, strict=True):
        assert before.worked == after.worked
        assert sum((length for _, length in after.shares), timedelta()) == total(after.worked)
        assert sum(whole_minutes(after.shares).values()) == after.worked_minutes


@given(st.lists(st.integers(0, 10**5), max_size=5))
def test_shares_in_whole_minutes_add_up_and_none_is_off_by_a_minute(lengths: list[int]) -> None:
    shares = [(MONDAY + n * DAY, timedelta(seconds=length)) for n, length in enumerate(lengths)]
    whole = whole_minutes(shares)
    assert sum(whole.values()) == sum(lengths) // 60
    assert all(abs(whole[day] * 60 - length.total_seconds()) < 60 for day, length in shares)


@given(PUNCHES, SHIFTS, st.sampled_from(list(OvertimePolicy)))
def test_overtime_is_part_of_worked_time_and_counts_once(
    punches: list[Punch], shifts: tuple, policy: OvertimePolicy
) -> None:
    for day in records(punches, *(dataclasses.replace(shift, overtime=policy) for shift in shifts)):
        assert total(without(day.overtime, day.worked)) == timedelta()
        assert all(a.end <= b.start for a, b in pairwise(day.overtime))
