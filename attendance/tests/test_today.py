"""Who came today: from the same rosters and records as the payroll, for any number of sites in as many queries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from attendance.models import Holiday, Leave
from attendance.services.review import review_flag
from attendance.services.today import today_at
from attendance.tests.factories import MONDAY, assign, clock, make_employee, make_plant
from factoryai.sites.tests.factories import make_site


@pytest.fixture
def plant(db):
    """Asha works days, Ravi nights."""
    return make_plant()


def counts(plant, text):
    day = today_at([plant.site], clock(text))[plant.site.pk]
    return day.present, day.late, day.missing, day.expected


@pytest.mark.parametrize(
    ("punched", "now", "expected"),
    [
        pytest.param(None, "2026-03-02 08:05:00", (0, 0, 0, 2), id="nobody is missing within the grace"),
        pytest.param(None, "2026-03-02 08:05:01", (0, 0, 1, 2), id="a second past it Asha is missing"),
        pytest.param(None, "2026-03-02 22:06", (0, 0, 2, 2), id="at night both are"),
        pytest.param("07:58", "2026-03-02 09:00", (1, 0, 0, 2), id="she came in time"),
        pytest.param("08:06:12", "2026-03-02 09:00", (1, 1, 0, 2), id="she came late"),
    ],
)
def test_a_day_is_counted_as_it_goes(plant, punched, now, expected):
    if punched:
        plant.punch(plant.asha, f"2026-03-02 {punched}", "in")
    assert counts(plant, now) == expected


def test_who_is_still_in_from_last_night_is_present(plant):
    plant.punch(plant.ravi, "2026-03-02 21:58", "in")
    assert counts(plant, "2026-03-03 05:00") == (1, 0, 0, 2)
    plant.punch(plant.ravi, "2026-03-03 06:01", "out")
    assert counts(plant, "2026-03-03 07:00") == (0, 0, 0, 2)


def test_leave_holidays_and_days_off_expect_nobody(plant):
    Leave.objects.create(employee=plant.asha, from_date=MONDAY, to_date=MONDAY)
    assert counts(plant, "2026-03-02 12:00") == (0, 0, 0, 1)
    assert today_at([plant.site], clock("2026-03-02 12:00"))[plant.site.pk].on_leave == 1
    Holiday.objects.create(site=plant.site, date=MONDAY, name="Holi")
    assert counts(plant, "2026-03-02 12:00") == (0, 0, 0, 0)


def test_who_left_is_not_expected(plant):
    plant.asha.left_date = MONDAY - timedelta(days=1)
    plant.asha.save()
    assert counts(plant, "2026-03-02 12:00") == (0, 0, 0, 1)


def test_an_excused_late_is_not_counted(plant):
    plant.punch(plant.asha, "2026-03-02 08:06:12", "in")
    flag = plant.flag(plant.asha, "late")
    review_flag(flag=flag, decision="excused", note="Bus", by=plant.people.meena, at=clock("2026-03-02 08:30"))
    assert counts(plant, "2026-03-02 09:00") == (1, 0, 0, 2)


def test_each_site_has_its_own_date_and_a_stranger_counts_nowhere_else(plant):
    tokyo = make_site("tokyo", timezone="Pacific/Auckland")
    found = today_at([plant.site, tokyo, plant.people.other_site], clock("2026-03-02 20:00"))
    assert (found[plant.site.pk].date, found[tokyo.pk].date) == (MONDAY, MONDAY + timedelta(days=1))
    assert found[plant.people.other_site.pk].expected == 0


def test_more_sites_and_people_cost_no_more_queries(plant, django_assert_max_num_queries):
    sites = [plant.site, *(make_site(f"site-{number}") for number in range(3))]
    for number in range(10):
        assign(make_employee(plant.site, f"N{number}", f"Name {number}"), plant.day)
    with django_assert_max_num_queries(9):
        assert today_at(sites, clock("2026-03-02 12:00"))[plant.site.pk].missing == 11
