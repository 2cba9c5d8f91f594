"""Visits: opened by the first accepted read, kept up, closed by exit or time, and the same whatever comes first."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factoryai.alerts.models import Alert
from factoryai.alerts.services import acknowledge_alert
from vehicles.models import GatePolicy, PlateRead, Vehicle, Visit
from vehicles.rules.visits import Limits, Sight, State, Stay, fold_sight, fold_sights, state_of
from vehicles.services.lists import remove_entries
from vehicles.services.review import decide_read
from vehicles.services.visits import close_unseen, derive_visits
from vehicles.tests.factories import NOON, OTHER, PLATE, Plant, after, make_plant, observation, record

LIMITS = Limits()


@pytest.fixture
def plant(db) -> Plant:
    return make_plant()


def test_entry_and_exit_are_one_visit_with_a_dwell(plant: Plant) -> None:
    plant.read()
    plant.read(camera=plant.exit, at=after(minutes=42))
    visit = Visit.objects.get()
    assert (visit.state, visit.dwell_s, visit.entered_at, visit.reads_count) == ("left", 42 * 60, NOON, 2)


def test_a_parked_car_is_one_visit(plant: Plant) -> None:
    for minute in range(0, 120, 5):
        plant.read(at=after(minutes=minute))
    visit = Visit.objects.get()
    assert (visit.state, visit.reads_count, visit.last_seen_at) == ("open", 24, after(minutes=115))


def test_a_number_written_otherwise_is_the_same_vehicle(plant: Plant) -> None:
    plant.read("KA 01 EK 0171")
    plant.read("KA01EK171", at=after(minutes=1))
    assert (Visit.objects.count(), Vehicle.objects.get().match_key) == (1, "KA-1-EK-171")


def test_coming_again_after_a_missed_exit_begins_another_visit(plant: Plant) -> None:
    plant.read()
    plant.read(at=after(hours=3))
    assert [visit.state for visit in plant.visits()] == ["no_exit", "open"]


def test_an_exit_without_an_entry_is_a_visit_that_says_so(plant: Plant) -> None:
    plant.read(camera=plant.exit)
    plant.read(camera=plant.exit, at=after(minutes=1))
    visit = Visit.objects.get()
    assert (visit.state, visit.entered_at, visit.dwell_s, visit.direction) == ("left", None, None, "out")


def test_a_camera_that_sees_both_ways_keeps_a_visit_up(plant: Plant) -> None:
    plant.read()
    plant.read(camera=plant.yard, at=after(hours=5))
    assert Visit.objects.get().last_seen_at == after(hours=5)


def test_a_visit_without_an_exit_ends_by_time_and_a_late_exit_still_closes_it(plant: Plant) -> None:
    plant.read()
    assert close_unseen(at=after(hours=23)) == 0
    assert [close_unseen(at=after(hours=24)), close_unseen(at=after(hours=24))] == [1, 0]
    assert Visit.objects.get().state == "no_exit"
    plant.read(camera=plant.exit, at=after(hours=30))
    assert (Visit.objects.get().state, Visit.objects.get().dwell_s) == ("left", 30 * 3600)


def test_a_site_says_itself_when_a_vehicle_is_gone(plant: Plant) -> None:
    GatePolicy.objects.create(site=plant.site, gone_after_hours=2)
    plant.read()
    assert close_unseen(at=after(hours=2)) == 1


def test_a_doubtful_read_makes_no_visit_and_waits_for_a_person(plant: Plant) -> None:
    read = plant.read("MH12AB1234", confidence=0.85)
    assert (read.accepted, read.reasons, read.visit, read.review) == (False, ["low_confidence"], None, "pending")
    assert not Visit.objects.exists()


@pytest.mark.parametrize("first", ["long", "torn"])
def test_a_part_of_a_longer_read_of_the_track_does_not_count(plant: Plant, first: str) -> None:
    plates = {"long": "KA01EK1713", "torn": "KA01EK171"}
    order = [first, *({"long", "torn"} - {first})]
    for number, name in enumerate(order):
        plant.read(plates[name], at=after(seconds=number), track="t9")
    torn = PlateRead.objects.get(plate="KA01EK171")
    assert (torn.accepted, torn.counts, "torn" in torn.reasons, torn.review) == (False, False, True, "")
    assert [visit.plate for visit in Visit.objects.all()] == ["KA01EK1713"]


def test_a_better_read_of_the_track_settles_a_doubtful_one(plant: Plant) -> None:
    record(observation(plant.entry, confidence=0.5, is_final=False))
    record(observation(plant.entry, at=after(seconds=1)), now=after(seconds=1))
    assert sorted(PlateRead.objects.values_list("review", flat=True)) == ["", "superseded"]
    record(observation(plant.entry, confidence=0.4, at=after(seconds=2)), now=after(seconds=2))
    assert not PlateRead.objects.awaiting_review().exists()


def test_of_one_track_one_doubtful_read_waits(plant: Plant) -> None:
    for number in range(4):
        plant.read(confidence=0.6, at=after(seconds=number), track="t2")
    assert PlateRead.objects.awaiting_review().count() == 1


def test_what_a_read_of_the_same_track_proves_wrong_is_withdrawn(plant: Plant) -> None:
    plant.block("HR26DK8337")
    plant.read("HR260K8337", track="t3")
    plant.read(OTHER, track="t3", at=after(seconds=1))
    assert {visit.plate: visit.state for visit in Visit.objects.all()} == {"HR26DK8337": "withdrawn", OTHER: "open"}
    assert Alert.objects.get().state == "new"


COURSE = [
    ("gate-in", 0), ("gate-in", 1), ("yard", 30), ("gate-out", 60), ("gate-out", 61),
    ("gate-in", 200), ("yard", 230), ("gate-in", 400), ("gate-out", 460), ("yard", 700),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_reads_in_any_order_make_the_same_visits(plant: Plant, seed: int) -> None:
    cameras = {camera.slug: camera for camera in (plant.entry, plant.exit, plant.yard)}
    rows = [plant.row(camera=cameras[slug], at=after(minutes=minute)) for slug, minute in COURSE]
    now = after(minutes=701)
    random.Random(seed).shuffle(rows)
    for row in rows:
        plant.send(row, now=now)
    found = [visit.stay for visit in plant.visits()]
    assert found == [
        stay for stay, _ in fold_sights([Sight(r.captured_at, r.direction) for r in in_order(rows)], LIMITS)
    ]
    assert sum(visit.reads_count for visit in plant.visits()) == len(rows)
    before = list(Visit.objects.order_by("pk").values())
    derive_visits(vehicle=Vehicle.objects.get(), limits=LIMITS, at=now)
    assert list(Visit.objects.order_by("pk").values()) == before


def in_order(rows):
    return sorted(rows, key=lambda row: row.captured_at)


def join_two_visits(plant: Plant, between: Callable[[Alert, Alert], object]) -> tuple[Alert, Alert]:
    """Make two visits with an alert each, do something to the alerts, and join the visits by a read that came late."""
    plant.read()
    plant.read(at=after(minutes=20))
    first, second = Alert.objects.order_by("pk")
    between(first, second)
    plant.read(at=after(minutes=10), now=after(minutes=25))
    first.refresh_from_db()
    second.refresh_from_db()
    assert sorted(Visit.objects.values_list("state", "reads_count")) == [("open", 3), ("withdrawn", 0)]
    return first, second


def take_on(plant: Plant, alert: Alert) -> None:
    acknowledge_alert(alert=alert, by=plant.people.farid, note="Sent away", at=after(minutes=22))


def test_a_late_read_that_joins_two_visits_leaves_one_alert(plant: Plant) -> None:
    plant.block()
    first, second = join_two_visits(plant, lambda *alerts: None)
    assert (first.state, second.state, Visit.objects.get(state="open").alert) == ("new", "closed", first)
    assert f"alert {first.pk}" in second.steps.get(step="closed").note
    assert f"alert {second.pk}" in first.steps.get(step="joined").note
    plant.read(at=after(minutes=26))
    assert Alert.objects.count() == 2


@pytest.mark.parametrize("answered", [0, 1])
def test_of_two_alerts_that_become_one_the_unanswered_stays(plant: Plant, answered: int) -> None:
    plant.block()
    alerts = join_two_visits(plant, lambda *alerts: take_on(plant, alerts[answered]))
    assert (alerts[answered].state, alerts[1 - answered].state) == ("closed", "new")
    assert Visit.objects.get(state="open").alert == alerts[1 - answered]


def test_an_alert_that_was_answered_and_closed_is_not_opened_by_joining(plant: Plant) -> None:
    plant.block()
    alerts = join_two_visits(plant, lambda *alerts: [take_on(plant, alert) for alert in alerts])
    assert [alert.state for alert in alerts] == ["acknowledged", "closed"]


def test_joined_visits_are_as_certain_as_the_surer_of_them(plant: Plant) -> None:
    plant.block()
    plant.read(confidence=0.5)
    plant.read(at=after(minutes=20))
    plant.read(at=after(minutes=10), now=after(minutes=21), confidence=0.6)
    assert [alert.title.split(":")[0] for alert in Alert.objects.still_open()] == ["Blocked vehicle"]
    assert Visit.objects.get(state="open").level == "critical"


def test_watched_visits_that_become_one_keep_one_alert_too(plant: Plant) -> None:
    plant.watch()
    first, second = join_two_visits(plant, lambda *alerts: None)
    assert (first.state, second.state) == ("new", "closed")


@pytest.mark.parametrize("name", ["blocked", "watch"])
def test_a_late_exit_that_makes_two_visits_of_one_makes_two_alerts(plant: Plant, name: str) -> None:
    plant.list(name, PLATE)
    plant.read()
    plant.read(at=after(minutes=10))
    plant.read(camera=plant.exit, at=after(minutes=12))
    assert Alert.objects.count() == 1
    plant.read(camera=plant.exit, at=after(minutes=5), now=after(minutes=13))
    assert [visit.dwell_s for visit in plant.visits()] == [300, 120]
    assert len({visit.alert_id for visit in plant.visits()} - {None}) == Alert.objects.still_open().count() == 2


def test_a_visit_cut_off_of_a_vehicle_that_is_not_listed_any_more_is_no_alarm(plant: Plant) -> None:
    entry = plant.block()
    plant.read()
    plant.read(at=after(minutes=10))
    remove_entries(entries=[entry], by=plant.people.root, at=after(minutes=11))
    plant.read(camera=plant.exit, at=after(minutes=5), now=after(minutes=13))
    assert (Visit.objects.count(), Alert.objects.count()) == (2, 1)


def test_a_read_discarded_from_the_middle_of_a_visit_loses_no_alert(plant: Plant) -> None:
    plant.block()
    for minute, sure in ((0, 0.97), (10, 0.5), (20, 0.97)):
        plant.read(at=after(minutes=minute), confidence=sure)
    doubtful = PlateRead.objects.awaiting_review().get()
    decide_read(read=doubtful, verb="discard", by=plant.people.farid, at=after(minutes=21))
    assert [visit.reads_count for visit in plant.visits()] == [1, 1]
    assert len({visit.alert_id for visit in plant.visits()}) == Alert.objects.still_open().count() == 2


def test_one_alert_a_visit_whatever_comes_first(plant: Plant) -> None:
    """A blocked vehicle lives through one course in many orders: every visit ends with one open alert of its own."""
    plant.block()
    cameras = {camera.slug: camera for camera in (plant.entry, plant.exit, plant.yard)}
    for seed in range(6):
        PlateRead.objects.all().delete()
        Visit.objects.all().delete()
        Vehicle.objects.all().delete()
        Alert.objects.all().delete()
        rows = [plant.row(camera=cameras[slug], at=after(minutes=minute)) for slug, minute in COURSE]
        random.Random(seed).shuffle(rows)
        for row in rows:
            plant.send(row, now=after(minutes=701))
        visits = Visit.objects.genuine()
        assert {visit.alert_id for visit in visits} == {alert.pk for alert in Alert.objects.still_open()}, seed
        assert visits.count() == Alert.objects.still_open().count(), seed


def test_another_site_has_visits_of_its_own(plant: Plant) -> None:
    plant.read()
    plant.read(camera=plant.elsewhere)
    assert {visit.site for visit in Visit.objects.all()} == {plant.site, plant.people.other_site}


sights = st.lists(
    st.builds(
        Sight, st.integers(0, 5000).map(lambda minute: after(minutes=minute)), st.sampled_from(["", "in", "out"])
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(sights)
def test_every_read_is_in_one_visit_and_visits_follow_each_other(reads: list[Sight]) -> None:
    reads = sorted(reads, key=lambda sight: sight.at)
    folded = fold_sights(reads, LIMITS)
    assert sorted(place for _, places in folded for place in places) == list(range(len(reads)))
    for stay, places in folded:
        assert (stay.entered_at or stay.exited_at) == reads[places[0]].at or stay.entered_at is None
        assert stay.last_seen_at == reads[places[-1]].at
        assert stay.dwell is None or stay.dwell.total_seconds() >= 0


def test_state_by_the_clock() -> None:
    stay, _ = fold_sight(None, Sight(NOON, "in"), LIMITS)
    assert state_of(stay, after(hours=23.9), LIMITS, is_latest=True) is State.OPEN
    assert state_of(stay, after(hours=24), LIMITS, is_latest=True) is State.NO_EXIT
    assert state_of(stay, NOON, LIMITS, is_latest=False) is State.NO_EXIT
    assert state_of(Stay("in", NOON, NOON, NOON), NOON, LIMITS, is_latest=False) is State.LEFT
