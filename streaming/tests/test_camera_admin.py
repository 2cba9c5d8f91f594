"""Cameras in the admin: a manager's own site, the address with stars, and a button that tries it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from factoryai.sites.tests.factories import People, make_people
from streaming.models import Camera
from streaming.tests.factories import make_camera

pytestmark = pytest.mark.django_db

LIST = "/admin/streaming/camera/"


@pytest.fixture
def people() -> People:
    """Kavita and the stranger may use the admin for cameras, each at their own site; Farid may not."""
    people = make_people()
    return people


@pytest.fixture
def gate(people: People) -> Camera:
    return make_camera(people.site, "gate", username="viewer", password="Canary-7f3", roles=["gate"])


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def form(camera: Camera, **changes: Any) -> dict[str, Any]:
    values = {
        "name": camera.name,
        "url": camera.masked_source,
        "roles": camera.roles,
        "direction": "",
        "detect_fps": 5,
        "stream_fps": 10,
        "is_enabled": "on",
        "zones": "[]",
        "lines": "[]",
        "privacy_masks": "[]",
    }
    return {**values, **changes}


def test_the_list_shows_the_state_and_the_address_with_stars(people: People, gate: Camera) -> None:
    page = client_of(people.kavita).get(LIST).content.decode()
    assert "rtsp://***:***@192.168.1.20/stream1" in page
    assert "No camera process has taken it yet." in page
    assert "Canary" not in page


def test_the_cameras_of_another_site_are_not_there(people: People, gate: Camera) -> None:
    client = client_of(people.stranger)
    assert "Gate" not in client.get(LIST).content.decode().partition('id="result_list"')[2]
    assert client.get(f"{LIST}{gate.pk}/change/").status_code == 302


def test_who_may_not_change_cameras_is_refused(people: People, gate: Camera) -> None:
    assert client_of(people.farid).get(LIST).status_code == 403
    assert client_of(people.farid).post(f"{LIST}try/", {"url": "demo:gate"}).status_code == 403


def test_saving_the_form_as_it_is_keeps_the_login(people: People, gate: Camera) -> None:
    answer = client_of(people.kavita).post(f"{LIST}{gate.pk}/change/", form(gate, name="Gate 2"))
    assert answer.status_code == 302
    gate.refresh_from_db()
    assert (gate.name, gate.username, gate.password) == ("Gate 2", "viewer", "Canary-7f3")


def test_a_refused_address_is_named_at_its_field(people: People, gate: Camera) -> None:
    page = (
        client_of(people.kavita).post(f"{LIST}{gate.pk}/change/", form(gate, url="http://10.0.0.1/")).content.decode()
    )
    assert "begins with rtsp://" in page


def test_the_form_names_the_picture_to_draw_on(people: People, gate: Camera) -> None:
    page = client_of(people.kavita).get(f"{LIST}{gate.pk}/change/").content.decode()
    assert 'data-picture="/api/v1/cameras/gate/snapshot.jpg"' in page
    assert "draw-camera.js" in page


def test_a_drawing_that_makes_no_sense_is_named(people: People, gate: Camera) -> None:
    page = (
        client_of(people.kavita).post(f"{LIST}{gate.pk}/change/", form(gate, zones='[{"name": "a"}]')).content.decode()
    )
    assert "needs 3 to 100 points" in page


def test_a_camera_is_added_at_the_managers_own_site_only(people: People) -> None:
    new = {**form(Camera(name="Dock", address="rtsp://192.168.1.9/x")), "slug": "dock"}
    client = client_of(people.kavita)
    client.post(f"{LIST}add/", {**new, "site": people.other_site.pk})
    assert not Camera.objects.exists()
    client.post(f"{LIST}add/", {**new, "site": people.site.pk})
    assert Camera.objects.get().site == people.site


def test_switching_off_changes_once_and_is_seen_by_the_camera_process(people: People, gate: Camera) -> None:
    before = gate.updated_at
    chosen = {"action": "switch_off", "_selected_action": [gate.pk]}
    page = client_of(people.kavita).post(LIST, chosen, follow=True).content.decode()
    gate.refresh_from_db()
    assert "Switched off: 1." in page
    assert not gate.is_enabled
    assert gate.updated_at > before


def test_trying_an_address_shows_its_picture_or_the_reason(people: People, gate: Camera) -> None:
    client = client_of(people.kavita)
    shown = client.post(f"{LIST}try/", {"url": "demo:gate"}).json()
    assert shown["ok"]
    assert shown["jpeg"]
    refused = client.post(f"{LIST}try/", {"url": "rtsp://127.0.0.1/x"}).json()
    assert (refused["ok"], refused["code"]) == (False, "network_not_allowed")


def test_trying_is_no_get(people: People) -> None:
    assert client_of(people.kavita).get(f"{LIST}try/").status_code == 405
