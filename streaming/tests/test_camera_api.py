"""Cameras over the API: who may see and change which, and what an address may be."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from factoryai.sites.tests.factories import People, api_client, make_people
from streaming.models import Camera, CameraStatus
from streaming.tests.factories import make_camera
from streaming.trial import AT_ONCE, _places

pytestmark = pytest.mark.django_db

LIST = "/api/v1/cameras"


@pytest.fixture
def people() -> People:
    return make_people()


@pytest.fixture
def gate(people: People) -> Camera:
    return make_camera(people.site, "gate", username="viewer", password="Canary-7f3", roles=["gate"])


@pytest.fixture
def entrance(people: People) -> Camera:
    return make_camera(people.site, "entrance", roles=["attendance"])


def body(people: People, **changes: Any) -> dict[str, Any]:
    return {"site": people.site.slug, "slug": "dock", "name": "Dock", "url": "rtsp://u:p@192.168.1.7/x", **changes}


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("kavita", {"gate", "entrance"}),
        ("farid", {"gate", "entrance"}),
        ("meena", {"entrance"}),
        ("root", {"gate", "entrance"}),
        ("stranger", set()),
    ],
)
def test_everybody_sees_the_cameras_of_their_role_and_site(
    people: People, gate: Camera, entrance: Camera, who: str, seen: set[str]
) -> None:
    answer = api_client(getattr(people, who)).get(LIST)
    assert answer.status_code == 200
    assert {row["slug"] for row in answer.json()["results"]} == seen


@pytest.mark.parametrize(("who", "status"), [("asha", 403), ("gate", 403)])
def test_who_has_no_role_that_looks_at_cameras_is_refused(people: People, gate: Camera, who: str, status: int) -> None:
    assert api_client(getattr(people, who)).get(LIST).status_code == status


def test_nobody_is_asked_to_log_in(people: People, gate: Camera) -> None:
    for path in (LIST, f"{LIST}/gate", f"{LIST}/gate/status"):
        assert api_client().get(path).status_code == 401


@pytest.mark.parametrize("path", [f"{LIST}/gate", f"{LIST}/gate/status"])
@pytest.mark.parametrize(("who", "status"), [("farid", 200), ("stranger", 404), ("meena", 404)])
def test_a_camera_of_others_does_not_exist(people: People, gate: Camera, path: str, who: str, status: int) -> None:
    assert api_client(getattr(people, who)).get(path).status_code == status


def test_a_manager_adds_a_camera_and_its_login_is_kept_out_of_the_address(people: People) -> None:
    answer = api_client(people.kavita).post(LIST, body(people))
    assert answer.status_code == 201
    assert answer.json()["source"] == "rtsp://***:***@192.168.1.7/x"
    assert "url" not in answer.json()
    camera = Camera.objects.get(slug="dock")
    assert (camera.address, camera.username, camera.password) == ("rtsp://192.168.1.7/x", "u", "p")


@pytest.mark.parametrize(("who", "status"), [("farid", 403), ("meena", 403), ("gate", 403), ("stranger", 400)])
def test_nobody_else_adds_one(people: People, who: str, status: int) -> None:
    assert api_client(getattr(people, who)).post(LIST, body(people)).status_code == status
    assert not Camera.objects.exists()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://192.168.1.7/x", "bad_scheme"),
        ("rtsp://192.168.1.7/a b", "bad_characters"),
        ("rtsp:///x", "bad_address"),
        ("demo:moon", "unknown_scene"),
    ],
)
def test_an_address_that_is_refused_names_the_reason(people: People, url: str, code: str) -> None:
    answer = api_client(people.kavita).post(LIST, body(people, url=url))
    assert (answer.status_code, answer.json()["code"], list(answer.json()["fields"])) == (400, code, ["url"])


def test_the_stars_sent_back_keep_the_login(people: People, gate: Camera) -> None:
    client = api_client(people.kavita)
    shown = client.get(f"{LIST}/gate").json()["source"]
    assert client.patch(f"{LIST}/gate", {"url": shown, "name": "Gate 2"}).status_code == 200
    gate.refresh_from_db()
    assert (gate.name, gate.username, gate.password) == ("Gate 2", "viewer", "Canary-7f3")


def test_a_login_is_not_taken_along_to_another_host(people: People, gate: Camera) -> None:
    api_client(people.kavita).patch(f"{LIST}/gate", {"url": "rtsp://192.168.9.9/steal"})
    gate.refresh_from_db()
    assert (gate.address, gate.username, gate.password) == ("rtsp://192.168.9.9/steal", "", "")


@pytest.mark.parametrize("change", [{"slug": "other"}, {"site": "chennai"}], ids=["slug", "site"])
def test_a_camera_keeps_its_slug_and_site(people: People, gate: Camera, change: dict[str, str]) -> None:
    answer = api_client(people.root).patch(f"{LIST}/gate", change)
    assert (answer.status_code, answer.json()["code"]) == (400, "read_only")
    gate.refresh_from_db()
    assert (gate.slug, gate.site) == ("gate", people.site)


def test_a_filter_that_means_nothing_is_refused(people: People, gate: Camera) -> None:
    client = api_client(people.kavita)
    assert client.get(f"{LIST}?is_enabled=maybe").status_code == 400
    assert client.get(f"{LIST}?is_enabled=false").json()["count"] == 0


def test_security_changes_nothing(people: People, gate: Camera) -> None:
    assert api_client(people.farid).patch(f"{LIST}/gate", {"name": "x"}).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ["kitchen"]},
        {"direction": "up"},
        {"detect_fps": 99},
        {"stream_fps": 0},
        {"zones": [{"name": "a", "points": [[0, 0]]}]},
        {"privacy_masks": "all"},
        {"slug": "a b"},
        {"site": "nowhere"},
    ],
)
def test_a_value_that_makes_no_sense_is_named(people: People, changes: dict[str, Any]) -> None:
    answer = api_client(people.kavita).post(LIST, body(people, **changes))
    assert answer.status_code == 400
    assert set(changes) & {name.partition(".")[0] for name in answer.json()["fields"]}


def test_a_camera_that_nobody_works_on_is_offline_and_says_so(people: People, gate: Camera) -> None:
    state = api_client(people.farid).get(f"{LIST}/gate/status").json()
    assert (state["state"], state["viewers"], state["people"]) == ("offline", 0, 0)
    assert state["last_error"]


def test_the_status_tells_what_the_camera_process_wrote(people: People, gate: Camera) -> None:
    now = timezone.now()
    CameraStatus.objects.create(
        camera=gate, worker="w", leased_until=now, state="live", frame_at=now, updated_at=now, source_fps=25, people=3
    )
    state = api_client(people.farid).get(f"{LIST}/gate/status").json()
    assert (state["state"], state["source_fps"], state["people"], state["last_error"]) == ("live", 25.0, 3, "")
    assert state["frame_age_s"] < 5


def test_a_disabled_camera_is_disabled_whatever_the_row_says(people: People, gate: Camera) -> None:
    Camera.objects.update(is_enabled=False)
    assert api_client(people.farid).get(f"{LIST}/gate/status").json()["state"] == "disabled"


def test_the_list_takes_the_same_number_of_queries_for_any_number_of_cameras(
    people: People, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make_camera(people.site)
    with django_assert_max_num_queries(6):
        assert api_client(people.kavita).get(LIST).json()["count"] == 20


def test_trying_a_scene_answers_with_its_first_picture(people: People) -> None:
    answer = api_client(people.kavita).post(f"{LIST}/try", {"site": people.site.slug, "url": "demo:gate"})
    assert answer.status_code == 200
    assert answer.json()["ok"]
    assert answer.json()["jpeg"].startswith("/9j/")


def test_only_a_manager_tries_addresses(people: People) -> None:
    asked = {"site": people.site.slug, "url": "demo:gate"}
    assert api_client(people.farid).post(f"{LIST}/try", asked).status_code == 403
    assert api_client(people.stranger).post(f"{LIST}/try", asked).status_code == 400


def test_trying_an_address_outside_the_networks_says_so(people: People) -> None:
    asked = {"site": people.site.slug, "url": "rtsp://127.0.0.1/x"}
    assert api_client(people.kavita).post(f"{LIST}/try", asked).json()["code"] == "network_not_allowed"


def test_more_trials_than_places_are_put_off(people: People) -> None:
    asked = {"site": people.site.slug, "url": "demo:gate"}
    for _ in range(AT_ONCE):
        assert _places.acquire(blocking=False)
    try:
        answer = api_client(people.kavita).post(f"{LIST}/try", asked)
    finally:
        for _ in range(AT_ONCE):
            _places.release()
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_trials")
    assert api_client(people.kavita).post(f"{LIST}/try", asked).status_code == 200
