"""Lists and alarms: fuzzy toward alarm, exact toward opening, once a visit, and in force from the commit on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from factoryai.alerts.models import Alert, Channel, Delivery, Event
from factoryai.alerts.services import acknowledge_alert, close_alert, escalate_alerts
from factoryai.jobs.schedule import SCHEDULE
from factoryai.rest import Refusal
from identity.models import Snapshot
from identity.services.purge import purge_snapshots
from vehicles import tasks
from vehicles.models import GatePolicy, ListChange, ListEntry, PlateRead, Visit
from vehicles.services.alarms import alarm_inside
from vehicles.services.lists import add_entry, change_entry, expire_entries, find_listed, remove_entries
from vehicles.tests.factories import NOON, OTHER, PLATE, Plant, after, make_plant, observation, record

JPEG = "/9j/4AAQSkZJRgABAQAAAQABAAD/2Q=="


@pytest.fixture
def plant(db: None) -> Plant:
    return make_plant()


def test_a_blocked_vehicle_is_an_alert_of_its_visit(plant: Plant) -> None:
    Channel.objects.create(site=plant.site, name="Guard room", kind="webhook", target="http://192.168.1.9/")
    entry = plant.block(reason="Theft of copper")
    read = plant.read()
    alert, visit = Alert.objects.get(), Visit.objects.get()
    assert (read.decision, read.level, read.listed["entry"]) == ("block", "critical", entry.pk)
    assert (alert.severity, alert.state, alert.title) == ("critical", "new", "Blocked vehicle: MH12AB1234 at Gate 1")
    assert alert.detail.startswith("Theft of copper.\nRead at 12:00:00 on 02 Mar 2026")
    assert (visit.alert, visit.level, visit.alerted_at) == (alert, "critical", NOON)
    assert Delivery.objects.get().occasion == "raised"
    assert set(Event.objects.values_list("kind", flat=True)) >= {"alert", "visit"}


def test_a_car_that_stands_there_alarms_once_even_when_its_alert_was_closed(plant: Plant) -> None:
    plant.block()
    for second in range(0, 600, 20):
        plant.read(at=after(seconds=second))
    alert = Alert.objects.get()
    assert alert.times_raised == 1
    close_alert(site=plant.site, key=alert.key, at=after(minutes=10))
    plant.read(at=after(minutes=11))
    assert (Alert.objects.count(), Visit.objects.get().reads_count) == (1, 31)


def test_two_blocked_cars_within_a_second_are_two_alerts(plant: Plant) -> None:
    plant.block()
    plant.block(OTHER)
    plant.send(plant.row(), plant.row(OTHER, at=after(seconds=1)), now=after(seconds=1))
    assert Alert.objects.count() == 2


def test_the_next_visit_alarms_again(plant: Plant) -> None:
    plant.block()
    plant.read()
    plant.read(camera=plant.exit, at=after(minutes=5))
    plant.read(at=after(minutes=30))
    assert (Visit.objects.count(), Alert.objects.count()) == (2, 2)


def test_a_plate_blocked_while_it_is_inside_alarms_at_once_and_only_once(plant: Plant) -> None:
    plant.read()
    plant.read(camera=plant.elsewhere)
    plant.block(at=after(minutes=4))
    alert = Alert.objects.get()
    assert (alert.title, alert.raised_at) == ("Blocked vehicle: MH12AB1234 at Gate 1", after(minutes=4))
    assert "It was inside when it was listed. Read at 12:00:00" in alert.detail
    plant.read(camera=plant.exit, at=after(minutes=5))
    assert (Alert.objects.count(), Visit.objects.for_site(plant.site).count()) == (1, 1)


def test_a_vehicle_that_left_or_is_blocked_from_tomorrow_on_is_no_alarm_yet(plant: Plant) -> None:
    plant.read()
    entry = plant.block(at=after(minutes=1), valid_from=after(days=1))
    plant.read(OTHER)
    plant.read(OTHER, camera=plant.exit, at=after(minutes=1))
    plant.block(OTHER, at=after(minutes=2))
    assert not Alert.objects.exists()
    change_entry(entry=entry, changes={"valid_from": None}, by=plant.people.farid, at=after(minutes=3))
    assert Alert.objects.get().title.startswith("Blocked vehicle: MH12AB1234")


WAYS: dict[str, Callable[[Plant], Any]] = {
    "service": lambda plant: plant.block(at=after(minutes=4)),
    "create": lambda plant: ListEntry.objects.create(site=plant.site, list="blocked", plate=PLATE, reason="x"),
    "everywhere": lambda plant: ListEntry.objects.create(list="blocked", plate=PLATE, reason="x"),
    "bulk_create": lambda plant: ListEntry.objects.bulk_create(
        [ListEntry(site=plant.site, list="blocked", plate=plate, reason="x") for plate in (OTHER, "mh 12 ab 1234")]
    ),
    "update": lambda plant: ListEntry.objects.filter(pk=plant.allow().pk).update(list="blocked"),
    "update of the plate": lambda plant: ListEntry.objects.filter(pk=plant.block(OTHER).pk).update(plate=PLATE),
    "update of the site": lambda plant: ListEntry.objects.filter(
        pk=plant.block(site=plant.people.other_site).pk
    ).update(site=plant.site),
    "bulk_update": lambda plant: _bulk_update(plant.block(valid_from=after(days=9000))),
    "save": lambda plant: _save(plant.block(OTHER), plate="MH-12-AB-1234"),
    "put back": lambda plant: _save(_removed(plant), removed_at=None),
}


def _bulk_update(entry: ListEntry) -> None:
    entry.valid_from = None
    ListEntry.objects.bulk_update([entry], ["valid_from"])


def _save(entry: ListEntry, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(entry, name, value)
    entry.save()


def _removed(plant: Plant) -> ListEntry:
    """Return an entry that is removed although the vehicle came in only afterwards."""
    entry = ListEntry.objects.create(site=plant.site, list="blocked", plate=PLATE, reason="x", removed_at=NOON)
    assert not Alert.objects.exists()
    return entry


@pytest.mark.parametrize("way", WAYS)
def test_a_vehicle_inside_alarms_in_the_transaction_that_blocks_it_whichever_way(plant: Plant, way: str) -> None:
    plant.read()
    plant.read("KA05MJ7026")
    WAYS[way](plant)
    assert Alert.objects.get().title == "Blocked vehicle: MH12AB1234 at Gate 1"
    assert Visit.objects.get(plate=PLATE).alert == Alert.objects.get()
    assert plant.read(at=after(minutes=5)).level == "critical"
    assert Alert.objects.count() == 1


def _block_by_program(plant: Plant, **dates: Any) -> None:
    """Block the plate as another program does, past everything of ours."""
    facts = {"plate": PLATE, "match_key": "MH-12-AB-1234", "reason": "x", "added_at": NOON, **dates}
    ListEntry._base_manager.bulk_create([ListEntry(site=plant.site, list="blocked", **facts)])


def test_a_plate_that_another_program_blocks_alarms_at_the_next_look(plant: Plant) -> None:
    plant.read()
    plant.read(camera=plant.elsewhere)
    plant.read(OTHER)
    assert alarm_inside(at=after(minutes=1)) == 0
    _block_by_program(plant)
    assert [alarm_inside(at=after(minutes=1)) for _ in range(2)] == [1, 0]
    alert = Alert.objects.get()
    assert (alert.title, alert.site) == ("Blocked vehicle: MH12AB1234 at Gate 1", plant.site)
    assert "It was inside when it was listed." in alert.detail


def test_a_plate_that_another_program_blocks_alarms_at_its_next_read_at_the_latest(plant: Plant) -> None:
    plant.read()
    _block_by_program(plant)
    plant.read(camera=plant.exit, at=after(minutes=5))
    assert Alert.objects.get().title == "Blocked vehicle: MH12AB1234 at Gate 2"


def test_an_entry_that_begins_while_its_vehicle_is_inside_alarms_then(plant: Plant) -> None:
    plant.read()
    plant.block(valid_from=after(minutes=30), valid_until=after(minutes=40))
    looks = [alarm_inside(at=after(minutes=minute)) for minute in (29, 30, 31)]
    assert (looks, Alert.objects.get().raised_at) == ([0, 1, 0], after(minutes=30))


def test_one_look_at_all_that_are_inside_is_one_query_and_tells_of_a_watched_one_once(
    plant: Plant, django_assert_num_queries: Any
) -> None:
    for number in range(5):
        plant.read(f"MH12AB{1000 + number}")
    plant.watch("MH12AB1003")
    assert Alert.objects.get().title.startswith("Watched vehicle: MH12AB1003")
    with django_assert_num_queries(1):
        assert alarm_inside(at=after(minutes=1)) == 0


def test_the_job_looks_every_ten_seconds(plant: Plant) -> None:
    entry = next(entry for entry in SCHEDULE if entry.task == "vehicles.alarm_inside")
    assert str(entry.when) == "every 10 s"
    plant.read()
    _block_by_program(plant)
    assert tasks.alarm_inside() == {"alarmed": 1}


@pytest.mark.parametrize("severities", [("info", "critical"), ("critical", "info")])
def test_of_two_entries_the_gravest_decides(plant: Plant, severities: tuple[str, str]) -> None:
    for site, severity in zip((plant.site, None), severities, strict=True):
        plant.block(site=site, severity=severity)
    plant.read()
    assert Alert.objects.get().severity == "critical"


def test_what_becomes_known_of_an_alarm_afterwards_stands_in_its_history(plant: Plant) -> None:
    plant.block()
    plant.block("KA01EK0171")
    plant.read(confidence=0.6, track="a")
    plant.read(at=after(seconds=1), track="a")
    plant.read("KA01EK0171", confidence=0.6, track="b")
    plant.read(OTHER, at=after(seconds=1), track="b")
    steps = {alert.title[-23:-13]: [step.step for step in alert.steps.all()] for alert in Alert.objects.all()}
    assert list(steps.values()) == [["raised", "withdrawn"], ["raised", "certain"]], steps
    assert {alert.state for alert in Alert.objects.all()} == {"new"}


@pytest.mark.parametrize("plate", ["DL1ZA1234", "GJ1ZA1234", "MH12AB123", "WB1A234", "20BH1234AA"])
def test_a_plate_that_a_camera_must_doubt_can_be_listed_by_a_person_and_is_met(plant: Plant, plate: str) -> None:
    assert plant.block(plate).plate == plate
    read = plant.read(plate)
    assert (read.accepted, read.level, read.decision) == (False, "critical-probable", "block")


def test_a_misspelt_plate_is_not_listed(plant: Plant) -> None:
    with pytest.raises(Refusal, match="Is MH12AB1234 meant"):
        plant.block("MH12A81234")


def test_a_strict_gate_meets_blocked_vehicles_of_every_family(plant: Plant) -> None:
    GatePolicy.objects.create(site=plant.site, profile="strict")
    plant.block("21BH2345AA", site=None)
    plant.block()
    levels = [plant.read(plate).level for plate in ("21BH2345AA", "MH12A81234", "MH12AB1235")]
    assert levels == ["critical-probable", "critical-probable", ""]


@pytest.mark.parametrize(
    ("listed", "read", "confidence", "level"),
    [
        pytest.param("HR26DK8337", "HR260K8337", 0.97, "critical-probable", id="one candidate"),
        pytest.param(PLATE, PLATE, 0.5, "critical-probable", id="not read with certainty"),
        pytest.param("KA01EK0171", "KA 01 EK 171", 0.97, "critical", id="another spelling"),
        pytest.param(PLATE, "MH12AB1235", 0.97, "", id="another number"),
    ],
)
def test_how_sure_an_alarm_is(plant: Plant, listed: str, read: str, confidence: float, level: str) -> None:
    plant.block(listed)
    line = plant.read(read, confidence=confidence)
    assert (line.level, line.decision) == (level, "block" if level else "hold")
    titles = {"critical": "Blocked vehicle", "critical-probable": "Probably a blocked vehicle"}
    assert [alert.title.split(":")[0] for alert in Alert.objects.all()] == ([titles[level]] if level else [])


def test_a_probable_alarm_that_becomes_certain_rings_once(plant: Plant) -> None:
    plant.block()
    plant.read(confidence=0.5)
    plant.read(at=after(seconds=2))
    assert (Alert.objects.count(), Visit.objects.get().level) == (1, "critical")
    assert Visit.objects.get().is_certain


def test_what_the_reader_thinks_likely_alarms_and_what_it_hardly_thinks_does_not(plant: Plant) -> None:
    plant.block()
    record(observation(plant.entry, OTHER, confidence=0.4, track="a", candidates=[[OTHER, 0.6], [PLATE, 0.3]]))
    assert PlateRead.objects.get().level == "critical-probable"
    record(observation(plant.entry, "MH12AB9877", confidence=0.4, track="b", candidates=[[PLATE, 0.05]]))
    record(observation(plant.entry, "MH12AB9878", track="c", candidates=[[PLATE, 0.3]]))
    assert Alert.objects.count() == 1


def test_a_watched_vehicle_is_a_lesser_alert(plant: Plant) -> None:
    plant.watch(reason="Tell the manager")
    plant.read()
    plant.read(at=after(minutes=1))
    alert = Alert.objects.get()
    assert (alert.severity, alert.title) == ("warning", "Watched vehicle: MH12AB1234 at Gate 1")


def test_an_unanswered_alarm_escalates_and_an_answered_one_does_not(plant: Plant) -> None:
    plant.block()
    plant.read()
    assert escalate_alerts(at=after(minutes=3)) == 1
    acknowledge_alert(alert=Alert.objects.get(), by=plant.people.farid, note="Sent away", at=after(minutes=4))
    assert escalate_alerts(at=after(minutes=30)) == 0


def test_an_alarm_of_a_late_read_is_raised_and_says_when_it_was(plant: Plant) -> None:
    plant.block()
    plant.read(now=after(hours=2))
    assert "12:00:00" in Alert.objects.get().detail
    assert Alert.objects.get().raised_at == after(hours=2)


def test_the_picture_of_an_alarm_or_a_review_is_not_purged(plant: Plant) -> None:
    plant.block()
    record(observation(plant.entry, picture=JPEG, track="a"))
    record(observation(plant.entry, OTHER, picture=JPEG, track="b", confidence=0.2))
    record(observation(plant.entry, "MH12AB5555", picture=JPEG, track="c"))
    report = purge_snapshots(at=NOON + dt.timedelta(days=91), accepts_clock=True)
    assert (report.deleted, report.held) == (1, 2)
    assert Snapshot.objects.filter(state="stored", kind="plate").count() == 2


# In force from the commit on


def blocks(plant: Plant, at: dt.datetime = NOON) -> bool:
    """Whether a fresh read is blocked at this moment."""
    return plant.read("MH12AB1234", at=at, track="").decision == "block"


def test_every_way_of_changing_a_list_is_in_force_at_the_next_read(plant: Plant) -> None:
    entry = plant.block()
    assert blocks(plant)
    ListEntry.objects.filter(pk=entry.pk).update(valid_until=after(minutes=1))
    assert [blocks(plant), blocks(plant, at=after(minutes=1))] == [True, False]
    ListEntry.objects.filter(pk=entry.pk).update(valid_until=None)
    assert blocks(plant, at=after(minutes=2))
    ListEntry.objects.all().delete()
    assert not blocks(plant, at=after(minutes=3))
    second = plant.block()
    assert blocks(plant, at=after(minutes=4))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM vehicles_listentry")
    assert not blocks(plant, at=after(minutes=5))
    third = plant.block()
    remove_entries(entries=[third], by=plant.people.root, at=NOON)
    assert not blocks(plant, at=after(minutes=6))
    assert second.pk != third.pk


def test_every_change_leaves_a_line_whoever_made_it(plant: Plant) -> None:
    entry = plant.block()
    change_entry(entry=entry, changes={"reason": "Damage"}, by=plant.people.farid, at=NOON)
    ListEntry.objects.update(severity="info")
    expire_entries(entries=[entry], by=plant.people.kavita, at=after(hours=1))
    remove_entries(entries=[entry], by=plant.people.root, at=NOON)
    ListEntry.objects.all().delete()
    lines = ListChange.objects.order_by("pk")
    assert [line.action for line in lines] == ["added", "changed", "changed", "changed", "removed", "erased"]
    assert [str(line.by) for line in lines][:2] == ["root", "farid"]
    assert lines[1].what == "reason: Theft of material → Damage"


def test_dates_hold_from_the_first_moment_to_before_the_last(plant: Plant) -> None:
    plant.block(valid_from=after(minutes=10), valid_until=after(minutes=20))
    moments = [after(minutes=10, seconds=-1), after(minutes=10), after(minutes=20, seconds=-1), after(minutes=20)]
    assert [blocks(plant, at=at) for at in moments] == [False, True, True, False]


def test_a_block_everywhere_holds_at_every_site_and_one_of_a_site_only_there(plant: Plant) -> None:
    plant.block(site=None)
    plant.block(OTHER)
    assert plant.read(camera=plant.elsewhere).decision == "block"
    assert plant.read(OTHER, camera=plant.elsewhere).decision == "hold"
    assert {alert.site for alert in Alert.objects.all()} == {plant.people.other_site}


def test_one_look_finds_the_entries_of_many_plates(plant: Plant, django_assert_num_queries: Any) -> None:
    plant.block()
    with django_assert_num_queries(1):
        found = find_listed(["MH-12-AB-1234", *(f"x{number}" for number in range(500))], [plant.site.pk])
    assert [entry.plate for entry in found["blocked"]["MH-12-AB-1234"]] == [PLATE]


def test_a_site_that_is_strict_takes_no_other_family(plant: Plant) -> None:
    GatePolicy.objects.create(site=plant.site, profile="strict")
    assert plant.read("21BH2345AA").accepted is False
    assert plant.read("XX12AB1234").accepted is True
    with pytest.raises(Refusal, match="no number plate"):
        add_entry(list_name="blocked", plate="21BH2345AA", reason="x", by=plant.people.root, at=NOON, site=plant.site)
