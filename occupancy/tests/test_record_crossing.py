"""From a line in the picture to the count of a zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from factoryai import pipeline
from factoryai.sites.tests.factories import make_people
from occupancy.analyser import CountingAnalyser
from occupancy.models import Log, Zone, ZoneLine
from streaming.frames import Observation
from streaming.tests.factories import make_camera

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINES = [{"name": "door", "points": [[0.5, 0], [0.5, 1]], "in": "left"}]
pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def camera(people):
    return make_camera(people.site, roles=["occupancy"], lines=LINES)


record = pipeline.CONSUMERS["crossing"]


def zone_behind(camera, name="Hall", site=None, **fields):
    zone = Zone.objects.create(site=site or camera.site, name=name)
    ZoneLine.objects.create(zone=zone, camera=camera, line="door", **fields)
    return zone


def crossing(camera, *, is_in=True, line="door"):
    data = {"line": line, "track": 1, "is_in": is_in}
    return Observation("crossing", camera.slug, NOON.timestamp(), data)


def kinds(zone):
    return [(log.kind, log.at) for log in Log.objects.filter(zone=zone)]


def test_a_crossing_counts_once_however_often_it_is_recorded(camera):
    hall, seen = zone_behind(camera), crossing(camera)
    record(seen)
    record(seen)
    assert kinds(hall) == [("in", NOON)]


def test_what_is_in_for_one_zone_is_out_for_the_other(camera):
    hall, yard = zone_behind(camera), zone_behind(camera, "Yard", is_reversed=True)
    record(crossing(camera, is_in=False))
    assert (kinds(hall), kinds(yard)) == ([("out", NOON)], [("in", NOON)])


def test_a_line_that_no_zone_knows_counts_nowhere(camera):
    hall = zone_behind(camera)
    record(crossing(camera, line="window"))
    assert kinds(hall) == []


def test_a_camera_never_counts_for_a_zone_of_another_site(people, camera):
    foreign = zone_behind(camera, site=people.other_site)
    record(crossing(camera))
    assert kinds(foreign) == []


def test_only_cameras_for_occupancy_with_lines_are_counted_on(people, camera):
    others = [make_camera(people.site, roles=["gate"], lines=LINES), make_camera(people.site, roles=["occupancy"])]
    assert [type(found) for found in pipeline.analysers_for(camera)] == [CountingAnalyser]
    assert not any(isinstance(one, CountingAnalyser) for other in others for one in pipeline.analysers_for(other))
