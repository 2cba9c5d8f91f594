"""Lists and gates in the admin: found, changed in two clicks, imported, ended, removed, kept from the wrong people."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from vehicles.models import Gate, ListChange, ListEntry, PlateFormat
from vehicles.tests.factories import OTHER, PLATE, Plant, make_plant

BLOCKED = "/admin/vehicles/blockedplate/"
TIMES = {"valid_from_0": "", "valid_from_1": "", "valid_until_0": "", "valid_until_1": ""}


@pytest.fixture
def plant(db: None, settings: Any) -> Plant:
    plant = make_plant()
    for user in (plant.people.farid, plant.people.kavita, plant.people.meena, plant.people.stranger):
        user.is_staff = True
        user.save()
    return plant


def as_(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def form(plant: Plant, **changes: Any) -> dict[str, Any]:
    given = {"plate": "mh 12 ab 1234", "site": plant.site.pk, "reason": "Theft", "severity": "critical"}
    return {**given, **TIMES, **changes}


def test_a_plate_is_blocked_and_changed_in_two_clicks(plant: Plant) -> None:
    farid = as_(plant.people.farid)
    assert farid.post(f"{BLOCKED}add/", form(plant)).status_code == 302
    entry = ListEntry.objects.get()
    assert (entry.plate, entry.list, entry.added_by) == (PLATE, "blocked", plant.people.farid)
    assert f"{BLOCKED}{entry.pk}/change/" in farid.get(BLOCKED).content.decode()
    change = {"reason": "Theft, twice", "severity": "critical", **TIMES}
    assert farid.post(f"{BLOCKED}{entry.pk}/change/", change).status_code == 302
    entry.refresh_from_db()
    assert (entry.reason, entry.plate) == ("Theft, twice", PLATE)
    seen = farid.get(f"{BLOCKED}{entry.pk}/change/").content.decode()
    assert "reason: Theft → Theft, twice" in seen
    assert farid.get(f"{BLOCKED}{entry.pk}/history/", follow=True).content.decode().count("mh 12") == 0
    assert [line.action for line in ListChange.objects.order_by("pk")] == ["added", "changed"]


@pytest.mark.parametrize("typed", ["MH 12 AB 1234", "mh-12-ab-1234", "b123", "theft"])
def test_a_plate_is_found_by_any_spelling_a_part_or_the_reason(plant: Plant, typed: str) -> None:
    plant.block(reason="Theft")
    plant.block("KA01EK0171", reason="Damage")
    found = as_(plant.people.farid).get(BLOCKED, {"q": typed}).content.decode()
    assert (f">{PLATE}<" in found, ">KA01EK0171<" in found) == (True, False)


def test_where_a_vehicle_was_last_seen_is_said_for_ones_own_sites_only(plant: Plant) -> None:
    plant.block(site=None)
    plant.read()
    assert "Gate 1" in as_(plant.people.farid).get(BLOCKED).content.decode()
    strangers = as_(plant.people.stranger).get(BLOCKED).content.decode()
    assert PLATE in strangers
    assert "Gate 1" not in strangers


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"plate": "HELLO"}, "no number plate", id="no plate"),
        pytest.param({"reason": ""}, "required", id="no reason"),
        pytest.param({"site": ""}, "required", id="everywhere"),
        pytest.param({"valid_from_0": "2030-01-02", "valid_from_1": "00:00", "valid_until_0": "2030-01-01",
                      "valid_until_1": "00:00"}, "ends before it begins", id="dates"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said_beside_the_field(plant: Plant, change: dict[str, Any], words: str) -> None:
    answer = as_(plant.people.farid).post(f"{BLOCKED}add/", form(plant, **change))
    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert not ListEntry.objects.exists()


def test_times_are_written_on_the_clock_of_the_site(plant: Plant) -> None:
    times = {"valid_until_0": "2030-01-01", "valid_until_1": "09:00"}
    as_(plant.people.farid).post(f"{BLOCKED}add/", form(plant, **times))
    entry = ListEntry.objects.get()
    assert f"{entry.valid_until:%Y-%m-%d %H:%M}" == "2030-01-01 03:30"
    assert 'value="09:00:00"' in as_(plant.people.farid).get(f"{BLOCKED}{entry.pk}/change/").content.decode()


def test_the_same_plate_twice_is_said(plant: Plant) -> None:
    plant.block()
    assert "on this list already" in as_(plant.people.farid).post(f"{BLOCKED}add/", form(plant)).content.decode()


def test_an_entry_for_everywhere_is_the_superusers(plant: Plant) -> None:
    assert as_(plant.people.root).post(f"{BLOCKED}add/", form(plant, site="")).status_code == 302
    entry = ListEntry.objects.get()
    assert entry.site is None
    farid = as_(plant.people.farid)
    assert farid.get(f"{BLOCKED}{entry.pk}/change/").status_code == 200
    assert farid.post(f"{BLOCKED}{entry.pk}/change/", {"reason": "x", "severity": "info"}).status_code == 403
    remove(farid, entry)
    assert ListEntry.objects.kept().count() == 1


def remove(client: Client, *entries: ListEntry, post: str = "yes") -> Any:
    data = {"action": "delete_selected", "_selected_action": [entry.pk for entry in entries], "post": post}
    return client.post(BLOCKED, data, follow=True)


def test_many_are_removed_after_a_question_and_stay_as_history(plant: Plant) -> None:
    entries = [plant.block(f"MH12AB10{number}{number}") for number in range(1, 5)]
    farid = as_(plant.people.farid)
    asked = remove(farid, *entries, post="")
    assert "Are you sure" in asked.content.decode()
    assert ListEntry.objects.kept().count() == 4
    remove(farid, *entries[:3])
    assert (ListEntry.objects.kept().count(), ListEntry.objects.count()) == (1, 4)
    assert ListChange.objects.filter(action="removed", by=plant.people.farid).count() == 3
    assert entries[0].plate in farid.get(BLOCKED, {"standing": "removed"}).content.decode()
    assert entries[0].plate not in farid.get(BLOCKED).content.decode()
    assert farid.post(f"{BLOCKED}{entries[0].pk}/change/", {"reason": "x"}).status_code == 403


def test_an_entry_is_ended_now(plant: Plant) -> None:
    entry = plant.block()
    as_(plant.people.farid).post(BLOCKED, {"action": "expire", "_selected_action": [entry.pk]})
    assert plant.read().decision == "block"
    entry.refresh_from_db()
    assert entry.valid_until is not None


def test_the_wrong_people_see_and_do_nothing(plant: Plant) -> None:
    entry = plant.block()
    for address in (BLOCKED, f"{BLOCKED}add/", f"{BLOCKED}import/", "/admin/vehicles/plateread/"):
        assert as_(plant.people.meena).get(address).status_code == 403
    stranger = as_(plant.people.stranger)
    assert PLATE not in stranger.get(BLOCKED).content.decode()
    assert stranger.post(f"{BLOCKED}{entry.pk}/change/", {"reason": "x"}).status_code in (302, 403)
    remove(stranger, entry)
    assert ListEntry.objects.kept().get().reason == "Theft of material"
    answer = stranger.post(f"{BLOCKED}add/", form(plant, plate=OTHER))
    assert (answer.status_code, ListEntry.objects.count()) == (200, 1)


TABLE = """plate;reason;severity;valid_until
MH 12 AB 1234;Theft;;
ka01ek171;Damage;warning;2030-12-31
HELLO;Nothing;;
MH14CT9876;;;
DL3CAB1234;=1+1;loud;
"""


def test_a_table_is_tried_before_it_is_imported(plant: Plant) -> None:
    farid = as_(plant.people.farid)
    given = {"site": plant.site.pk, "text": TABLE}
    tried = farid.post(f"{BLOCKED}import/", given).content.decode()
    assert "2 would be added" in tried
    assert all(code in tried for code in ("bad_plate", "required", "bad_choice"))
    assert not ListEntry.objects.exists()
    farid.post(f"{BLOCKED}import/", {**given, "_import": "1"})
    entries = dict(ListEntry.objects.values_list("plate", "severity"))
    assert entries == {PLATE: "critical", "KA01EK171": "warning"}
    assert f"{ListEntry.objects.get(plate='KA01EK171').valid_until:%Y-%m-%dT%H:%M}" == "2030-12-31T18:30"
    again = farid.post(
        f"{BLOCKED}import/", {**given, "text": TABLE.replace("Damage", "Damage, twice")}
    ).content.decode()
    assert "0 would be added, 1 changed, 1 are there already" in again


@pytest.mark.parametrize("name", ["plateread", "visit", "opening", "listchange"])
def test_facts_are_looked_at_and_never_changed(plant: Plant, name: str) -> None:
    plant.block()
    plant.read()
    root = as_(plant.people.root)
    assert root.get(f"/admin/vehicles/{name}/").status_code == 200
    assert root.get(f"/admin/vehicles/{name}/", {"q": PLATE}).status_code == 200
    assert root.get(f"/admin/vehicles/{name}/add/").status_code == 403


def gate_form(plant: Plant, **changes: Any) -> dict[str, Any]:
    given = {"camera": plant.entry.pk, "is_enabled": "on", "address": "http://192.168.1.50/open", "method": "POST"}
    return {**given, "login": "bearer", "secret": "Canary-7f3", "timeout_s": "2", "fresh_s": "5", **changes}


def test_a_controllers_secret_is_written_never_shown_and_stays_with_its_host(plant: Plant) -> None:
    kavita = as_(plant.people.kavita)
    assert kavita.post("/admin/vehicles/gate/add/", gate_form(plant)).status_code == 302
    gate = Gate.objects.get()
    address = f"/admin/vehicles/gate/{gate.pk}/change/"
    assert "Canary" not in kavita.get(address).content.decode()
    assert kavita.post(address, gate_form(plant, secret="", timeout_s="3")).status_code == 302
    gate.refresh_from_db()
    assert (gate.secret, gate.timeout_s) == ("Canary-7f3", 3)
    other = kavita.post(address, gate_form(plant, secret="", address="http://192.168.1.66/open"))
    assert "another host needs it anew" in other.content.decode()
    assert as_(plant.people.farid).post(address, gate_form(plant)).status_code == 403


@pytest.mark.parametrize(
    ("address", "words"),
    [
        pytest.param("http://127.0.0.1:6379/", "outside the networks", id="this machine"),
        pytest.param("http://169.254.169.254/latest", "outside the networks", id="the cloud's own"),
        pytest.param("http://8.8.8.8/open", "outside the networks", id="the Internet"),
        pytest.param("file:///etc/passwd", "is written like", id="a file"),
        pytest.param("http://user:word@192.168.1.50/", "into the secret", id="a login"),
        pytest.param("http://192.168.1.50:99999/", "makes no sense", id="a port"),
        pytest.param("http://192.168.1.50/\r\nX: y", "no blanks", id="two lines"),
    ],
)
def test_a_controller_lives_in_the_networks_for_cameras(plant: Plant, address: str, words: str) -> None:
    answer = as_(plant.people.kavita).post("/admin/vehicles/gate/add/", gate_form(plant, address=address))
    assert words in answer.content.decode()
    assert not Gate.objects.exists()


def test_a_pattern_that_can_run_away_is_refused_when_saved(plant: Plant) -> None:
    kavita, address = as_(plant.people.kavita), "/admin/vehicles/plateformat/add/"
    refused = kavita.post(address, {"site": plant.site.pk, "name": "Works", "pattern": "(W+[0-9]+)+"})
    assert "repetition" in refused.content.decode()
    assert not PlateFormat.objects.exists()
    assert kavita.post(address, {"site": plant.site.pk, "name": "Works", "pattern": "WX[0-9]{3}"}).status_code == 302
    assert "WX000" in kavita.get("/admin/vehicles/plateformat/").content.decode()
    read = plant.read("WX 123")
    assert (read.accepted, read.family, read.visit.plate) == (True, "Works", "WX123")
    assert plant.read("WX 123", camera=plant.elsewhere, event_id="there").accepted is False
    plant.block("wx-123")
    assert plant.read("WX123", track="later").decision == "block"
