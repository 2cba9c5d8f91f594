"""Sums, resets and levels: edges by table, and what must hold for any day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from occupancy.rules.capacity import Level, judge_level
from occupancy.rules.resets import Policy, ResetDecision, decide_reset, due_at, reset_count
from occupancy.rules.sums import Fact, Kind, day_bounds, hours_of, join_sums, sum_bucket

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
END = START + timedelta(hours=1)
KOLKATA, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")


def fact(minute: float, kind: Kind, value: int | None = None) -> Fact:
    return Fact(START + timedelta(minutes=minute), kind, value)


def test_the_average_is_weighted_by_time_not_by_rows() -> None:
    ten_for_six_minutes = [*[fact(54, Kind.IN)] * 10]
    assert sum_bucket(START, END, 0, ten_for_six_minutes).average == pytest.approx(1.0)


def test_an_hour_without_facts_keeps_the_count_it_began_with() -> None:
    got = sum_bucket(START, END, 7, [])
    assert (got.average, got.peak, got.low, got.logs, got.closing) == (7, 7, 7, 0, 7)


def test_the_count_is_shown_as_zero_while_the_raw_one_is_below() -> None:
    got = sum_bucket(START, END, 1, [fact(30, Kind.OUT), fact(30, Kind.OUT)])
    assert (got.low, got.average, got.closing) == (0, 0.5, -1)


def test_a_correction_sets_the_count_and_is_no_entry() -> None:
    got = sum_bucket(START, END, 3, [fact(0, Kind.CORRECTION, 10), fact(30, Kind.RESET, 0)])
    assert (got.average, got.peak, got.entries, got.exits, got.logs) == (5, 10, 0, 0, 2)


FACTS = st.lists(
    st.tuples(st.floats(0, 119.99), st.sampled_from([Kind.IN, Kind.OUT, Kind.CORRECTION]), st.integers(0, 50)),
    max_size=40,
).map(lambda rows: [fact(m, k, n if k == Kind.CORRECTION else None) for m, k, n in sorted(rows, key=lambda r: r[0])])


@given(FACTS, st.integers(0, 30))
def test_two_hours_summed_apart_and_joined_equal_both_summed_at_once(facts: list[Fact], opening: int) -> None:
    first = sum_bucket(START, END, opening, [f for f in facts if f.at < END])
    second = sum_bucket(END, END + timedelta(hours=1), first.closing, [f for f in facts if f.at >= END])
    joined = join_sums([(timedelta(hours=1), first), (timedelta(hours=1), second)])
    whole = sum_bucket(START, END + timedelta(hours=1), opening, facts)
    assert joined.average == pytest.approx(whole.average)
    assert (joined.peak, joined.low, joined.entries, joined.exits, joined.logs, joined.closing) == (
        whole.peak,
        whole.low,
        whole.entries,
        whole.exits,
        whole.logs,
        whole.closing,
    )


@given(FACTS, st.integers(0, 30))
def test_the_average_lies_between_low_and_peak(facts: list[Fact], opening: int) -> None:
    got = sum_bucket(START, START + timedelta(hours=2), opening, facts)
    assert got.low - 1e-9 <= got.average <= got.peak + 1e-9


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        pytest.param(date(2026, 3, 2), KOLKATA, 24, id="an ordinary day"),
        pytest.param(date(2026, 3, 29), BERLIN, 23, id="the clocks go forward"),
        pytest.param(date(2026, 10, 25), BERLIN, 25, id="the clocks go back"),
    ],
)
def test_a_local_day_has_its_real_hours(day: date, zone: ZoneInfo, hours: int) -> None:
    buckets = hours_of(day, zone)
    assert len(buckets) == hours
    assert (buckets[0][0], buckets[-1][1]) == day_bounds(day, zone)
    assert all(end - start == timedelta(hours=1) for start, end in buckets)


YESTERDAY, TODAY = date(2026, 3, 1), date(2026, 3, 2)


@pytest.mark.parametrize(
    ("clock", "last_done", "decision", "business_date"),
    [
        pytest.param("02:29", YESTERDAY, ResetDecision.DONE, YESTERDAY, id="before the window"),
        pytest.param("02:30", YESTERDAY, ResetDecision.RUN, TODAY, id="the window opens"),
        pytest.param("03:00", YESTERDAY, ResetDecision.RUN, TODAY, id="on time"),
        pytest.param("04:00", YESTERDAY, ResetDecision.RUN, TODAY, id="the window's last moment"),
        pytest.param("04:01", YESTERDAY, ResetDecision.ASK, TODAY, id="too late, a person decides"),
        pytest.param("15:00", YESTERDAY, ResetDecision.ASK, TODAY, id="in the afternoon"),
        pytest.param("03:10", TODAY, ResetDecision.DONE, TODAY, id="twice in one night"),
        pytest.param("01:00", date(2026, 2, 28), ResetDecision.ASK, YESTERDAY, id="next night, before the window"),
        pytest.param("10:00", None, ResetDecision.NOT_YET, TODAY, id="installed in the morning"),
        pytest.param("03:00", None, ResetDecision.RUN, TODAY, id="the first night"),
    ],
)
def test_a_reset_runs_once_a_night_and_only_in_its_window(
    clock: str, last_done: date | None, decision: ResetDecision, business_date: date
) -> None:
    now = datetime.combine(TODAY, time.fromisoformat(clock), KOLKATA)
    plan = decide_reset(now, KOLKATA, time(3), Policy.TO_ZERO, last_done)
    assert (plan.decision, plan.business_date) == (decision, business_date)


def test_a_zone_without_reset_is_left_alone() -> None:
    now = datetime.combine(TODAY, time(3), KOLKATA)
    assert decide_reset(now, KOLKATA, time(3), Policy.OFF, YESTERDAY).decision is ResetDecision.OFF


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["forward", "back"])
def test_a_reset_in_the_hour_of_the_clock_change_runs_once(day: date) -> None:
    midnight, _ = day_bounds(day, BERLIN)
    last, runs = day - timedelta(days=1), 0
    for minute in range(0, 6 * 60, 5):
        plan = decide_reset(midnight + timedelta(minutes=minute), BERLIN, time(2, 30), Policy.TO_ZERO, last)
        if plan.decision is ResetDecision.RUN:
            runs, last = runs + 1, plan.business_date
    assert (runs, last) == (1, day)


@pytest.mark.parametrize(
    ("name", "day", "local"),
    [
        pytest.param("Europe/Athens", date(2026, 3, 29), "04:00", id="Athens, three o'clock is skipped"),
        pytest.param("Europe/Athens", date(2026, 10, 25), "03:00", id="Athens, three o'clock comes twice"),
        pytest.param("Pacific/Chatham", date(2026, 9, 27), "04:00", id="Chatham, a quarter to three is skipped"),
        pytest.param("Pacific/Chatham", date(2026, 4, 5), "03:00", id="Chatham, three o'clock comes twice"),
        pytest.param("Australia/Lord_Howe", date(2026, 10, 4), "03:00", id="Lord Howe, half an hour is skipped"),
        pytest.param("Australia/Lord_Howe", date(2026, 4, 5), "03:00", id="Lord Howe, half an hour comes twice"),
    ],
)
def test_three_o_clock_that_is_skipped_or_comes_twice_is_one_reset(name: str, day: date, local: str) -> None:
    zone, last, ran = ZoneInfo(name), day - timedelta(days=1), []
    start, end = day_bounds(day, zone)
    for minute in range(0, (end - start) // timedelta(minutes=1), 5):
        now = start + timedelta(minutes=minute)
        plan = decide_reset(now, zone, time(3), Policy.TO_ZERO, last)
        assert plan.decision is not ResetDecision.ASK
        if plan.decision is ResetDecision.RUN and now >= due_at(plan.business_date, zone, time(3)):
            ran, last = [*ran, now.astimezone(zone)], plan.business_date
    assert ([f"{at:%H:%M}" for at in ran], last, ran[0].fold) == ([local], day, 0)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.sampled_from([KOLKATA, BERLIN]))
def test_a_reset_never_runs_by_itself_outside_its_window(naive: datetime, zone: ZoneInfo) -> None:
    now = naive.replace(tzinfo=UTC)
    plan = decide_reset(now, zone, time(3), Policy.TO_ZERO, date(2020, 1, 1))
    if plan.decision is ResetDecision.RUN:
        due = datetime.combine(plan.business_date, time(3), zone)
        assert -timedelta(minutes=30) <= now - due.astimezone(UTC) <= timedelta(hours=1)


def test_a_site_with_a_night_shift_is_reset_to_the_people_on_shift() -> None:
    assert reset_count(Policy.TO_OPEN_SESSIONS, 12) == 12
    assert reset_count(Policy.TO_ZERO, 12) == 0


@pytest.mark.parametrize(
    ("count", "previous", "level"),
    [
        pytest.param(79, Level.OK, Level.OK, id="below the warning"),
        pytest.param(80, Level.OK, Level.WARN, id="the warning"),
        pytest.param(76, Level.WARN, Level.WARN, id="just below, still warned"),
        pytest.param(75, Level.WARN, Level.OK, id="well below"),
        pytest.param(100, Level.WARN, Level.FULL, id="full"),
        pytest.param(96, Level.FULL, Level.FULL, id="one gone, still full"),
        pytest.param(95, Level.FULL, Level.WARN, id="some gone"),
        pytest.param(10, Level.FULL, Level.OK, id="nearly empty"),
    ],
)
def test_levels_hold_on_a_little(count: int, previous: Level, level: Level) -> None:
    assert judge_level(count, 100, previous) is level


@pytest.mark.parametrize(
    ("capacity", "steps"),
    [
        pytest.param(20, [(20, "full"), (19, "full"), (20, "full"), (18, "warn"), (15, "warn"), (14, "ok")], id="20"),
        pytest.param(10, [(8, "warn"), (7, "warn"), (8, "warn"), (6, "ok"), (10, "full"), (9, "full")], id="10"),
        pytest.param(4, [(4, "full"), (3, "ok"), (4, "full")], id="a cabin of four"),
        pytest.param(1, [(1, "full"), (0, "ok")], id="one person"),
    ],
)
def test_one_person_at_the_edge_of_a_small_room_raises_no_alarm_anew(capacity: int, steps: list) -> None:
    level, seen = Level.OK, []
    for count, _ in steps:
        level = judge_level(count, capacity, level)
        seen.append((count, level.value))
    assert seen == steps


@given(st.integers(1, 500), st.integers(0, 600), st.sampled_from(list(Level)))
def test_a_level_never_falls_short_of_what_the_count_alone_asks_for(capacity: int, count: int, held: Level) -> None:
    ranks = list(Level)
    alone, held_on = judge_level(count, capacity), judge_level(count, capacity, held)
    assert ranks.index(held_on) >= ranks.index(alone)
    assert ranks.index(held_on) <= max(ranks.index(held), ranks.index(alone))
    assert judge_level(0, capacity, held) is Level.OK


def test_a_zone_without_capacity_is_never_full() -> None:
    assert judge_level(10_000, None) is Level.OK
