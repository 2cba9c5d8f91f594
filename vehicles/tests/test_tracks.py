"""A passage is a track of one camera for a while: devices give the same names again, at every gate and every day."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from factoryai.alerts.models import Alert
from vehicles.models import PlateRead, Visit
from vehicles.services.tracks import SAME_PASSAGE, spans_of
from vehicles.tests.factories import NOON, OTHER, PLATE, Plant, after, make_plant


@pytest.fixture
def plant(db: None) -> Plant:
    return make_plant()


@pytest.mark.parametrize("place", ["entry", "exit", "elsewhere"])
def test_a_track_of_the_same_name_settles_nothing_another_day_or_at_another_camera(plant: Plant, place: str) -> None:
    plant.block(site=None)
    plant.read(OTHER, track="1")
    later = {"at": after(days=1)} if place == "entry" else {"at": after(seconds=1)}
    camera: Any = getattr(plant, place)
    plant.read(confidence=0.6, track="1", camera=camera, **later)
    read = PlateRead.objects.get(camera=camera, plate=PLATE)
    assert (read.counts, read.review, read.level) == (True, "pending", "critical-probable")
    assert not Visit.objects.filter(state="withdrawn").exists()
    assert Alert.objects.count() == 1
    short = plant.read(OTHER[:-2], track="1", camera=plant.yard, at=after(seconds=2))
    assert (short.accepted, short.reasons) == (True, [])


def test_reads_of_two_cameras_do_not_agree(plant: Plant) -> None:
    plant.allow()
    plant.read(track="1")
    assert plant.read(track="1", camera=plant.exit, at=after(seconds=1)).why == "one_read"
    assert plant.read(track="1", camera=plant.exit, at=after(seconds=2)).decision == "open"


def test_reads_that_waited_in_a_device_are_cut_into_passages() -> None:
    moments = [after(days=1), NOON, after(minutes=14), after(minutes=28)]
    spans = spans_of("device", [(1, "1", at) for at in moments] + [(2, "1", NOON), (1, "", NOON)])
    assert [(span.camera, span.first, span.last) for span in spans] == [
        (1, NOON, after(minutes=28)),
        (1, after(days=1), after(days=1)),
        (2, NOON, NOON),
    ]
    assert spans[0].ends == after(minutes=28) + SAME_PASSAGE
    assert dt.timedelta(minutes=5) <= SAME_PASSAGE
