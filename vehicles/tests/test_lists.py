"""Entries of the lists, whichever way they are written: each has the key of its plate and a line of history."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.template import Context, Template

from factoryai.alerts.models import Alert
from factoryai.rest import Refusal
from vehicles.models import BlockedPlate, ListChange, ListEntry, PlateFormat
from vehicles.rules.cleaning import clean_plate
from vehicles.rules.marks import parse_mark
from vehicles.services.lists import change_entry
from vehicles.tests.factories import NOON, OTHER, PLATE, Plant, make_plant

SPELLED = "ka-01 ek 0171"
KEY = "KA-1-EK-171"


@pytest.fixture
def plant(db: None) -> Plant:
    return make_plant()


def facts(**given: Any) -> dict[str, Any]:
    return {"list": "blocked", "plate": SPELLED, "reason": "Theft", **given}


def lines() -> list[str]:
    return list(ListChange.objects.order_by("pk").values_list("action", flat=True))


@pytest.mark.parametrize("model", [ListEntry, BlockedPlate])
def test_an_entry_that_is_created_has_its_key_its_history_and_meets_its_vehicle(plant: Plant, model: Any) -> None:
    entry = model.objects.create(**facts(site=plant.site))
    assert (entry.plate, entry.match_key, lines()) == ("KA01EK0171", KEY, ["added"])
    assert plant.read("KA01EK171").level == "critical"


def test_entries_that_are_created_in_bulk_have_theirs(plant: Plant, django_assert_num_queries: Any) -> None:
    entries = [ListEntry(**facts(site=plant.site, plate=f"MH12AB{number}")) for number in range(1000, 1040)]
    with django_assert_num_queries(7):
        ListEntry.objects.bulk_create(entries)
    assert ListEntry.objects.get(match_key="MH-12-AB-1039").plate == "MH12AB1039"
    assert lines() == ["added"] * 40
    assert plant.read("MH12AB1020").level == "critical"


def test_of_a_bulk_with_no_plate_among_them_nothing_is_written(plant: Plant) -> None:
    entries = [ListEntry(**facts(site=plant.site)), ListEntry(**facts(site=plant.site, plate="HORN OK PLEASE"))]
    with pytest.raises(Refusal, match="no number plate"):
        ListEntry.objects.bulk_create(entries)
    with pytest.raises(ValueError, match="conflict"):
        ListEntry.objects.bulk_create(entries[:1], ignore_conflicts=True)
    assert not ListEntry.objects.exists()
    assert lines() == []


@pytest.mark.parametrize("plate", ["", "HORN OK PLEASE", "MH12A81234", "MMC8259", "МH12AB1234", "KA05MN|234"])
def test_what_is_no_plate_is_not_listed_by_any_verb(plant: Plant, plate: str) -> None:
    with pytest.raises(Refusal) as refused:
        ListEntry.objects.create(**facts(plate=plate, match_key="MH-12-AB-1234"))
    entry = plant.block()
    for write in (lambda: ListEntry.objects.filter(pk=entry.pk).update(plate=plate), lambda: _rename(entry, plate)):
        with pytest.raises(Refusal):
            write()
    assert refused.value.code == "bad_plate"
    assert list(ListEntry.objects.values_list("plate", "match_key")) == [(PLATE, "MH-12-AB-1234")]


def _rename(entry: ListEntry, plate: str) -> None:
    entry.plate = plate
    entry.save(update_fields=["plate"])


def test_the_key_follows_the_plate_however_it_is_changed(plant: Plant) -> None:
    entry = plant.block()
    rows = ListEntry.objects.filter(pk=entry.pk)
    assert rows.update(plate=SPELLED) == 1
    assert rows.values_list("plate", "match_key").get() == ("KA01EK0171", KEY)
    rows.update(match_key="nothing")
    assert rows.get().match_key == KEY
    _rename(entry, OTHER)
    assert (entry.match_key, rows.get().match_key) == ("MH-12-AB-9876", "MH-12-AB-9876")
    rows.update(plate=Concat(Value("KA01EK"), Value("0171")), reason=F("reason"))
    assert [plant.read(plate).level for plate in (PLATE, OTHER, "KA01EK171")] == ["", "", "critical"]
    assert lines() == ["added", "changed", "changed", "changed"]


def test_many_entries_are_changed_with_few_questions(plant: Plant, django_assert_max_num_queries: Any) -> None:
    people = plant.people
    pks = [plant.block(f"MH12AB{number}", by=people.root).pk for number in range(1000, 1010)]
    rows = ListEntry.objects.filter(pk__in=pks)
    with django_assert_max_num_queries(12):
        rows.update(site=people.other_site)
    with django_assert_max_num_queries(12):
        rows.update(removed_at=NOON, removed_by=people.farid)
    last = ListChange.objects.filter(entry_number__in=pks, action="removed")
    assert set(last.values_list("by", "site")) == {(people.farid.pk, people.other_site.pk)}


def test_no_manager_and_no_template_deletes_entries(plant: Plant) -> None:
    entry = plant.block()
    assert not hasattr(ListEntry.objects, "delete")
    assert not hasattr(plant.site.listed_plates, "delete")
    page = Template("{{ entry.delete }}{{ rows.delete }}")
    page.render(Context({"entry": entry, "rows": ListEntry.objects.all()}))
    assert ListEntry.objects.get() == entry


def test_an_entry_that_was_erased_meanwhile_does_not_come_back(plant: Plant) -> None:
    entry = plant.block()
    ListEntry.objects.all().delete()
    entry.reason = "Damage"
    with pytest.raises(DatabaseError), transaction.atomic():
        entry.save(update_fields=["reason"])
    assert not ListEntry.objects.exists()


def test_a_plate_that_is_on_the_list_already_is_not_written_a_second_time(plant: Plant) -> None:
    plant.block()
    other = plant.block(OTHER)
    with pytest.raises(IntegrityError), transaction.atomic():
        ListEntry.objects.filter(pk=other.pk).update(plate="MH 12 AB 1234")
    with pytest.raises(IntegrityError), transaction.atomic():
        ListEntry.objects.create(**facts(site=plant.site, plate="MH-12-AB-1234"))
    assert ListEntry.objects.count() == 2


def test_an_entry_outlives_the_format_of_its_plate_and_moves_only_where_it_is_a_plate(plant: Plant) -> None:
    works = PlateFormat.objects.create(site=plant.site, name="forklift", pattern="FL[0-9]{3}")
    entry = ListEntry.objects.create(**facts(site=plant.site, plate="FL-123"))
    assert entry.match_key == "FL123"
    with pytest.raises(Refusal):
        ListEntry.objects.filter(pk=entry.pk).update(site=plant.people.other_site)
    works.delete()
    entry.removed_at = NOON
    entry.save()
    assert ListEntry.objects.get().removed_at == NOON


def test_a_reason_turns_no_text_around_and_breaks_no_line(plant: Plant) -> None:
    entry = plant.block(reason=" Theft\r\nRead at 09:00\u2028by \u202eonisac\x07 क्\u200dष ")
    assert entry.reason == "Theft  Read at 09:00 by \\u202eonisac\\x07 क्\u200dष"
    change_entry(entry=entry, changes={"reason": "\u2066x\n"}, by=plant.people.root, at=NOON)
    assert ListEntry.objects.get().reason == "\\u2066x"
    plant.read()
    assert Alert.objects.get().detail.startswith("\\u2066x.\nRead at 12:00:00")


def test_an_entry_that_is_deleted_leaves_a_line(plant: Plant) -> None:
    plant.block().delete()
    assert (lines(), ListEntry.objects.count()) == (["added", "erased"], 0)


def test_the_database_takes_no_entry_without_a_key_from_anybody(plant: Plant) -> None:
    entry = plant.block()
    for statement in (
        "UPDATE vehicles_listentry SET match_key = ''",
        "INSERT INTO vehicles_listentry (list, kind, plate, match_key, reason, severity, direction, added_at) "
        "VALUES ('blocked', '', 'KA01EK0171', '', 'x', 'critical', '', '2026-03-02 06:30:00+00:00')",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert ListEntry.objects.get() == entry


@contextmanager
def without_the_constraint() -> Iterator[None]:
    """Let entries in as they could be before every one had to have a key."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # the test's transaction takes it back
            cursor.execute("ALTER TABLE vehicles_listentry DROP CONSTRAINT a_listed_plate_has_a_key")
            yield
            return
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        try:
            yield
        finally:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


@pytest.mark.parametrize(
    "plate",
    [
        "MH 12 AB 0034", "IND DL 4 C 1969", "TG 09 0001", "22 BH 0517 AA", "077 CD 01", "05 B 012345 H",
        "T 0226 MH 0012 AB", "MH 09 A 0012 TC 0001", "MH 12 TC 012", "MH VA AA 0034",
    ],
)  # fmt: skip
def test_the_migration_has_the_key_of_every_family(plate: str) -> None:
    migration = importlib.import_module("vehicles.migrations.0003_give_listed_plates_their_keys")
    mark = parse_mark(clean_plate(plate))
    assert mark
    assert migration.key_of(plate) == mark.key


def test_the_migration_gives_entries_of_before_the_keys_that_meet_their_vehicles(plant: Plant) -> None:
    migration = importlib.import_module("vehicles.migrations.0003_give_listed_plates_their_keys")
    then = MigrationLoader(connection).project_state([("vehicles", "0002_keep_what_the_list_said")]).apps
    PlateFormat.objects.create(site=plant.site, name="forklift", pattern="FL[0-9]{3}")
    with without_the_constraint():
        kept = plant.block()
        plates = {"ka 01 ek 0171": KEY, "DL-4-C-1969": "DL-4-C-1969", "FL-123": "FL123", PLATE: kept.match_key}
        for plate in plates:
            ListEntry._base_manager.bulk_create([ListEntry(**facts(site=plant.site, plate=plate, added_at=NOON))])
            migration.give_keys(then, None)
    rows = list(ListEntry.objects.exclude(pk=kept.pk).order_by("pk"))
    assert {row.plate: row.match_key for row in rows} == plates
    assert [row.removed_at is None for row in rows] == [True, True, True, False]
    assert [plant.read(plate).level for plate in plates] == ["critical"] * 4
