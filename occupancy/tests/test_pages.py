"""Pages: people of the site see their zones; strangers, devices and those without a role do not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from factoryai.sites.tests.factories import make_people
from occupancy.models import Zone
from occupancy.services.corrections import correct_zone
from occupancy.services.logs import NewLog, record_logs
from occupancy.services.sums import sum_days, sum_hours

HOUR = timedelta(hours=1)


@pytest.fixture
def people(db):
    return make_people()


@pytest.fixture
def hall(people):
    zone, now = Zone.objects.create(site=people.site, name="Hall", capacity=40), timezone.now()
    rows = [NewLog(str(n), zone.pk, now - 60 * HOUR + n * HOUR, "in") for n in range(60)]
    record_logs(rows=rows, zones=[zone], source="gate", at=now)
    correct_zone(zone=zone, count=12, reason="Counted by hand", by=people.kavita, event_id="c", at=now)
    sum_hours(at=now), sum_days(at=now)
    return zone


@pytest.fixture
def login(client, people):
    def logged_in(name):
        if name:
            client.force_login(getattr(people, name))
        return client

    return logged_in


@pytest.mark.parametrize(("name", "seen"), [("farid", True), ("stranger", False), ("gate", False), ("asha", False)])
def test_only_people_of_the_site_see_its_zones(login, hall, name, seen):
    page = login(name).get("/occupancy/").content.decode()
    assert ("Hall" in page and "<strong>12</strong> of 40" in page) is seen


@pytest.mark.parametrize("period", ["today", "week", "month"])
@pytest.mark.parametrize(("name", "status"), [("farid", 200), ("stranger", 404), ("gate", 404), (None, 302)])
def test_only_people_of_the_site_see_a_zone_over_time(login, hall, name, status, period):
    client = login(name)
    assert client.get(f"/occupancy/{hall.pk}/?period={period}").status_code == status
    assert client.get(f"/occupancy/{hall.pk}/{period}.csv").status_code == status


def test_a_zone_shows_its_chart_and_its_drift_in_ten_queries(login, hall, django_assert_max_num_queries):
    client = login("farid")
    with django_assert_max_num_queries(10):
        page = client.get(f"/occupancy/{hall.pk}/?period=week").content.decode()
    assert '<svg class="chart"' in page
    assert "Counted by hand" in page


def test_the_export_has_a_row_for_every_summed_day(login, hall):
    lines = login("farid").get(f"/occupancy/{hall.pk}/week.csv").content.decode().splitlines()
    assert lines[0] == "time,average,peak,low,entries,exits,logs,complete"
    assert len(lines) == 1 + hall.days.count()
