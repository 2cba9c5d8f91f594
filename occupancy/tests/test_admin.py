"""Zones in the admin: the count as it is, a manager's own site; logs that nobody changes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from factoryai.sites.tests.factories import People, make_people
from occupancy.models import Log, Zone, ZoneLine
from occupancy.services.logs import NewLog, record_logs
from streaming.tests.factories import make_camera

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


def zone_form(zone: Zone, camera: Any, line: str, **changes: Any) -> dict[str, Any]:
    """The change form of a zone with one new line."""
    values = {
        "site": zone.site_id, "name": zone.name, "capacity": 40, "reset_at": "03:00", "reset_policy": "to_zero",
        "lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0, "lines-0-camera": camera.pk, "lines-0-line": line,
    }  # fmt: skip
    return {**values, **changes}


def test_a_zone_counts_only_by_lines_that_are_drawn_on_a_camera_for_it(people: People, hall: Zone) -> None:
    drawn = [{"name": "Door", "points": [[0, 0], [1, 1]], "in": "right"}]
    camera = make_camera(people.site, "door", roles=["occupancy"], lines=drawn)
    other = make_camera(people.site, "gate", roles=["gate"], lines=drawn)
    client, address = client_of(people.kavita), f"/admin/occupancy/zone/{hall.pk}/change/"
    refusals = [(camera, "Dor", "no line of this name. It has: Door."), (other, "Door", "is not for occupancy")]
    for at, line, refusal in refusals:
        assert refusal in client.post(address, zone_form(hall, at, line)).content.decode()
    assert not ZoneLine.objects.exists()
    assert client.post(address, zone_form(hall, camera, "Door")).status_code == 302
    assert ZoneLine.objects.get().camera == camera


def test_a_smaller_capacity_raises_the_alarm_at_once(people: People, hall: Zone) -> None:
    camera = make_camera(people.site, "door", roles=["occupancy"])
    form = {**zone_form(hall, camera, ""), "lines-TOTAL_FORMS": 0, "capacity": 5}
    assert client_of(people.kavita).post(f"/admin/occupancy/zone/{hall.pk}/change/", form).status_code == 302
    assert Zone.objects.get().level == "full"


def test_a_reset_set_to_a_time_that_has_passed_is_said_at_once(people: People, hall: Zone) -> None:
    camera, client = make_camera(people.site, "door", roles=["occupancy"]), client_of(people.kavita)
    passed = (timezone.now().astimezone(people.site.zone) - timedelta(minutes=2)).strftime("%H:%M")
    Zone.objects.update(last_reset_date=date(2020, 1, 1))
    form = {**zone_form(hall, camera, ""), "lines-TOTAL_FORMS": 0, "reset_at": passed}
    page = client.post(f"/admin/occupancy/zone/{hall.pk}/change/", form, follow=True).content.decode()
    assert f"{passed} has passed: nothing is reset now" in page
    assert "The next drift reset is due on" in page
