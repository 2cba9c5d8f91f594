"""Tickets: one camera, one person, a minute to start, no cookie."""

from datetime import UTC, datetime, timedelta

import pytest

from factoryai.rest import Refusal
from factoryai.sites.tests.factories import api_client, make_people
from streaming.models import Camera
from streaming.tickets import LIFE, Ticket, make_ticket, read_ticket

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
GATE = Ticket("gate", 7)


def test_a_ticket_names_its_camera_and_its_person():
    assert read_ticket(make_ticket(GATE, AT), AT) == GATE


def test_the_last_second_of_the_minute_still_starts():
    assert read_ticket(make_ticket(GATE, AT), AT + LIFE) == GATE


def test_a_second_later_it_has_expired():
    with pytest.raises(Refusal) as refusal:
        read_ticket(make_ticket(GATE, AT), AT + LIFE + timedelta(seconds=1))
    assert (refusal.value.code, refusal.value.status) == ("ticket_expired", 401)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"), id="signature changed"),
        pytest.param(lambda text: "x" + text, id="content changed"),
        pytest.param(lambda text: text.partition(":")[0], id="signature cut off"),
        pytest.param(lambda text: "", id="empty"),
        pytest.param(lambda text: "ü", id="not even ASCII"),
    ],
)
def test_a_ticket_that_was_touched_is_refused(spoil):
    with pytest.raises(Refusal) as refusal:
        read_ticket(spoil(make_ticket(GATE, AT)), AT)
    assert refusal.value.code == "ticket_invalid"


@pytest.fixture
def people(db):
    people = make_people()
    Camera.objects.create(site=people.site, slug="gate", name="Gate", address="rtsp://10.0.0.9/1")
    return people


URL = "/api/v1/cameras/gate/stream-ticket"


@pytest.mark.parametrize(
    ("who", "status"),
    [("farid", 200), ("kavita", 200), ("root", 200), ("meena", 404), ("gate", 404), ("asha", 404), ("stranger", 404)],
)
def test_only_who_may_watch_gets_a_ticket(people, who, status):
    answer = api_client(getattr(people, who)).post(URL)
    assert answer.status_code == status
    if status == 404:
        assert answer.json()["code"] == "camera_not_found"


def test_nobody_gets_a_ticket_without_logging_in(people):
    answer = api_client().post(URL)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_the_ticket_names_an_address_and_when_it_ends(people):
    body = api_client(people.farid).post(URL).json()
    assert "/api/video_feed?camera=gate&ticket=" in body["url"]
    assert datetime.fromisoformat(body["expires_at"]) > datetime.now(UTC)
