"""What is known of live cameras, and what a run by hand may touch."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from factoryai.jobs.services import Wish
from factoryai.sites.tests.factories import make_people
from occupancy.models import LiveSpan, Zone, ZoneLine
from occupancy.services.by_hand import run_daily, run_hourly, run_monthly, run_reset, run_thinning
from occupancy.services.live_spans import note_live_cameras
from occupancy.services.logs import NewLog, record_logs
from streaming.models import CameraStatus
from streaming.tests.factories import make_camera

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def hall(people):
    return Zone.objects.create(site=people.site, name="Hall")


@pytest.fixture
def camera(hall):
    camera = make_camera(hall.site)
    ZoneLine.objects.create(zone=hall, camera=camera, line="Door")
    return camera


def show(camera, at, since, state="live"):
    fields = {"state": state, "since": since, "frame_at": at, "updated_at": at}
    CameraStatus.objects.update_or_create(camera=camera, defaults=fields)
    note_live_cameras(at=at)


def spans(camera):
    return list(LiveSpan.objects.filter(camera=camera).values_list("began_at", "ended_at"))


def test_a_camera_that_stays_live_has_one_span_even_when_nobody_looked_for_an_hour(camera):
    show(camera, NOON + MINUTE, NOON)
    show(camera, NOON + HOUR, NOON)
    assert spans(camera) == [(NOON, NOON + HOUR)]


def test_a_camera_that_was_away_between_two_looks_has_two_spans(camera):
    show(camera, NOON + MINUTE, NOON)
    show(camera, NOON + 3 * MINUTE, NOON + 2 * MINUTE)
    assert spans(camera) == [(NOON, NOON + MINUTE), (NOON + 2 * MINUTE, NOON + 3 * MINUTE)]


def test_a_camera_that_is_not_live_has_no_span(camera):
    show(camera, NOON, NOON - HOUR, "offline")
    assert spans(camera) == []


def test_a_reset_by_hand_without_a_date_never_empties_a_zone_that_missed_none(people, hall):
    record_logs(rows=[NewLog("1", hall.pk, NOON, "in")], zones=[hall], source="gate", at=NOON)
    wish = Wish([people.site], NOON, people.kavita)
    assert run_reset(wish) == {"reset": 0}
    assert Zone.objects.with_counts().get().raw_count == 1
    Zone.objects.update(last_reset_date=date(2026, 3, 1))
    assert run_reset(wish) == {"reset": 1}
    assert run_reset(wish) == {"reset": 0}


@pytest.mark.parametrize("run", [run_hourly, run_daily, run_monthly, run_reset, run_thinning])
def test_a_run_by_hand_leaves_other_sites_alone(people, run):
    foreign = Zone.objects.create(site=people.other_site, name="Own", last_reset_date=date(2026, 2, 27))
    record_logs(rows=[NewLog("1", foreign.pk, NOON - 80 * HOUR, "in")], zones=[foreign], source="gate", at=NOON)
    run(Wish([people.site], NOON, people.kavita))
    assert not foreign.hours.exists()
    assert foreign.logs.count() == 1
    run(Wish([people.other_site], NOON, people.stranger))
    assert (foreign.hours.exists() or foreign.logs.count() == 2) is (run is not run_thinning)
