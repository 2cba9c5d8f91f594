"""A change touches the dates that its reach names, and deriving those alone is as good as deriving everything."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attendance.rules.days import DayRecord
from attendance.rules.derivation import Roster, derive_days, plan
from attendance.rules.intervals import midnight
from attendance.rules.matching import Direction, Punch
from attendance.rules.reach import Span, chain_back, chain_on, known_from, reach_of, stands_alone
from attendance.rules.sessions import SessionPolicy
from attendance.rules.shifts import DAY, Assignment, DatedBy, Shift

CHANGE = date(2026, 3, 29)
"""The clock goes on an hour in Berlin; the days around it are the ones that are looked at."""

BERLIN = ZoneInfo("Europe/Berlin")
FIRST, LAST = CHANGE - 5 * DAY, CHANGE + 6 * DAY
NOW = datetime(2026, 6, 1, tzinfo=UTC)
LONGEST = SessionPolicy().longest

HOURS = st.integers(0, 23)


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    start, length = draw(HOURS), draw(st.integers(4, 12))
    before = draw(st.integers(0, 6))
    after = draw(st.integers(0, 23 - length - before))
    return Shift(
        name=draw(st.sampled_from("ABN")) + f"{start}",
        starts_at=time(start),
        ends_at=time((start + length) % 24),
        window_before=timedelta(hours=before),
        window_after=timedelta(hours=after),
        double_entry=timedelta(hours=draw(st.sampled_from([1, 12, 24]))),
        counts_pairs=draw(st.booleans()),
        dated_by=draw(st.sampled_from(list(DatedBy))),
    )


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    most = draw(st.sampled_from([0, 4]))
    given_shifts = draw(st.lists(shifts(), max_size=most, unique_by=lambda shift: shift.name))
    assignments = []
    for shift in given_shifts:
        start = FIRST - 2 * DAY + draw(st.sampled_from([0, 0, 3, 8])) * DAY
        assignments.append(Assignment((shift,), start, start + draw(st.sampled_from([15, 15, 1, 5])) * DAY))
    return Roster(assignments=tuple(assignments), sessions=SessionPolicy())


RANDOM = st.lists(st.one_of(st.integers(1, 9), st.integers(1, 9), st.integers(3, 30)), min_size=10, max_size=40)
REGULAR = st.sampled_from([[12], [9, 15], [15, 9], [10, 14], [8, 4, 12], [6, 2, 16]]).map(lambda steps: steps * 12)
"""Hours from one punch to the next. Who comes and goes by the clock leaves no gap that tells one way from the other."""


@st.composite
def punches(draw: st.DrawFn) -> list[Punch]:
    """Punches on the looked at days; a regular life has one or two missing, and rarely a direction."""
    is_regular, at, found = draw(st.booleans()), midnight(FIRST, BERLIN), []
    ways = [Direction.UNKNOWN] if is_regular else [*Direction, *[Direction.UNKNOWN] * 3]
    missing = draw(st.sets(st.integers(0, 20), max_size=2)) if is_regular else ()
    for number, step in enumerate(draw(REGULAR if is_regular else RANDOM)):
        at += timedelta(hours=step)
        if at < midnight(LAST + DAY, BERLIN) and number not in missing:
            found.append(Punch(at, draw(st.sampled_from(ways)), id=number))
    return found


def derive(roster: Roster, given_punches: Sequence[Punch], span: Span, since: date) -> list[DayRecord]:
    found = derive_days(roster, given_punches, span.first, span.last, BERLIN, now=NOW, watermark=NOW, known_from=since)
    return sorted(found.records, key=repr)


def everything(roster: Roster, given_punches: Sequence[Punch]) -> list[DayRecord]:
    return derive(roster, given_punches, Span(FIRST - 8 * DAY, LAST + 8 * DAY), FIRST - 8 * DAY)


def dated(records: Sequence[DayRecord], span: Span) -> list[DayRecord]:
    return [record for record in records if span.first <= record.shift_date <= span.last]


def since_when(roster: Roster, given_punches: Sequence[Punch], day: date) -> date:
    """Return from when everything must be known, as the services find it."""
    begins_at = midnight(day, BERLIN)
    if roster.sessions:
        start = chain_back([one.at for one in given_punches if one.at < begins_at], begins_at, LONGEST)
        day = min(day, start.astimezone(BERLIN).date())
    return known_from(day, partial(plan, roster, zone=BERLIN), BERLIN)


def assert_alone_as_among_all(roster: Roster, given_punches: list[Punch], span: Span) -> None:
    since = since_when(roster, given_punches, span.first)
    start, end = midnight(since - 3 * DAY, BERLIN), midnight(span.last + 4 * DAY, BERLIN)
    near = [one for one in given_punches if start <= one.at < end]
    assert derive(roster, near, span, since) == dated(everything(roster, given_punches), span)


def assert_only_what_is_reached_changes(roster: Roster, given_punches: list[Punch], gone: Punch) -> None:
    day = gone.at.astimezone(BERLIN).date()
    reach = reach_of(Span(day, day), partial(plan, roster, zone=BERLIN), BERLIN).with_(Span(day - DAY, day + DAY))
    ends_at = midnight(reach.last + DAY, BERLIN)
    later = [one.at for one in given_punches if one.at >= ends_at and roster.sessions]
    reach = reach.with_(Span(reach.first, chain_on(later, ends_at, LONGEST).astimezone(BERLIN).date()))
    before = everything(roster, given_punches)
    after = everything(roster, [one for one in given_punches if one is not gone])
    changed = [*(one for one in before if one not in after), *(one for one in after if one not in before)]
    assert dated(changed, reach) == changed


@settings(max_examples=40, deadline=None)
@given(rosters(), punches(), st.integers(0, 9), st.integers(0, 3))
def test_some_days_alone_come_out_as_among_all_days(
    roster: Roster, given_punches: list[Punch], offset: int, length: int
) -> None:
    span = Span(FIRST + offset * DAY, FIRST + (offset + length) * DAY)
    assert_alone_as_among_all(roster, given_punches, span)


@settings(max_examples=40, deadline=None)
@given(rosters(), punches(), st.integers(0, 30))
def test_a_punch_changes_only_the_days_that_it_reaches(roster: Roster, given_punches: list[Punch], number: int) -> None:
    if given_punches:
        assert_only_what_is_reached_changes(roster, given_punches, given_punches[number % len(given_punches)])


ROUND_THE_CLOCK = [Shift(name, time(start), time((start + 8) % 24)) for name, start in (("A", 6), ("B", 14), ("N", 22))]


@pytest.fixture
def changes_of_shift() -> list[Punch]:
    """Undirected, to the second when two shifts meet: which of the two each belongs to follows from the one before."""
    start = datetime.combine(FIRST, time(6), BERLIN)
    return [Punch((start + n * timedelta(hours=8)).astimezone(UTC), id=n) for n in range(30)]


def test_what_follows_from_the_punch_before_is_followed_through_all_windows(changes_of_shift: list[Punch]) -> None:
    roster = Roster(tuple(Assignment((shift,), FIRST - DAY, LAST) for shift in ROUND_THE_CLOCK))
    without_first = changes_of_shift[1:]
    assert dated(everything(roster, changes_of_shift), Span(LAST - 3 * DAY, LAST - 3 * DAY)) != dated(
        everything(roster, without_first), Span(LAST - 3 * DAY, LAST - 3 * DAY)
    )
    for punches_of_both in (changes_of_shift, without_first):
        assert_alone_as_among_all(roster, punches_of_both, Span(LAST - 3 * DAY, LAST - 3 * DAY))
    assert_only_what_is_reached_changes(roster, changes_of_shift, changes_of_shift[0])


def day_shift(hours: int = 9, **fields: timedelta) -> Shift:
    return Shift(name="A", starts_at=time(8), ends_at=time(8 + hours), **fields)


@pytest.mark.parametrize(
    ("assignments", "alone"),
    [
        pytest.param([Assignment((day_shift(),), FIRST)], True, id="one shift"),
        pytest.param([], True, id="none"),
        pytest.param([Assignment((day_shift(),), FIRST), Assignment((day_shift(8),), FIRST)], False, id="two"),
        pytest.param([Assignment((day_shift(window_after=timedelta(hours=14)),), FIRST)], False, id="wide windows"),
        pytest.param([Assignment((day_shift(),), FIRST), Assignment((day_shift(8),), LAST)], True, id="two, later"),
    ],
)
def test_one_shift_with_room_between_its_days_stands_alone(assignments: list[Assignment], alone: bool) -> None:
    assert stands_alone(assignments, (), Span(FIRST, FIRST)) is alone


def test_a_default_counts_where_an_assignment_leaves_room() -> None:
    default = [Assignment((day_shift(8),), date.min)]
    whole = [Assignment((day_shift(),), FIRST - 9 * DAY)]
    assert stands_alone(whole, default, Span(FIRST, FIRST))
    assert not stands_alone([Assignment((day_shift(),), FIRST)], default, Span(FIRST, FIRST))
