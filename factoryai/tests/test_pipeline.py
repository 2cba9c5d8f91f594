"""What joins the features: a face that a camera knows becomes a punch, a day, a flag with its picture."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from attendance.models import DayRecord, Punch
from attendance.tests.factories import Plant, clock, make_employee, make_plant
from factoryai.pipeline import CONSUMERS, catch_up_punches
from identity.models import Sighting
from identity.services.sightings import decide_sighting
from identity.tests.test_sightings import seen
from streaming.models import Camera
from streaming.tests.factories import make_camera

pytestmark = pytest.mark.django_db
record = CONSUMERS["face"]
LATE = clock("2026-03-02 08:06:12")


@pytest.fixture
def plant() -> Plant:
    return make_plant()


@pytest.fixture
def camera(plant: Plant) -> Camera:
    return make_camera(plant.site, "gate-1", name="Gate 1", roles=["attendance"], direction="in")


def walk_past(camera: Camera, person: Any, **how: Any) -> None:
    record(seen(camera, person=person, at=LATE, **how))


def test_a_known_face_at_an_attendance_camera_is_a_late_day_with_its_picture(plant: Plant, camera: Camera) -> None:
    walk_past(camera, plant.asha)
    late = plant.flag(plant.asha, "late")
    assert late.why == "LATE 6 min: first entry 08:06:12 at Gate 1; shift A (v1) starts 08:00, grace 5 min"
    punch = Punch.objects.get()
    assert (punch.direction, punch.source.name, punch.confidence) == ("in", "camera:gate-1", 0.7)
    client = Client()
    client.force_login(plant.people.meena)
    page = client.get("/admin/attendance/flag/").content.decode()
    assert f"/media/snapshots/{punch.snapshot}" in page
    assert client.get(f"/media/snapshots/{punch.snapshot}").status_code == 200


def test_the_same_passage_told_again_is_one_punch(plant: Plant, camera: Camera) -> None:
    passage = seen(camera, person=plant.asha, at=LATE)
    record(passage)
    record(passage)
    assert Punch.objects.count() == 1


def test_a_camera_that_sees_both_ways_leaves_the_direction_to_the_session(plant: Plant, camera: Camera) -> None:
    Camera.objects.filter(pk=camera.pk).update(direction="both")
    walk_past(camera, plant.asha)
    record(seen(camera, person=plant.asha, at=clock("2026-03-02 17:00")))
    day = DayRecord.objects.get(employee=plant.asha, first_in__isnull=False)
    assert (day.first_in, day.last_out) == (LATE, clock("2026-03-02 17:00"))


@pytest.mark.parametrize("outcome", ["review", "unknown"])
def test_a_face_that_is_not_certain_is_no_punch(plant: Plant, camera: Camera, outcome: str) -> None:
    walk_past(camera, plant.asha if outcome == "review" else None, outcome=outcome)
    assert not Punch.objects.exists()


def test_a_person_who_says_who_it_was_makes_the_punch(plant: Plant, camera: Camera) -> None:
    walk_past(camera, plant.asha, outcome="review")
    decide_sighting(sighting=Sighting.objects.get(), employee=plant.asha, by=plant.people.meena, at=LATE)
    assert Punch.objects.get().by == plant.people.meena
    assert plant.flag(plant.asha, "low_confidence").why == (
        "LOW CONFIDENCE: the face at 08:06:12 was not recognised with certainty; look at the picture"
    )


def test_a_camera_without_the_role_makes_no_punch(plant: Plant, camera: Camera) -> None:
    Camera.objects.filter(pk=camera.pk).update(roles=[])
    walk_past(camera, plant.asha)
    assert (Sighting.objects.count(), Punch.objects.count()) == (1, 0)


def test_a_punch_that_was_lost_between_two_facts_is_made_up_once(plant: Plant, camera: Camera) -> None:
    walk_past(camera, plant.asha)
    Punch.objects.all().delete()
    since = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert [catch_up_punches(since=since), catch_up_punches(since=since)] == [1, 0]
    assert Punch.objects.get().at == LATE


def test_a_stranger_of_another_site_is_nobody_here(plant: Plant, camera: Camera) -> None:
    assert plant.stranger.site != camera.site
    walk_past(camera, plant.stranger)
    assert not Punch.objects.exists()


def test_a_shift_of_ones_own_is_not_needed_to_be_seen(plant: Plant, camera: Camera) -> None:
    newcomer = make_employee(plant.site, "E9", "Nila")
    walk_past(camera, newcomer)
    assert Punch.objects.with_state().get().state == "off_shift"
