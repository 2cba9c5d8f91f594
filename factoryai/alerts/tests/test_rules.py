"""The life of an alert, without a database."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factoryai.alerts import rules
from factoryai.alerts.rules import Severity, State

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("state", "step", "allowed"),
    [
        pytest.param("new", "seen", True, id="looked at"),
        pytest.param("new", "acknowledged", True, id="taken on without looking first"),
        pytest.param("new", "closed", True, id="the cause is gone before anybody looked"),
        pytest.param("seen", "new", False, id="nothing becomes new by itself"),
        pytest.param("acknowledged", "seen", False, id="looking again changes nothing"),
        pytest.param("acknowledged", "acknowledged", False, id="the second of two who press"),
        pytest.param("closed", "acknowledged", False, id="too late"),
    ],
)
def test_steps_follow_each_other(state, step, allowed):
    assert rules.may_follow(state, step) is allowed


@given(st.sampled_from(State))
def test_states_before_a_step_are_those_it_may_follow(step):
    assert set(rules.states_before(step)) == {state for state in State if rules.may_follow(state, step)}


@given(st.lists(st.sampled_from(State), max_size=8))
def test_nothing_ever_leaves_closed(steps):
    state = State.NEW
    was_closed = False
    for step in steps:
        if rules.may_follow(state, step):
            state = step
        was_closed = was_closed or state is State.CLOSED
        assert not was_closed or state is State.CLOSED


@pytest.mark.parametrize(
    ("severity", "level", "minutes"),
    [
        pytest.param("critical", 0, 2, id="critical, first"),
        pytest.param("critical", 2, 30, id="critical, third"),
        pytest.param("critical", 3, None, id="critical, no fourth"),
        pytest.param("warning", 0, 30, id="warning, first"),
        pytest.param("info", 0, None, id="info never"),
    ],
)
def test_escalation_times(severity, level, minutes):
    expected = None if minutes is None else NOON + dt.timedelta(minutes=minutes)
    assert rules.next_escalation_at(severity, NOON, level) == expected


@pytest.mark.parametrize("severity", Severity)
def test_each_level_escalates_later_than_the_one_before(severity):
    waits = rules.ESCALATES_AFTER[severity]
    assert list(waits) == sorted(set(waits))


@given(st.sampled_from(Severity), st.sampled_from(Severity))
def test_the_worse_of_two_is_one_of_them_and_at_least_as_grave_as_both(one, other):
    worse = rules.worse(one, other)
    assert worse in {one, other}
    assert rules.is_at_least(worse, one)
    assert rules.is_at_least(worse, other)


@given(st.integers(min_value=1, max_value=10_000))
def test_retries_never_come_sooner_than_the_one_before_and_at_least_hourly(attempts):
    assert rules.retry_after(attempts) <= rules.retry_after(attempts + 1) <= dt.timedelta(hours=1)


DAY = dt.timedelta(hours=24)
MOMENT = dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("severity", "state", "after", "is_refused", "given_up"),
    [
        pytest.param("warning", "new", DAY - MOMENT, False, False, id="a moment before a day"),
        pytest.param("warning", "new", DAY, False, True, id="a day"),
        pytest.param("warning", "new", MOMENT, True, True, id="refused"),
        pytest.param("critical", "new", 30 * DAY, True, False, id="critical and unanswered"),
        pytest.param("critical", "seen", 30 * DAY, False, False, id="critical and only looked at"),
        pytest.param("critical", "acknowledged", DAY, False, True, id="critical and answered"),
    ],
)
def test_when_a_delivery_is_given_up(severity, state, after, is_refused, given_up):
    assert rules.gives_up(severity, state, NOON, NOON + after, is_refused=is_refused) is given_up
