"""Zones in the admin: the count as it is, a manager's own site; logs that nobody changes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from factoryai.sites.tests.factories import People, make_people
from occupancy.models import Log, Zone
from occupancy.services.logs import NewLog, record_logs

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> People:
    people = make_people()
    return people


@pytest.fixture
def hall(people: People) -> Zone:
    """A hall that five people entered."""
    zone, now = Zone.objects.create(site=people.site, name="Hall", capacity=40), timezone.now()
    rows = [NewLog(str(number), zone.pk, now, "in") for number in range(5)]
    record_logs(rows=rows, zones=[zone], source="test", at=now)
    return zone


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_list_tells_how_many_are_inside(people: People, hall: Zone) -> None:
    page = client_of(people.kavita).get("/admin/occupancy/zone/").content.decode()
    assert '<td class="field-people">5</td>' in page


def test_the_zones_and_logs_of_another_site_are_not_there(people: People, hall: Zone) -> None:
    client = client_of(people.stranger)
    for name in ("zone", "log"):
        assert "Hall" not in client.get(f"/admin/occupancy/{name}/").content.decode().partition("result_list")[2]


def test_a_log_is_looked_at_and_never_changed(people: People, hall: Zone) -> None:
    client, log = client_of(people.root), Log.objects.first()
    assert client.get(f"/admin/occupancy/log/{log.pk}/change/").status_code == 200
    assert client.get("/admin/occupancy/log/add/").status_code == 403
    assert client.post(f"/admin/occupancy/log/{log.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(f"/admin/occupancy/log/{log.pk}/change/", {"kind": "out"}).status_code == 403
