"""Opening a gate: exact, sure, fresh and once; every call is written down, and nothing that fails opens anything."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from typing import Any

import pytest
from django.utils import timezone

from factoryai.alerts.channels import signature
from factoryai.alerts.models import Alert
from vehicles.controller import ask as call_controller
from vehicles.controller import check_address
from vehicles.models import Gate, ListEntry, Opening, PlateRead
from vehicles.services.gates import open_gate, settle_openings
from vehicles.services.lists import expire_entries, remove_entries
from vehicles.tests.controllers import controller
from vehicles.tests.factories import NOON, OTHER, PLATE, Plant, after, make_plant, observation, record


@pytest.fixture
def plant(db: None, settings: Any) -> Plant:
    settings.CAMERA_NETWORKS = ["127.0.0.0/8"]
    plant = make_plant()
    plant.allow()
    return plant


def put_gate(plant: Plant, url: str = "http://127.0.0.1:9/open", **fields: Any) -> Gate:
    given = {"camera": plant.entry, "address": url, "is_enabled": True, "timeout_s": 0.5, **fields}
    return Gate.objects.create(**given)


def pass_by(plant: Plant, count: int = 2, **how: Any) -> PlateRead:
    """Read the same plate a few times in one passage and return the last line."""
    reads = [plant.read(at=after(seconds=number), track="t", **how) for number in range(count)]
    return reads[-1]


def planned() -> Opening:
    return Opening.objects.get()


def ask(at: dt.datetime = NOON) -> Opening:
    return open_gate(pk=planned().pk, clock=lambda: at)


def test_two_agreeing_reads_of_an_allowed_plate_open_the_gate_once(plant: Plant) -> None:
    with controller() as barrier:
        put_gate(plant, barrier.url, login="bearer", secret="let me in")
        read = pass_by(plant, 5)
        opening = ask(at=after(seconds=1))
        ask(at=after(seconds=1))
    assert (read.decision, read.why) == ("open", "")
    assert (opening.outcome, opening.status, opening.direction) == ("opened", 200, "in")
    assert len(barrier.calls) == 1
    head, _, body = barrier.calls[0].partition("\r\n\r\n")
    assert head.startswith("POST /open?gate=1 HTTP/1.1")
    assert "Authorization: Bearer let me in" in head
    assert json.loads(body)["plate"] == PLATE


@pytest.mark.parametrize(
    ("how", "why"),
    [
        pytest.param({"count": 1}, "one_read", id="a single read"),
        pytest.param({"confidence": 0.85}, "", id="not sure enough"),
        pytest.param({"plate": OTHER}, "not_listed", id="not listed"),
        pytest.param({"plate": "MH12A81234"}, "", id="corrected or doubtful"),
        pytest.param({"now": after(seconds=9)}, "late", id="late"),
        pytest.param({"now": after(hours=2)}, "late", id="replayed from a file"),
        pytest.param({"now": after(seconds=-30)}, "late", id="a clock that is ahead"),
    ],
)
def test_whatever_is_not_certain_holds(plant: Plant, how: dict[str, Any], why: str) -> None:
    put_gate(plant)
    read = pass_by(plant, **how)
    assert read.decision == "hold"
    assert read.why == why or not why
    assert not Opening.objects.exists()


def test_reads_without_a_track_and_reads_far_apart_agree_with_nobody(plant: Plant) -> None:
    put_gate(plant)
    plant.send(plant.row(), plant.row(at=after(milliseconds=50)), now=after(seconds=1))
    for seconds in (0, 11):
        plant.read(at=after(minutes=1, seconds=seconds), track="slow")
    assert set(PlateRead.objects.values_list("why", flat=True)) == {"one_read"}


def test_one_picture_that_is_sent_twice_agrees_with_nobody_and_the_next_one_opens(plant: Plant) -> None:
    put_gate(plant)
    reads = [plant.read(track="t") for _ in range(3)]
    plant.send(plant.row(track="u"), plant.row(track="u"))
    assert [(read.decision, read.why, read.agreeing_reads) for read in reads] == [("hold", "one_read", 1)] * 3
    assert not Opening.objects.exists()
    assert plant.read(track="t", at=after(milliseconds=40)).decision == "open"
    assert Opening.objects.count() == 1


def test_a_block_beats_an_allowance(plant: Plant) -> None:
    put_gate(plant)
    plant.block()
    assert pass_by(plant).decision == "block"
    assert not Opening.objects.exists()


def test_the_right_direction_only(plant: Plant) -> None:
    plant.allow(OTHER, direction="out")
    put_gate(plant)
    read = pass_by(plant, plate=OTHER)
    assert (read.decision, read.why) == ("hold", "wrong_way")


def test_a_vehicle_that_comes_the_other_way_opens_no_gate_for_one_way(plant: Plant) -> None:
    put_gate(plant)
    read = pass_by(plant, direction="out")
    assert (read.decision, read.why) == ("hold", "wrong_way")
    assert not Opening.objects.exists()


def test_an_allowance_that_was_narrowed_meanwhile_opens_nothing(plant: Plant) -> None:
    put_gate(plant)
    pass_by(plant)
    ListEntry.objects.update(direction="out")
    assert ask(at=after(seconds=1)).outcome == "refused"


def test_without_a_gate_that_is_switched_on_nothing_is_asked(plant: Plant) -> None:
    put_gate(plant, is_enabled=False)
    assert pass_by(plant).decision == "open"
    assert not Opening.objects.exists()


def test_the_exit_opens_once_too_and_the_next_visit_again(plant: Plant) -> None:
    put_gate(plant)
    put_gate(plant, camera=plant.exit)
    pass_by(plant)
    for minutes in (30, 31):
        for second in range(3):
            plant.read(at=after(minutes=minutes, seconds=second), camera=plant.exit, track=f"x{minutes}")
    for second in range(2):
        plant.read(at=after(hours=3, seconds=second), track="again")
    assert list(Opening.objects.order_by("pk").values_list("direction", flat=True)) == ["in", "out", "in"]


def test_reads_that_a_camera_voted_on_open_at_once(plant: Plant) -> None:
    put_gate(plant)
    record(observation(plant.entry, agreeing_reads=1, track="a", is_final=False))
    assert not Opening.objects.exists()
    record(observation(plant.entry, agreeing_reads=2, track="a"))
    assert Opening.objects.count() == 1


@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param("500", "answers 500", id="in trouble"),
        pytest.param("401", "answers 401", id="wrong secret"),
        pytest.param("302", "answers 302", id="elsewhere"),
        pytest.param("hang", "no answer in time", id="hangs"),
        pytest.param("drip", "no answer in time", id="drips"),
        pytest.param("reset", "cannot be asked", id="breaks off"),
        pytest.param("nonsense", "cannot be asked", id="speaks nonsense"),
    ],
)
def test_a_controller_that_fails_is_said_and_not_asked_again(plant: Plant, step: str, words: str) -> None:
    with controller(step) as barrier:
        put_gate(plant, barrier.url, login="basic", secret="user:Canary-7f3")
        pass_by(plant)
        opening = ask()
        plant.read(at=after(seconds=3), track="t")
    assert (opening.outcome, len(barrier.calls), Opening.objects.count()) == ("failed", 1, 1)
    assert words in opening.detail
    assert opening.took_ms < 2000
    alert = Alert.objects.get()
    assert alert.title == "The gate at Gate 1 did not open for MH12AB1234"
    assert "Canary" not in f"{alert.detail} {opening.detail}"


def test_a_controller_that_is_away_is_said_and_one_that_is_back_closes_the_alert(plant: Plant) -> None:
    gate = put_gate(plant)
    pass_by(plant)
    assert ask().outcome == "failed"
    with controller() as barrier:
        Gate.objects.filter(pk=gate.pk).update(address=barrier.url)
        Opening.objects.update(outcome="pending")
        assert ask().outcome == "opened"
    assert Alert.objects.get().state == "closed"


def test_at_the_last_moment_the_lists_and_the_clock_are_asked_again(plant: Plant) -> None:
    def refusal(at: dt.datetime = NOON) -> str:
        Opening.objects.update(outcome="pending")
        opening = ask(at=at)
        assert opening.outcome == "refused"
        return opening.detail

    gate = put_gate(plant)
    pass_by(plant)
    assert refusal(at=after(seconds=8)) == "The read is 7.0 s old."
    blocked = plant.block()
    assert refusal() == "The plate was blocked meanwhile."
    remove_entries(entries=[blocked], by=plant.people.root, at=NOON)
    entry = plant.allow(OTHER)
    expire_entries(entries=[entry], by=plant.people.root, at=NOON)
    type(entry).objects.allowed().update(valid_until=after(seconds=-1))
    assert refusal() == "The plate is not allowed any more."
    Gate.objects.filter(pk=gate.pk).update(is_enabled=False)
    assert refusal() == "The gate does not open by itself any more."


def test_a_call_whose_process_died_is_written_off_and_not_made(plant: Plant) -> None:
    with controller() as barrier:
        put_gate(plant, barrier.url)
        pass_by(plant)
        assert [settle_openings(at=after(seconds=30)), settle_openings(at=after(minutes=2))] == [0, 1]
        assert ask().outcome == "failed"
    assert not barrier.calls


def test_an_address_that_moved_out_of_the_networks_is_not_called(plant: Plant, settings: Any) -> None:
    with controller() as barrier:
        put_gate(plant, barrier.url)
        pass_by(plant)
        settings.CAMERA_NETWORKS = ["10.0.0.0/8"]
        opening = ask()
    assert (opening.outcome, barrier.calls) == ("failed", [])
    assert "outside the networks" in opening.detail


def test_a_name_must_stand_for_allowed_addresses_only(settings: Any) -> None:
    settings.CAMERA_NETWORKS = ["10.0.0.0/8"]
    assert check_address("http://barrier/open", lambda host, port: ["10.0.0.7"]).hostname == "barrier"
    with pytest.raises(ValueError, match="outside the networks"):
        check_address("http://barrier/open", lambda host, port: ["10.0.0.7", "8.8.8.8"])


def test_a_resolver_that_hangs_takes_no_longer_than_the_call_may(plant: Plant) -> None:
    asked, over = [], threading.Event()

    def hang(host: str, port: int) -> list[str]:
        asked.append(host)
        over.wait(5)
        return ["127.0.0.1"]

    with controller() as barrier:
        gate = put_gate(plant, barrier.url.replace("127.0.0.1", "barrier"), timeout_s=0.3)
        began = time.monotonic()
        answer = call_controller(gate, {}, hang)
        assert time.monotonic() - began < 2
        over.set()
        assert (answer.is_success, asked, barrier.calls) == (False, ["barrier"], [])
        assert "no answer in time" in answer.detail
        assert call_controller(gate, {}, lambda host, port: ["127.0.0.1"]).status == 200


def test_a_slow_resolver_leaves_the_call_the_rest_of_its_time(plant: Plant) -> None:
    def slow(host: str, port: int) -> list[str]:
        time.sleep(0.4)
        return ["127.0.0.1"]

    with controller("hang") as barrier:
        answer = call_controller(put_gate(plant, barrier.url, timeout_s=0.6), {}, slow)
    assert (answer.is_success, len(barrier.calls)) == (False, 1)
    assert answer.took_ms < 1200


def test_a_forbidden_address_in_the_form_of_another_protocol_is_not_called(plant: Plant, settings: Any) -> None:
    settings.CAMERA_NETWORKS = ["::/0", "0.0.0.0/0"]
    for address in ("64:ff9b::7f00:1", "2002:7f00:1::", "64:ff9b::a9fe:a9fe"):
        with pytest.raises(ValueError, match="outside the networks"):
            check_address(f"http://[{address}]/open")


def test_a_signed_call_is_signed_over_what_it_says(plant: Plant) -> None:
    with controller() as barrier:
        put_gate(plant, barrier.url, login="signed", secret="between us")
        pass_by(plant)
        ask()
    head, _, body = barrier.calls[0].partition("\r\n\r\n")
    assert f"X-FactoryAI-Signature: {signature('between us', body.encode())}" in head


@pytest.mark.django_db(transaction=True)
def test_the_gate_is_asked_after_the_commit_without_holding_up_the_reads(settings: Any) -> None:
    settings.CAMERA_NETWORKS = ["127.0.0.0/8"]
    plant = make_plant()
    plant.allow(at=timezone.now())
    with controller("hang") as barrier:
        put_gate(plant, barrier.url, timeout_s=2)
        now = timezone.now()
        for number in range(2):
            plant.read(at=now + dt.timedelta(milliseconds=number), now=now, track="t")
        assert planned().outcome == "pending"
        for _ in range(100):
            if planned().outcome != "pending":
                break
            time.sleep(0.05)
    assert planned().outcome == "failed"
    assert len(barrier.calls) == 1
