"""`/api/v1/occupancy`: who may read sums, correct a count, and run a job; strangers see nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from factoryai.alerts.models import Alert
from factoryai.sites.tests.factories import api_client, make_people
from occupancy.models import Zone, ZoneLine
from occupancy.services.logs import NewLog, record_logs
from occupancy.services.sums import sum_days, sum_hours, sum_months
from streaming.tests.factories import make_camera

AT = datetime(2026, 3, 31, 6, 30, tzinfo=UTC)
BASE = "/api/v1/occupancy"


@pytest.fixture
def people(db):
    return make_people()


def fill(zone, at=AT):
    rows = [NewLog("1", zone.pk, at, "in"), NewLog("2", zone.pk, at + timedelta(minutes=30), "in")]
    record_logs(rows=rows, zones=[zone], source="gate", at=at + timedelta(hours=1))


@pytest.fixture
def hall(people):
    zone = Zone.objects.create(site=people.site, name="Hall", capacity=2)
    fill(zone)
    return zone


@pytest.fixture
def recent(people):
    """A zone whose logs are hours old, so that a run up to now has little to do."""
    zone = Zone.objects.create(site=people.site, name="Yard")
    fill(zone, timezone.now() - timedelta(hours=30))
    return zone


@pytest.fixture
def summed(hall):
    at = datetime(2026, 4, 2, tzinfo=UTC)
    sum_hours(at=at), sum_days(at=at), sum_months(at=at)
    return hall


def client(people, name):
    return api_client(getattr(people, name) if name else None)


@pytest.mark.parametrize("name", ["meena", "farid", "kavita", "root"])
def test_people_of_the_site_see_who_is_inside_now(people, hall, name):
    row = client(people, name).get(f"{BASE}/now").json()[0]
    assert row == {
        "zone": hall.pk, "name": "Hall", "site": "pune", "count": 2, "since": "2026-03-31T07:00:00Z", "capacity": 2,
        "level": "full", "stale": False,
    }  # fmt: skip


def test_a_zone_whose_camera_is_not_live_says_that_it_is_stale(people, hall):
    ZoneLine.objects.create(zone=hall, camera=make_camera(people.site), line="Door")
    assert client(people, "farid").get(f"{BASE}/now").json()[0]["stale"] is True


def test_now_costs_the_same_for_many_zones(people, hall, django_assert_max_num_queries):
    for number in range(20):
        fill(Zone.objects.create(site=people.site, name=f"Zone {number}"))
    with django_assert_max_num_queries(8):
        assert len(client(people, "farid").get(f"{BASE}/now").json()) == 21


@pytest.mark.parametrize(
    ("path", "query", "first"),
    [
        (
            "hourly",
            "from=2026-03-31T06:30:00Z&to=2026-03-31T07:30:00Z",
            {"hour": "2026-03-31T12:00:00+05:30", "average": 1.5},
        ),
        ("daily", "from=2026-03-31&to=2026-03-31", {"date": "2026-03-31", "peak": 2}),
        ("monthly", "from=2026-03-01&to=2026-03-01", {"month": "2026-03", "entries": 2}),
    ],
)
def test_sums_are_read_by_people_of_the_site_and_by_nobody_else(people, summed, path, query, first):
    address = f"{BASE}/{path}?zone={summed.pk}&{query}"
    rows = client(people, "meena").get(address).json()["results"]
    assert len(rows) == 1
    assert set(rows[0]) == {"zone", path.replace("hourly", "hour").replace("daily", "date").replace("monthly", "month"),
                            "average", "peak", "low", "entries", "exits", "logs", "complete"}  # fmt: skip
    assert first.items() <= rows[0].items()
    Zone.objects.create(site=people.other_site, name="Own")
    assert client(people, "stranger").get(f"{BASE}/{path}").json()["count"] == 0
    assert client(people, None).get(address).status_code == 401
    assert client(people, "gate").get(address).status_code == 403


def test_a_time_without_an_offset_is_refused(people, summed):
    answer = client(people, "meena").get(f"{BASE}/hourly?from=2026-03-31T06:30:00")
    assert (answer.status_code, answer.json()["code"]) == (400, "naive_time")


@pytest.mark.parametrize(
    ("name", "status", "count"),
    [("kavita", 200, 7), ("farid", 200, 7), ("meena", 403, 2), ("gate", 403, 2), ("stranger", 404, 2), (None, 401, 2)],
)
def test_who_may_correct_a_count(people, hall, name, status, count):
    answer = client(people, name).post(f"{BASE}/zones/{hall.pk}/correct", {"count": 7, "reason": "Counted by hand"})
    assert answer.status_code == status
    assert Zone.objects.with_counts().get(pk=hall.pk).raw_count == count
    if status == 200:
        assert answer.json() == {"count": 7, "drift": -5}


@pytest.mark.parametrize(("name", "status"), [("farid", 200), ("kavita", 200), ("gate", 403), (None, 401)])
def test_who_may_see_the_scheduler(people, name, status):
    answer = client(people, name).get(f"{BASE}/scheduler-status")
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"running": False, "jobs": []}


@pytest.mark.parametrize(("name", "status"), [("kavita", 200), ("farid", 403), ("gate", 403), (None, 401)])
def test_who_may_run_a_job(people, recent, name, status):
    answer = client(people, name).post(f"{BASE}/jobs/occupancy.sum_hours/run", {"site": "pune"})
    assert (answer.status_code, recent.hours.exists()) == (status, status == 200)


def test_a_manager_of_another_site_runs_nothing_here(people, recent):
    stranger = client(people, "stranger")
    assert stranger.post(f"{BASE}/jobs/occupancy.sum_hours/run", {"site": "pune"}).status_code == 400
    assert stranger.post(f"{BASE}/jobs/occupancy.sum_hours/run", {}).json() == {"hours": 0}
    assert not recent.hours.exists()


def test_running_a_job_twice_gives_the_same_sums(people, recent):
    run = f"{BASE}/jobs/occupancy.sum_months/run"
    first = client(people, "kavita").post(run, {"for": "2026-03-01", "site": "pune"}).json()
    sums = list(recent.hours.values("start", "weighted_us", "peak", "logs"))
    again = client(people, "kavita").post(run, {"for": "2026-03-01", "site": "pune"}).json()
    assert first["hours"] == again["hours"] > 0
    assert list(recent.hours.values("start", "weighted_us", "peak", "logs")) == sums


def test_a_job_that_does_not_exist_is_not_found(people):
    assert client(people, "kavita").post(f"{BASE}/jobs/os.system/run", {}).status_code == 404


def test_a_new_capacity_is_judged_at_once_and_none_closes_the_alarm(people, hall):
    address, kavita = f"{BASE}/zones/{hall.pk}", client(people, "kavita")
    assert kavita.patch(address, {"capacity": 100}, format="json").status_code == 200
    assert Zone.objects.get().level == "ok"
    kavita.patch(address, {"capacity": 2}, format="json")
    assert Zone.objects.get().level == "full"
    kavita.patch(address, {"capacity": None}, format="json")
    assert (Zone.objects.get().level, Alert.objects.still_open().count()) == ("ok", 0)


@pytest.mark.parametrize(("name", "status"), [("farid", 403), ("gate", 403), ("stranger", 404), (None, 401)])
def test_only_a_manager_of_the_site_changes_a_zone(people, hall, name, status):
    answer = client(people, name).patch(f"{BASE}/zones/{hall.pk}", {"capacity": 9}, format="json")
    assert (answer.status_code, Zone.objects.get().capacity) == (status, 2)


def test_a_zone_keeps_its_site(people, hall):
    answer = client(people, "root").patch(f"{BASE}/zones/{hall.pk}", {"site": "berlin"}, format="json")
    assert answer.status_code == 400
    assert Zone.objects.get().site == people.site


def test_trends_are_read_by_people_of_the_site_and_by_nobody_else(people, recent):
    sum_hours(at=timezone.now())
    address = f"{BASE}/trends?zone={recent.pk}"
    body = client(people, "meena").get(address).json()
    assert max(row["average"] for row in body["typical"]) == 2
    assert body["peak_hours"][0]["average"] == 2
    assert [client(people, name).get(address).status_code for name in ("stranger", "gate", None)] == [404, 403, 401]
    assert client(people, "meena").get(f"{BASE}/trends?zone=x").json()["code"] == "invalid"


def test_areas_are_listed_for_people_of_the_site_only(people):
    drawn = [{"name": "bay", "points": [[0, 0], [1, 0], [1, 1]]}]
    camera = make_camera(people.site, roles=["occupancy"], zones=drawn)
    assert client(people, "farid").get(f"{BASE}/areas").json() == [
        {"camera": camera.slug, "area": "bay", "people": None, "since": None, "stale": True, "stays_today": 0,
         "average_s": None, "longest_s": None}
    ]  # fmt: skip
    assert client(people, "stranger").get(f"{BASE}/areas").json() == []
    assert client(people, "gate").get(f"{BASE}/areas").status_code == 403
