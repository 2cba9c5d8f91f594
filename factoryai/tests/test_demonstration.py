"""The staff door of the demonstration: who is enrolled is named and punched, who is not is unknown until HR says who.

The pictures are the scene's own; detector, tracker, face engine and pages are the real ones, with either engine.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from attendance.models import Punch
from factoryai.embedded import cameras, logins, staff
from factoryai.pipeline import CONSUMERS, analysers_for
from factoryai.sites.models import Site
from identity.models import Employee, Sighting, UnknownFace
from identity.services import gallery
from identity.services.engines import forget_watches
from identity.tests.rekognition_server import RekognitionServer
from streaming.detectors import load_detector
from streaming.frames import Frame, Track
from streaming.models import Camera
from streaming.scenes import cast, door
from streaming.scenes.people import Person
from streaming.tracking import Tracker

DETECT_FPS = 4
Pictures = list[tuple[float, np.ndarray, Sequence[Track]]]


def passage(person: Person) -> Pictures:
    """Let one person come to the door: the pictures from 5 m away until they have gone in, with their tracks."""
    scene, tracker, detector, pictures = door.open_door("door", "Staff door"), Tracker(), load_detector(), []
    start = next(comer.starts_s for comer in door.COMERS if comer.person is person)
    for tick in range(4 * DETECT_FPS, 11 * DETECT_FPS):
        at = tick / DETECT_FPS
        image = scene.picture(round((start + at) * door.FPS) % scene.length)
        pictures.append((at, image, tracker.update(detector.detect(image), at)))
    return pictures


@pytest.fixture(scope="module")
def asha_comes() -> Pictures:
    return passage(cast.ASHA)


@pytest.fixture(scope="module")
def lena_comes() -> Pictures:
    return passage(cast.LENA)


@pytest.fixture(params=["local", "rekognition"])
def engine(request: pytest.FixtureRequest, settings: object, tmp_path: Path) -> Iterator[str]:
    settings.MEDIA_PLACE = str(tmp_path / "media")  # type: ignore[attr-defined]
    gallery.forget_galleries()
    with RekognitionServer() as server:
        settings.FACE_ENGINE = request.param  # type: ignore[attr-defined]
        settings.AWS_REGION, settings.AWS_ENDPOINT_URL_REKOGNITION = "ap-south-1", server.url  # type: ignore[attr-defined]
        settings.AWS_ACCESS_KEY_ID = settings.AWS_SECRET_ACCESS_KEY = "test"  # type: ignore[attr-defined]
        yield request.param
    gallery.forget_galleries()
    forget_watches()


@pytest.fixture
def demo(db: None, engine: str, tmp_path: Path) -> Site:
    site, now = logins.turn_demo_on(tmp_path), timezone.now()
    cameras.add_demo_cameras(site, at=now)
    staff.add_staff(site, at=now)
    staff.enrol_staff(site, at=now)
    return site


def watch(pictures: Pictures, start: dt.datetime) -> set[str]:
    """Show a passage to the camera's analysers, record what they observe, and return the names they drew."""
    camera, names = Camera.objects.get(slug="door"), set()
    (analyser,) = analysers_for(camera)
    ends_at = pictures[-1][0] + 5
    for at, image, tracks in [*pictures, (ends_at, pictures[-1][1], [])]:
        captured_at = start.timestamp() + at
        analysis = analyser.analyse(Frame(camera.slug, round(at * 100), captured_at, image), tracks)
        names |= set(analysis.names.values())
        for observation in analysis.observations:
            CONSUMERS["face"](observation)
    return names


def test_who_is_enrolled_from_two_photos_is_named_and_punched(demo: Site, engine: str, asha_comes: Pictures) -> None:
    asha = Employee.objects.get(site=demo, name="Asha Rao")
    assert asha.faces.count() == 2
    assert watch(asha_comes, timezone.now()) == {"Asha Rao"}
    sighting = Sighting.objects.get()
    assert (sighting.employee, sighting.outcome, sighting.engine) == (asha, "known", engine)
    punch = Punch.objects.get(event_id=f"sighting:{sighting.pk}")
    assert (punch.employee, punch.direction, punch.source.name) == (asha, "in", "camera:door")


def test_who_is_not_is_unknown_until_hr_says_who_and_then_punched(demo: Site, lena_comes: Pictures) -> None:
    assert watch(lena_comes, timezone.now()) == set()
    unknown = UnknownFace.objects.get()
    lena, client = Employee.objects.get(site=demo, name="Lena Thomas"), Client()
    client.force_login(demo.memberships.get(role="hr").user)
    assert f"/media/snapshots/{unknown.snapshot_id}" in client.get("/faces/review").content.decode()
    answer = {"verb": "assign", "employee": "1005", "punch": "on"}
    assert client.post(f"/faces/unknown/{unknown.pk}/decide", answer, follow=True).status_code == 200
    sighting = Sighting.objects.get()
    punch = Punch.objects.get(event_id=f"sighting:{sighting.pk}")
    assert (sighting.employee, sighting.review, punch.employee) == (lena, "confirmed", lena)
    assert punch.by == sighting.reviewed_by
