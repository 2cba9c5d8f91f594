"""A real car at a gate camera, from a real RTSP stream to the vehicle log, the visit and the alarm."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from factoryai.alerts.models import Alert
from tests.needs import needs_footage
from tests.rtsp import rtsp_camera
from tests.test_camera_process import add, run, wait_for
from vehicles.models import PlateRead, Visit
from vehicles.services.alarms import BLOCKED
from vehicles.tests.factories import make_plant

__all__ = ["run"]  # the fixture

pytestmark = [pytest.mark.footage, pytest.mark.system, pytest.mark.django_db(transaction=True)]


def test_a_blocked_car_makes_one_visit_and_one_alarm(run: Callable) -> None:
    clip, plant = needs_footage("video/indian-car-JH10BP8513.mp4"), make_plant()
    plant.block("JH 10 BP 8513")
    with rtsp_camera(clip=clip, fps=12) as camera:
        add(plant.site, "road", camera.url, roles=["gate"], direction="in")
        run()
        wait_for(lambda: PlateRead.objects.filter(camera__slug="road", accepted=True).exists(), "the plate is not read")
        wait_for(lambda: PlateRead.objects.filter(camera__slug="road").count() >= 2, "the passage does not go on")
    reads = PlateRead.objects.filter(camera__slug="road", accepted=True)
    assert {read.plate for read in reads} == {"JH10BP8513"}
    assert all(read.snapshot_id for read in reads)
    (visit,) = Visit.objects.all()
    assert (visit.plate, visit.state) == ("JH10BP8513", "open")
    assert Alert.objects.filter(kind=BLOCKED).count() == 1
