"""When a schedule is next due, over midnight, months and changes of the clock."""

from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryai.jobs.due import MOST_COUNTED, due_after, missed_between
from factoryai.jobs.schedule import SCHEDULE, Cron, seconds

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")
MINUTE = dt.timedelta(minutes=1)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("cron", "at", "due"),
    [
        pytest.param(Cron("0", "3"), "2026-03-01T02:59:59+00:00", "2026-03-01T03:00+00:00", id="a second before"),
        pytest.param(Cron("0", "3"), "2026-03-01T03:00:00+00:00", "2026-03-02T03:00+00:00", id="at it: the next"),
        pytest.param(
            Cron("0", "3", zone="Asia/Kolkata"), "2026-03-01T21:29+00:00", "2026-03-01T21:30+00:00", id="in its zone"
        ),
        pytest.param(
            Cron("30", "2", zone="Europe/Berlin"), "2026-03-28T12:00+00:00", "2026-03-30T00:30+00:00", id="hour skipped"
        ),
        pytest.param(Cron("*/15"), "2026-03-01T23:50+00:00", "2026-03-02T00:00+00:00", id="over midnight"),
        pytest.param(Cron("0", "0", day_of_month="31"), "2026-03-31T01:00+00:00", "2026-05-31T00:00+00:00", id="31st"),
        pytest.param(Cron("0", "0", day_of_week="sun"), "2026-03-02T00:00+00:00", "2026-03-08T00:00+00:00", id="Sun"),
        pytest.param(
            Cron("0", "0", day_of_month="29", month_of_year="2"), "2026-03-01T00:00+00:00", "2028-02-29T00:00+00:00",
            id="29 February",
        ),
        pytest.param(Cron("0", "0", day_of_month="31", month_of_year="2"), "2026-03-01T00:00+00:00", None, id="never"),
    ],
)  # fmt: skip
def test_the_next_due_time(cron, at, due):
    assert due_after(cron, utc(at)) == (utc(due) if due else None)


@settings(max_examples=50)
@given(
    st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2028, 1, 1)),
    st.integers(0, 59),
    st.integers(0, 23),
    st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin", "America/St_Johns"]),
)
def test_a_daily_time_comes_within_two_days_at_that_time(naive, minute, hour, zone):
    at = naive.replace(tzinfo=dt.UTC)
    due = due_after(Cron(str(minute), str(hour), zone=zone), at)
    local = due.astimezone(zoneinfo.ZoneInfo(zone))
    assert (local.hour, local.minute) == (hour, minute)
    assert at < due <= at + dt.timedelta(days=2, hours=1)


@pytest.mark.parametrize(
    ("late", "missed"),
    [(dt.timedelta(0), 0), (dt.timedelta(seconds=29), 0), (dt.timedelta(seconds=30), 1), (dt.timedelta(hours=1), 120)],
)
def test_missed_runs_of_an_interval(late, missed):
    due = utc("2026-03-01T00:00+00:00")
    assert missed_between(seconds(30), due, due + late) == missed


@pytest.mark.parametrize(("days", "missed"), [(0, 0), (0.99, 0), (1, 1), (3.5, 3)])
def test_missed_runs_of_a_daily_job(days, missed):
    due = utc("2026-03-01T03:00+00:00")
    assert missed_between(Cron("0", "3"), due, due + dt.timedelta(days=days)) == missed


def test_a_year_of_standing_still_is_counted_only_so_far():
    due = utc("2026-03-01T03:00+00:00")
    assert missed_between(Cron("*"), due, due + dt.timedelta(days=365)) == MOST_COUNTED


def test_every_entry_of_the_table_comes_round():
    at = utc("2026-03-01T00:00+00:00")
    assert len({entry.task for entry in SCHEDULE}) == len(SCHEDULE)
    for entry in SCHEDULE:
        assert due_after(entry.when, at) > at
