"""Recording what happened: exactly once, neighbours unharmed, late logs reopen their hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from factoryai.rest import Refusal
from factoryai.sites.tests.factories import make_people
from occupancy.models import Log, Zone
from occupancy.services.corrections import correct_zone
from occupancy.services.logs import NewLog, record_logs

NOON = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def hall(people):
    return Zone.objects.create(site=people.site, name="Hall")


def record(zone, *rows, source="gate"):
    return record_logs(rows=rows, zones=[zone], source=source, at=NOON)


def log(zone, event_id="1", kind="in", at=NOON, count=None):
    return NewLog(event_id, zone.pk, at, kind, count)


def raw_count(zone):
    return Zone.objects.with_counts().get(pk=zone.pk).raw_count


def test_entries_and_exits_move_the_count(hall):
    assert record(hall, log(hall, "1"), log(hall, "2"), log(hall, "3", "out")).accepted == 3
    assert raw_count(hall) == 1


def test_the_same_event_twice_is_one_log(hall):
    record(hall, log(hall))
    again = record(hall, log(hall), log(hall, "2"), log(hall, "2"))
    assert (again.accepted, again.duplicates, raw_count(hall)) == (1, 2, 2)


def test_two_sources_may_use_the_same_event_id(hall):
    record(hall, log(hall))
    assert record(hall, log(hall), source="door").accepted == 1


def test_a_zone_of_another_site_is_unknown(people, hall):
    foreign = Zone.objects.create(site=people.other_site, name="Hall")
    result = record(hall, log(foreign), log(hall))
    assert ([row[:2] for row in result.rejected], result.accepted) == ([(0, "unknown_zone")], 1)
    assert not Log.objects.filter(zone=foreign).exists()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        pytest.param({"kind": "reset"}, "bad_kind", id="a kind that devices may not send"),
        pytest.param({"kind": "count"}, "bad_count", id="a count without its value"),
        pytest.param({"count": 3}, "bad_count", id="an entry with a value"),
        pytest.param({"kind": "count", "count": -1}, "bad_count", id="fewer than nobody"),
        pytest.param({"event_id": "x" * 101}, "bad_event_id", id="an event id too long"),
        pytest.param({"at": NOON + timedelta(minutes=6)}, "in_future", id="a clock far ahead"),
        pytest.param({"at": datetime(2000, 1, 1, tzinfo=UTC)}, "too_old", id="a clock whose battery is empty"),
    ],
)
def test_a_bad_row_never_spoils_its_neighbours(hall, bad, code):
    result = record(hall, log(hall, "a"), log(hall, **bad), log(hall, "c"))
    assert [row[:2] for row in result.rejected] == [(1, code)]
    assert (result.accepted, raw_count(hall)) == (2, 2)


def test_more_than_a_thousand_rows_are_refused(hall):
    with pytest.raises(Refusal, match="1000"):
        record(hall, *[log(hall, str(n)) for n in range(1001)])


def test_a_late_log_reopens_its_hour_in_the_zone_of_the_site(hall):
    Zone.objects.update(summed_until=NOON)
    record(hall, log(hall, at=NOON - timedelta(hours=3)))
    hall.refresh_from_db()
    assert hall.summed_until == datetime(2026, 3, 2, 8, 30, tzinfo=UTC)


def test_a_log_after_the_watermark_leaves_it(hall):
    mark = NOON - timedelta(hours=1)
    Zone.objects.update(summed_until=mark)
    record(hall, log(hall))
    hall.refresh_from_db()
    assert hall.summed_until == mark


def test_a_correction_sets_the_count_and_keeps_the_drift(people, hall):
    record(hall, log(hall, "1", "out"))
    fields = {"zone": hall, "count": 4, "reason": "Counted by hand", "by": people.kavita, "event_id": "c"}
    made = correct_zone(**fields, at=NOON)
    assert (made.drift, raw_count(hall), correct_zone(**fields, at=NOON).pk) == (-5, 4, made.pk)


def test_a_correction_holds_although_a_door_has_a_clock_that_is_ahead(people, hall):
    record(hall, *[log(hall, str(n), at=NOON + timedelta(minutes=4)) for n in range(3)])
    made = correct_zone(zone=hall, count=3, reason="Counted", by=people.kavita, event_id="c", at=NOON)
    assert (made.drift, raw_count(hall)) == (0, 3)


def test_logs_far_ahead_that_a_wrong_clock_left_do_not_carry_a_correction_along(people, hall):
    late = NOON + timedelta(days=1)
    record_logs(rows=[log(hall, at=late)], zones=[hall], source="gate", at=late)
    assert correct_zone(zone=hall, count=3, reason="Counted", by=people.kavita, event_id="c", at=NOON).at == NOON


def test_a_correction_without_a_reason_is_refused(people, hall):
    with pytest.raises(Refusal, match="reason"):
        correct_zone(zone=hall, count=1, reason=" ", by=people.kavita, event_id="c", at=NOON)


def test_settings_and_steps_of_one_instant_count_in_the_order_they_came(hall):
    record(hall, log(hall, "1"), log(hall, "2", "count", count=7), log(hall, "3"), log(hall, "4", "out"))
    assert raw_count(hall) == 7
