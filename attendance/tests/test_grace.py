"""The month's ledger of grace: what fits, what follows, and what HR has excused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance.rules.days import DayRecord
from attendance.rules.derivation import Derived, Roster, derive_days
from attendance.rules.flags import FlagKind
from attendance.rules.grace import GracePolicy, Ledger, keep_ledger, remaining
from attendance.rules.matching import Direction, Punch
from attendance.rules.shifts import DAY, Assignment
from attendance.tests.values import KOLKATA, LATER, MONDAY, MORNING, clock

MONTH = (MONDAY - DAY, MONDAY + 29 * DAY)


def month(*minutes: int, policy: GracePolicy, excused: tuple[str, ...] = ()) -> Derived:
    """Derive a month in which the person comes so many minutes after eight, day by day; grace is five minutes."""
    punches = []
    for number, late in enumerate(minutes):
        day = MONDAY + number * DAY
        punches.append(Punch(clock("08:00", day) + timedelta(minutes=late), Direction.IN, id=2 * number))
        punches.append(Punch(clock("17:00", day), Direction.OUT, id=2 * number + 1))
    policies = [(MONDAY.replace(day=1), policy)]
    given = Roster((Assignment((MORNING,), MONDAY, MONDAY + (len(minutes) - 1) * DAY),))
    return derive_days(
        given,
        punches,
        *MONTH,
        KOLKATA,
        now=LATER,
        watermark=LATER,
        grace=policies,
        excused=excused,
    )


def lates(derived: Derived) -> list[bool]:
    return [record.is_late for record in derived.records if record.occurrence]


def march(derived: Derived) -> Ledger:
    return derived.ledgers[MONDAY.replace(day=1)]


def has_penalty(record: DayRecord) -> bool:
    return record.has(FlagKind.LATES_HALF_DAY)


@pytest.mark.parametrize(
    ("policy", "minutes", "expected"),
    [
        pytest.param(GracePolicy(), [5, 5, 5], [False, False, False], id="without limit"),
        pytest.param(GracePolicy(monthly_uses=2), [5, 1, 3], [False, False, True], id="two uses"),
        pytest.param(GracePolicy(monthly_minutes=8), [5, 5, 3], [False, True, False], id="eight minutes"),
        pytest.param(GracePolicy(monthly_minutes=5), [9, 5, 0], [True, False, False], id="a late day uses none"),
    ],
)
def test_grace_beyond_the_months_allowance_is_late(policy: GracePolicy, minutes: list[int], expected: list) -> None:
    assert lates(month(*minutes, policy=policy)) == expected


def test_a_late_day_says_how_much_grace_was_left() -> None:
    policy = GracePolicy(monthly_minutes=30)
    days = month(4, 5, 5, 3, 6, policy=policy).records
    assert days[4].flags[0].why == (
        "LATE 6 min: first entry 08:06:00; shift A (v3) starts 08:00, grace 5 min; grace used this month 17 of 30"
    )


def test_a_late_day_says_how_often_grace_was_used_where_that_is_limited() -> None:
    day = month(3, 4, 6, policy=GracePolicy(monthly_uses=5)).records[2]
    assert day.flags[0].why.endswith("grace 5 min; grace used this month 2 of 5 times")


def test_grace_that_is_used_up_says_so_and_counts_every_minute() -> None:
    day = month(5, 4, policy=GracePolicy(monthly_uses=1)).records[1]
    assert day.flags[0].why.endswith("grace 5 min; none left, grace used this month 1 of 1 times")
    assert (day.past_grace_minutes, day.grace_used_minutes) == (4, 0)


@pytest.mark.parametrize(
    ("policy", "penalised"),
    [
        pytest.param(GracePolicy(half_day_every=1, free_lates=2), [False, False, True], id="the first two are free"),
        pytest.param(GracePolicy(half_day_every=3), [False, False, True], id="every third"),
        pytest.param(GracePolicy(half_day_every=2), [False, True, False], id="every second"),
        pytest.param(GracePolicy(), [False, False, False], id="no rule"),
    ],
)
def test_lates_add_up_to_half_days(policy: GracePolicy, penalised: list[bool]) -> None:
    assert [has_penalty(record) for record in month(9, 9, 9, policy=policy).records] == penalised


def test_an_excused_late_day_does_not_count() -> None:
    policy = GracePolicy(half_day_every=3)
    first = month(9, 9, 9, policy=policy).records[0].flags[0]
    days = month(9, 9, 9, policy=policy, excused=(first.digest,)).records
    assert not any(has_penalty(record) for record in days)


@given(st.lists(st.integers(0, 12), min_size=1, max_size=25), st.integers(0, 6), st.integers(0, 40))
def test_the_ledger_never_exceeds_its_allowance(minutes: list[int], uses: int, budget: int) -> None:
    policy = GracePolicy(monthly_uses=uses, monthly_minutes=budget)
    derived = month(*minutes, policy=policy)
    assert march(derived).uses <= uses
    assert march(derived).minutes <= budget
    assert remaining(march(derived), policy) == (uses - march(derived).uses, budget - march(derived).minutes)


def test_the_order_of_the_records_does_not_matter() -> None:
    policy = GracePolicy(monthly_uses=1)
    plain = month(5, 4, 3, policy=GracePolicy()).records
    forward, backward = (keep_ledger(days, policy, KOLKATA)[0] for days in (plain, plain[::-1]))
    assert forward == backward
    assert [record.is_late for record in forward if record.occurrence] == [False, True, True]
