"""`/api/v1/occupancy`: who may see zones and post logs."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factoryai.sites.tests.factories import api_client, make_people
from occupancy.api.logs import LogSerializer, _plain
from occupancy.models import Log, Zone
from occupancy.services.logs import NewLog

ZONES, LOGS = "/api/v1/occupancy/zones", "/api/v1/occupancy/logs"
AT = "2026-03-02T12:00:00+05:30"


@pytest.fixture
def people(db):
    return make_people()


@pytest.fixture
def hall(people):
    return Zone.objects.create(site=people.site, name="Hall")


def entry(zone, event_id="1", **fields):
    return {"event_id": event_id, "zone": zone.pk, "at": AT, "kind": "in", **fields}


@pytest.mark.parametrize("name", ["meena", "farid", "kavita", "root"])
def test_people_of_the_site_see_its_zones(people, hall, name):
    rows = api_client(getattr(people, name)).get(ZONES).json()["results"]
    assert [(row["name"], row["reset_at"]) for row in rows] == [("Hall", "03:00")]


def test_a_stranger_sees_no_zone(people, hall):
    assert api_client(people.stranger).get(ZONES).json()["count"] == 0
    assert api_client(people.stranger).get(f"{ZONES}/{hall.pk}").status_code == 404


@pytest.mark.parametrize(
    ("name", "status"), [("kavita", 201), ("farid", 403), ("gate", 403), ("stranger", 400), (None, 401)]
)
def test_only_a_manager_of_the_site_adds_a_zone(people, name, status):
    client = api_client(getattr(people, name) if name else None)
    answer = client.post(ZONES, {"site": "pune", "name": "Yard", "capacity": 40})
    assert (answer.status_code, Zone.objects.count()) == (status, int(status == 201))


@pytest.mark.parametrize(("name", "status"), [("gate", 200), ("kavita", 200), ("farid", 403), (None, 401)])
def test_devices_and_managers_post_logs(people, hall, name, status):
    answer = api_client(getattr(people, name) if name else None).post(LOGS, [entry(hall)])
    assert (answer.status_code, Log.objects.count()) == (status, int(status == 200))


def test_a_stranger_posts_to_no_zone_of_the_site(people, hall):
    answer = api_client(people.stranger).post(LOGS, [entry(hall)]).json()
    assert (answer["accepted"], answer["rejected"][0]["code"], Log.objects.count()) == (0, "unknown_zone", 0)


def test_every_bad_row_is_named_by_its_place(people, hall):
    rows = [entry(hall, at="2026-03-02T12:00:00"), entry(hall), entry(hall), "x", entry(hall, "2", kind="count"), None]
    answer = api_client(people.gate).post(LOGS, rows).json()
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)
    refused = [(row["index"], row["code"]) for row in answer["rejected"]]
    assert refused == [(0, "naive_time"), (3, "invalid"), (4, "bad_count"), (5, "null")]


odd = st.one_of(st.none(), st.integers(-(2**70), 2**70), st.booleans(), st.text(max_size=4), st.just([1]))
times = st.sampled_from([AT, "2026-03-02T12:00:00", "2026-03-02T06:30Z", "2026-03-02", "1999-12-31T23:59:59Z", "noon"])
rows = st.fixed_dictionaries(
    {},
    optional={
        "event_id": st.one_of(st.text(max_size=6), st.just("e" * 101), odd),
        "zone": st.one_of(st.integers(0, 9), odd),
        "at": st.one_of(times, odd),
        "kind": st.one_of(st.sampled_from(["in", "out", "count", "reset", " in"]), odd),
        "count": st.one_of(st.none(), st.integers(-1, 2**31), odd),
    },
)
usual = st.fixed_dictionaries(
    {"event_id": st.text("ab-1 ", min_size=1, max_size=4), "zone": st.integers(0, 9), "at": times,
     "kind": st.sampled_from(["in", "out", "count"])},
    optional={"count": st.integers(-1, 5)},
)  # fmt: skip


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(usual, rows))
def test_the_short_way_reads_a_row_as_the_serializer_does_or_leaves_it_alone(row):
    plain = _plain(row)
    serializer = LogSerializer(data=row)
    if plain is not None:
        assert serializer.is_valid(), serializer.errors
        assert NewLog(**serializer.validated_data) == plain


def test_a_usual_row_takes_the_short_way():
    assert _plain({"event_id": "1", "zone": 3, "at": AT, "kind": "in"}) is not None
    assert _plain({"event_id": "1", "zone": 3, "at": AT, "kind": "count", "count": 4}) is not None
