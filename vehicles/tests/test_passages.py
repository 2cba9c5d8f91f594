"""What a camera with the role gate tells, through the pipeline: log, visit, alarm and picture, once each."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client

from factoryai.alerts.models import Alert
from factoryai.pipeline import CONSUMERS, analysers_for
from streaming.recorder import decode, encode
from vehicles.confidential import ConfidentialPlates, seal_picture
from vehicles.models import PlateRead, Visit
from vehicles.tests.factories import Plant, after, make_plant, observation

record = CONSUMERS["plate"]
JPEG = b"\xff\xd8\xff\xe0 a plate \xff\xd9"
CLIP = "JH10BP8513"


@pytest.fixture
def plant(db: None) -> Plant:
    return make_plant()


def seen(plant: Plant, **how: Any) -> Any:
    """Return a passage as it waits in a file: the picture sealed, everything else plain."""
    given = {"picture": base64.b64encode(JPEG).decode(), **how}
    return decode(encode(seal_picture(observation(plant.entry, CLIP, **given))))


def test_a_passage_is_one_visit_and_one_alarm_however_often_it_is_told(plant: Plant) -> None:
    plant.block("JH 10 BP 8513")
    first = seen(plant, is_final=False)
    assert base64.b64encode(JPEG).decode() not in encode(first)
    for told in (first, first, seen(plant, at=after(seconds=1))):
        record(told)
    assert (PlateRead.objects.count(), Visit.objects.count(), Alert.objects.count()) == (2, 1, 1)
    read = PlateRead.objects.earliest("pk")
    assert (read.plate, read.direction, read.agreeing_reads) == (CLIP, "in", 3)

    def look(user: Any) -> Any:
        client = Client()
        client.force_login(user)
        return client.get(f"/media/snapshots/{read.snapshot_id}")

    assert look(plant.people.farid).content == JPEG
    assert [look(user).status_code for user in (plant.people.meena, plant.people.stranger)] == [404, 404]


def test_a_read_without_a_good_picture_is_kept_all_the_same(plant: Plant) -> None:
    for number, picture in enumerate((None, "", "%%%", base64.b64encode(b"GIF89a").decode())):
        record(observation(plant.entry, CLIP, track=f"t{number}", picture=picture))
    assert list(PlateRead.objects.values_list("snapshot", flat=True)) == [None] * 4


def test_cameras_with_the_role_gate_read_plates_and_seal_their_pictures(plant: Plant) -> None:
    assert [type(one) for one in analysers_for(plant.entry)] == [ConfidentialPlates]
    plant.entry.roles = []
    assert not analysers_for(plant.entry)
