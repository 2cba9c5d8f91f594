"""What is typical, what is fullest, and how much more than the month before."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from occupancy.rules.trends import HourFigures, MonthFigures, growth_of, peak_hours, typical_day, typical_hours
from occupancy.services.reports import Period, span_of

MONDAY = datetime(2026, 3, 2)


def hour(day, clock, average, peak=None):
    return HourFigures(MONDAY + timedelta(days=day, hours=clock), average, peak or round(average), 0)


def test_a_typical_hour_is_the_mean_of_its_kind_and_of_no_other():
    typical = typical_hours([hour(0, 9, 10, 14), hour(7, 9, 20, 26), hour(1, 9, 99), hour(0, 10, 1)])
    assert (typical[0, 9].average, typical[0, 9].peak, typical[0, 9].hours) == (15, 20, 2)


def test_a_typical_day_leaves_the_weekend_out_and_weighs_every_hour_alike():
    typical = typical_hours([hour(0, 9, 10), hour(7, 9, 10), hour(1, 9, 40), hour(5, 9, 1000)])
    assert typical_day(typical)[9].average == 20


def test_the_fullest_hours_come_first_and_empty_ones_never():
    typical = typical_hours([hour(0, 9, 5), hour(0, 14, 50), hour(2, 11, 30), hour(6, 3, 0)])
    assert peak_hours(typical) == [(0, 14), (2, 11), (0, 9)]
    assert peak_hours(typical_hours([hour(0, 1, 0)])) == []


def test_growth_is_against_the_month_before_over_the_new_year_and_not_over_a_gap():
    months = [MonthFigures(date(*first), average, 0, 0) for first, average in (
        ((2025, 11, 1), 10), ((2025, 12, 1), 0), ((2026, 1, 1), 20), ((2026, 2, 1), 25), ((2026, 4, 1), 50),
    )]  # fmt: skip
    assert list(growth_of(months).values()) == [None, -1.0, None, 0.25, None]


TODAY = date(2026, 3, 5)


@pytest.mark.parametrize(
    ("period", "wanted", "first", "last", "before", "after"),
    [
        pytest.param("day", None, (3, 5), (3, 5), (3, 4), None, id="today"),
        pytest.param("day", (3, 1), (3, 1), (3, 1), (2, 28), (3, 2), id="a day"),
        pytest.param("day", (3, 9), (3, 5), (3, 5), (3, 4), None, id="a day that has not come"),
        pytest.param("week", None, (2, 27), (3, 5), (2, 26), None, id="seven days"),
        pytest.param("week", (3, 3), (2, 25), (3, 3), (2, 24), (3, 5), id="seven days, not past today"),
        pytest.param("month", None, (3, 1), (3, 31), (2, 28), None, id="this month"),
        pytest.param("month", (2, 14), (2, 1), (2, 28), (1, 31), (3, 1), id="a month"),
    ],
)
def test_the_days_of_a_page_and_where_its_arrows_lead(period, wanted, first, last, before, after):
    def day(pair):
        return date(2026, *pair) if pair else None

    span = span_of(Period(period), day(wanted), TODAY)
    assert (span.first, span.last, span.before, span.after) == (day(first), day(last), day(before), day(after))
