"""Pages: people of the site see their zones; strangers, devices and those without a role do not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from factoryai.sites.tests.factories import make_people
from occupancy.models import Zone, ZoneLine
from occupancy.services.corrections import correct_zone
from occupancy.services.logs import NewLog, record_logs
from occupancy.services.sums import sum_days, sum_hours
from streaming.tests.factories import make_camera

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


@pytest.mark.parametrize("period", ["day", "week", "month"])
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


def test_the_export_has_a_row_for_every_summed_day_and_no_formula(login, hall):
    Zone.objects.update(name='=HYPERLINK("x")')
    lines = login("farid").get(f"/occupancy/{hall.pk}/week.csv").content.decode("utf-8-sig").splitlines()
    assert lines[0] == "site,zone,time,average,peak,low,entries,exits,logs,complete"
    assert len(lines) == 1 + hall.days.count()
    assert all(line.split(",")[1].startswith("\"'=") for line in lines[1:])


def test_a_day_before_is_a_page_away_and_a_date_that_makes_no_sense_is_today(login, hall):
    client = login("farid")
    today = timezone.now().astimezone(hall.site.zone).date()
    yesterday = today - timedelta(days=1)
    page = client.get(f"/occupancy/{hall.pk}/").content.decode()
    assert f"date={yesterday}" in page
    assert f"{yesterday:%A, %d %B %Y}" in client.get(f"/occupancy/{hall.pk}/?date={yesterday}").content.decode()
    for wrong in ("2026-02-31", "tomorrow", "9999-12-31", "0001-01-01"):
        assert f"{today:%A, %d %B %Y}" in client.get(f"/occupancy/{hall.pk}/?date={wrong}").content.decode()


def test_the_hour_that_runs_is_shown_so_far(login, hall):
    page = login("farid").get(f"/occupancy/{hall.pk}/").content.decode()
    assert "so far" in page
    assert "is-running" in page


@pytest.mark.parametrize(("name", "status"), [("farid", 200), ("stranger", 404), ("gate", 404), (None, 302)])
def test_only_people_of_the_site_see_trends(login, hall, name, status):
    answer = login(name).get(f"/occupancy/{hall.pk}/trends")
    assert answer.status_code == status
    if status == 200:
        assert "Fullest hours" in answer.content.decode()


@pytest.mark.parametrize(
    ("name", "status", "count"),
    [("kavita", 302, 7), ("farid", 302, 7), ("meena", 403, 12), ("stranger", 404, 12), ("gate", 404, 12)],
)
def test_who_corrects_a_count_on_its_page(login, hall, name, status, count):
    client, form = login(name), {"count": "7", "reason": "Counted at the door", "once": "abc"}
    assert [client.post(f"/occupancy/{hall.pk}/correct", form).status_code for _ in range(2)] == [status] * 2
    assert Zone.objects.with_counts().get().raw_count == count
    assert hall.logs.filter(kind="correction").count() == 1 + (status == 302)


@pytest.mark.parametrize("form", [{"count": "-1", "reason": "x"}, {"count": "7", "reason": " "}, {"count": "many"}, {}])
def test_a_correction_that_makes_no_sense_is_said_and_changes_nothing(login, hall, form):
    page = login("farid").post(f"/occupancy/{hall.pk}/correct", form, follow=True).content.decode()
    assert "A correction needs" in page
    assert Zone.objects.with_counts().get().raw_count == 12


def test_a_line_that_is_no_longer_drawn_is_told(login, people, hall):
    ZoneLine.objects.create(zone=hall, camera=make_camera(people.site), line="Door")
    assert "nothing is counted there" in login("farid").get(f"/occupancy/{hall.pk}/").content.decode()
    assert "Not counted: Door" in login("farid").get("/occupancy/").content.decode()
