"""The pages for security: who sees what, what each button does, and that hostile text does nothing."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from factoryai.alerts.models import Alert
from vehicles.models import Opening, PlateRead, Visit
from vehicles.tests.factories import OTHER, PLATE, Plant, after, make_plant, observation, record

HOSTILE = [
    "<script>alert(1)</script>", "=cmd|'/C calc'!A0", "@SUM(A1)", "+1+1", "-1", "a\r\nb", "MH12\u202eAB1234",
    "\t=1", "'\"><img src=x onerror=alert(1)>", "Z" * 65_536,
]  # fmt: skip


@pytest.fixture
def plant(db: None) -> Plant:
    return make_plant()


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: Any, address: str) -> str:
    answer = as_(user).get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


PAGES = ["/vehicles/", "/vehicles/log.csv", "/vehicles/visits/", "/vehicles/review"]


@pytest.mark.parametrize("address", PAGES)
def test_the_pages_are_for_security_and_managers(plant: Plant, address: str) -> None:
    people = plant.people
    assert Client().get(address).url == f"/login?next={address}"
    refused = [as_(user).get(address).status_code for user in (people.asha, people.meena, people.gate)]
    assert refused == [403, 403, 403]
    assert [as_(user).get(address).status_code for user in (people.farid, people.kavita, people.root)] == [200] * 3


def test_the_log_shows_reads_of_ones_own_site_with_their_verdict(plant: Plant) -> None:
    plant.read()
    plant.read("HELLO", at=after(seconds=5))
    plant.read(OTHER, camera=plant.elsewhere)
    seen = page(plant.people.farid, "/vehicles/")
    assert PLATE in seen
    assert "not the form of a plate" in seen
    assert "not on the allowed list" in seen
    assert OTHER not in seen
    assert OTHER in page(plant.people.stranger, "/vehicles/")


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        pytest.param("plate=mh-12 ab 1234", True, id="any spelling"),
        pytest.param("plate=b123", True, id="a part"),
        pytest.param("plate=KA01", False, id="another"),
        pytest.param("plate=%3Cscript%3E", False, id="markup"),
        pytest.param("verdict=valid&decision=hold&camera=gate-in", True, id="all of it"),
        pytest.param("verdict=invalid", False, id="another verdict"),
        pytest.param("camera=gate-out", False, id="another camera"),
        pytest.param("since=2026-03-02&until=2026-03-02", True, id="its day"),
        pytest.param("since=2026-03-03", False, id="a later day"),
        pytest.param("since=9999-12-31&until=0001-01-01&page=0&verdict=x", True, id="nonsense"),
    ],
)
def test_the_log_is_filtered(plant: Plant, query: str, is_there: bool) -> None:
    plant.read()
    assert (f'<span class="plate">{PLATE}</span>' in page(plant.people.farid, f"/vehicles/?{query}")) is is_there


def test_a_refresh_brings_the_table_alone(plant: Plant) -> None:
    plant.read()
    answer = as_(plant.people.farid).get("/vehicles/", headers={"HX-Request": "true"})
    assert PLATE in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_the_log_goes_on_in_pages(plant: Plant) -> None:
    plant.send(*[plant.row(at=after(seconds=number)) for number in range(55)], now=after(minutes=1))
    first = page(plant.people.farid, "/vehicles/")
    assert "?page=2" in first
    assert page(plant.people.farid, "/vehicles/?page=2").count('<span class="plate">') == 5
    assert page(plant.people.farid, "/vehicles/?page=99999999999")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_does_nothing_in_pages_and_tables(plant: Plant, text: str) -> None:
    plant.read(text, event_id="h")
    record(observation(plant.entry, "MH12AB12", raw=text, confidence=0.2))
    for address in ("/vehicles/", "/vehicles/review?kind=other", "/vehicles/review"):
        seen = page(plant.people.farid, address)
        assert "<script>alert" not in seen
        assert "<img src=x" not in seen
        assert "\u202e" not in seen
        assert len(seen) < 60_000
    exported = as_(plant.people.farid).get("/vehicles/log.csv").content.decode()
    rows = list(csv.reader(io.StringIO(exported.lstrip("\ufeff"))))
    assert len(rows) == 3
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_a_visit_tells_its_story_and_its_alarm_rings_until_it_is_taken_on(plant: Plant) -> None:
    plant.block(reason="Theft <b>")
    plant.read()
    visit, alert = Visit.objects.get(), Alert.objects.get()
    address = reverse("visit", args=[visit.pk])
    seen = page(plant.people.farid, address)
    assert 'role="alert"' in seen
    assert "Theft &lt;b&gt;" in seen
    assert 'role="alert"' in page(plant.people.farid, "/vehicles/")
    assert address in page(plant.people.farid, f"/alerts/{alert.pk}/")
    assert as_(plant.people.stranger).get(address).status_code == 404
    as_(plant.people.farid).post(f"/alerts/{alert.pk}/acknowledge", {"note": "Sent away"})
    assert 'role="alert"' not in page(plant.people.farid, "/vehicles/")
    fragment = as_(plant.people.farid).get(address, headers={"HX-Request": "true"}).content.decode()
    assert "Sent away" in fragment
    assert "<html" not in fragment


def decide(plant: Plant, read: PlateRead, verb: str, user: Any = None, **fields: str) -> str:
    answer = as_(user or plant.people.farid).post(
        f"/vehicles/review/{read.pk}/decide", {"verb": verb, **fields}, follow=True
    )
    return answer.content.decode() if answer.status_code == 200 else str(answer.status_code)


def test_a_doubtful_read_is_accepted_and_makes_its_visit(plant: Plant) -> None:
    read = plant.read(confidence=0.7)
    assert f"Accept {PLATE}" in page(plant.people.farid, "/vehicles/review")
    assert f"Accepted: {PLATE}." in decide(plant, read, "accept")
    visit = Visit.objects.get()
    assert (visit.plate, visit.entered_at, visit.is_certain) == (PLATE, read.captured_at, True)
    assert "Somebody has decided this already." in decide(plant, read, "discard", user=plant.people.kavita)
    read.refresh_from_db()
    assert (read.review, read.reviewed_by) == ("accepted", plant.people.farid)


def test_a_correction_alarms_for_a_blocked_plate_and_opens_nothing(plant: Plant) -> None:
    plant.block()
    plant.allow(OTHER)
    blocked = plant.read("MH12AB7234", track="a", confidence=0.3)
    allowed = plant.read("MH12AB9878", track="b", confidence=0.3)
    assert "is blocked. The alarm was raised." in decide(plant, blocked, "correct", plate="mh12 ab 1234")
    assert f"Corrected: {OTHER}." in decide(plant, allowed, "correct", plate=OTHER)
    assert Alert.objects.get().title == "Blocked vehicle: MH12AB1234 at Gate 1"
    assert set(Visit.objects.values_list("plate", flat=True)) == {PLATE, OTHER}
    assert not Opening.objects.exists()
    assert set(PlateRead.objects.values_list("decision", flat=True)) == {"hold"}


def test_a_correction_to_no_plate_is_refused_and_the_read_goes_on_waiting(plant: Plant) -> None:
    read = plant.read("MH12AB7234", confidence=0.3)
    assert "This is no plate." in decide(plant, read, "correct", plate="<b>")
    assert "Choose one" in decide(plant, plant.read("HR260K8337"), "accept")
    assert PlateRead.objects.awaiting_review().count() == 2
    assert decide(plant, read, "shout") == "404"
    assert decide(plant, read, "discard", user=plant.people.stranger) == "404"
    assert "Discarded." in decide(plant, read, "discard")
    assert PlateRead.objects.awaiting_review().count() == 1


def test_a_mistaken_alarm_is_withdrawn_by_its_correction(plant: Plant) -> None:
    plant.block("HR26DK8337")
    read = plant.read("HR260K8337")
    assert (read.level, Visit.objects.get().state) == ("critical-probable", "open")
    assert "Corrected: HR26QK8337." in decide(plant, read, "correct", plate="HR26QK8337")
    read.refresh_from_db()
    assert (read.visit.plate, Visit.objects.get(plate="HR26DK8337").state) == ("HR26QK8337", "withdrawn")
    assert Alert.objects.get().state == "new"


def test_alarms_come_first_in_the_review(plant: Plant) -> None:
    plant.block("HR26DK8337")
    plant.read("HR260K8337", track="a")
    plant.read(confidence=0.6, at=after(minutes=5), track="b")
    seen = page(plant.people.farid, "/vehicles/review")
    assert "HR260K8337" in seen
    assert "Probably a blocked vehicle" in seen


def test_vehicles_inside_are_listed_with_their_state(plant: Plant) -> None:
    plant.read()
    plant.read(OTHER)
    plant.read(OTHER, camera=plant.exit, at=after(minutes=5))
    inside = page(plant.people.farid, "/vehicles/visits/")
    assert PLATE in inside
    assert OTHER not in inside
    everything = page(plant.people.farid, "/vehicles/visits/?state=all&plate=mh12ab")
    assert "5 min" in everything
    assert page(plant.people.farid, "/vehicles/visits/?state=nonsense&page=x")


def test_the_link_in_the_header_is_for_those_who_may(plant: Plant) -> None:
    assert ">Gate</a>" in page(plant.people.farid, "/occupancy/")
    assert ">Gate</a>" not in page(plant.people.meena, "/occupancy/")
