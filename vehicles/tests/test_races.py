"""At the same moment: fifty reads of one vehicle, one event from two senders, two people at one read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from django.db import connections

from factoryai.alerts.models import Alert
from factoryai.bulk import Received
from factoryai.rest import Refusal
from factoryai.sites.csv_admin import run_import
from vehicles.imports import BLOCKED
from vehicles.models import Gate, ListChange, ListEntry, Opening, PlateRead, Vehicle, Visit
from vehicles.services.lists import remove_entries
from vehicles.services.review import decide_read
from vehicles.tests.factories import NOON, OTHER, PLATE, Plant, after, make_plant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def plant(settings: Any) -> Plant:
    settings.CAMERA_NETWORKS = ["127.0.0.0/8"]
    return make_plant()


def at_once(acts: Sequence[Callable[[], Any]]) -> list[str]:
    """Do all of it at the same moment; return ``done`` or the code of the refusal for each, sorted."""
    barrier, outcomes = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            act()
        except Refusal as refusal:
            outcomes.append(refusal.code)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test says it
            outcomes.append(repr(error))
        else:
            outcomes.append("done")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(outcomes)


def test_fifty_reads_at_once_are_one_visit_one_alert_and_one_opening(plant: Plant) -> None:
    plant.block()
    plant.allow(OTHER)
    Gate.objects.create(camera=plant.entry, address="http://127.0.0.1:9/open", is_enabled=True, timeout_s=0.2)
    plates = [PLATE, OTHER] * 25
    rows = [
        plant.row(plate, at=after(milliseconds=7 * number % 50), track=plate, agreeing_reads=2)
        for number, plate in enumerate(plates)
    ]
    acts = [lambda row=row: plant.send(row, now=after(seconds=1)) for row in rows]
    assert at_once(acts) == ["done"] * 50
    assert (Visit.objects.count(), Vehicle.objects.count(), Alert.objects.filter(kind="blocked_plate").count()) == (
        2,
        2,
        1,
    )
    assert (PlateRead.objects.count(), Opening.objects.count()) == (50, 1)
    assert set(Visit.objects.values_list("reads_count", flat=True)) == {25}


def test_one_event_from_two_senders_is_one_line(plant: Plant) -> None:
    rows = [plant.row(event_id="same"), plant.row("HELLO", event_id="other")]
    assert at_once([lambda: plant.send(*rows)] * 6) == ["done"] * 6
    assert (PlateRead.objects.count(), Visit.objects.get().reads_count) == (2, 1)


def test_of_two_people_at_one_read_one_decides(plant: Plant) -> None:
    plant.block()
    read = plant.read(OTHER, confidence=0.4)

    def decide(verb: str, by: Any) -> Callable[[], Any]:
        fresh = PlateRead.objects.select_related("site", "vehicle", "camera").get(pk=read.pk)
        return lambda: decide_read(read=fresh, verb=verb, by=by, at=NOON, plate=PLATE)

    both = [decide("correct", plant.people.farid), decide("discard", plant.people.kavita)]
    assert at_once(both) == ["already_decided", "done"]
    read.refresh_from_db()
    assert Alert.objects.count() == Visit.objects.count() == (1 if read.review == "corrected" else 0)


def test_a_plate_is_put_on_a_list_once(plant: Plant) -> None:
    assert at_once([lambda: plant.block()] * 4) == ["already_listed"] * 3 + ["done"]
    assert ListEntry.objects.count() == 1


def test_of_two_people_who_take_a_plate_off_at_once_the_history_names_the_one_who_did(plant: Plant) -> None:
    entry = plant.block()
    both = [plant.people.farid, plant.people.kavita]
    acts = [lambda by=by: remove_entries(entries=[entry], by=by, at=after(hours=1)) for by in both * 2]
    assert at_once(acts) == ["done"] * 4
    entry.refresh_from_db()
    line = ListChange.objects.get(action="removed")
    assert (line.by, ListChange.objects.count()) == (entry.removed_by, 2)


def test_a_table_of_plates_and_reads_of_the_same_vehicles_wait_in_no_ring(plant: Plant) -> None:
    plates = [f"MH12AB{number}" for number in range(1000, 1030)]
    plant.send(*(plant.row(plate) for plate in plates))
    table = "plate,reason\n" + "\n".join(f"{plate},Theft" for plate in reversed(plates))

    def import_table() -> None:
        run_import(BLOCKED, site=plant.site, text=table, by=plant.people.root, at=after(minutes=1), is_dry=False)

    def send(number: int) -> Received:
        rows = [plant.row(plate, at=after(seconds=number)) for plate in plates]
        return plant.send(*rows, now=after(minutes=1))

    acts: list[Callable[[], Any]] = [import_table, *(partial(send, number) for number in range(1, 5))]
    assert at_once(acts) == ["done"] * 5
    assert (Alert.objects.count(), PlateRead.objects.count()) == (30, 150)


def test_entries_that_are_erased_meanwhile_lose_no_read(plant: Plant) -> None:
    entry = plant.block()
    acts: list[Callable[[], Any]] = [lambda n=n: plant.send(plant.row(at=after(seconds=n))) for n in range(5)]
    assert at_once([*acts, lambda: ListEntry.objects.filter(pk=entry.pk).delete()]) == ["done"] * 6
    assert PlateRead.objects.count() == 5


def test_lists_of_the_same_vehicles_from_all_sides_while_one_is_blocked_wait_in_no_ring(plant: Plant) -> None:
    """Six senders in six orders, a list that changes, and people at reads: all is written, in one visit a vehicle."""
    plates = [f"MH12AB{number}" for number in range(1000, 1012)]
    for plate in plates[:4]:
        plant.read(plate, confidence=0.5)
    waiting = list(PlateRead.objects.awaiting_review().select_related("site", "vehicle", "camera"))
    acts: list[Callable[[], Any]] = []
    for sender in range(6):
        order = plates[sender * 2 :] + plates[: sender * 2]
        rows = [plant.row(plate, at=after(seconds=n), event_id=f"{sender}-{n}") for n, plate in enumerate(order)]
        acts.append(lambda rows=rows[:: (-1) ** sender]: plant.send(*rows, now=after(minutes=1)))
    acts += [lambda plate=plate: plant.block(plate, at=after(minutes=1)) for plate in plates[::5]]
    acts += [
        lambda read=read, plate=plate: decide_read(
            read=read, verb="correct", by=plant.people.farid, at=after(minutes=1), plate=plate
        )
        for read, plate in zip(waiting, reversed(plates), strict=False)
    ]
    assert at_once(acts) == ["done"] * len(acts)
    assert (PlateRead.objects.count(), Visit.objects.genuine().count()) == (6 * 12 + 4, 12)
    assert sum(Visit.objects.values_list("reads_count", flat=True)) == 6 * 12 + 4
    blocked = Alert.objects.still_open().filter(kind="blocked_plate").values_list("title", flat=True)
    assert sorted(title.split()[2] for title in blocked) == plates[::5]
