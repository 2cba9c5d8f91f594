"""The drift reset: once a night, in its window, in the zone of the site; late ones ask a person."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from factoryai.alerts.models import Alert
from factoryai.rest import Refusal
from factoryai.sites.tests.factories import make_people
from occupancy.models import Zone
from occupancy.rules.sums import Kind
from occupancy.services.corrections import correct_zone
from occupancy.services.logs import NewLog, record_logs
from occupancy.services.resets import reset_by_hand, reset_zones
from occupancy.services.sums import sum_hours
from occupancy.services.zones import save_zone

pytestmark = pytest.mark.django_db
KOLKATA, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def night(hour, minute=0, day=3, zone=KOLKATA):
    return datetime(2026, 3, day, hour, minute, tzinfo=zone).astimezone(UTC)


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def hall(people):
    """A zone that was reset the night before and has counted two people too many."""
    zone = Zone.objects.create(site=people.site, name="Hall", last_reset_date=date(2026, 3, 2))
    rows = [NewLog(str(n), zone.pk, night(20, n, day=2), "in") for n in range(2)]
    record_logs(rows=rows, zones=[zone], source="gate", at=night(20, 10, day=2))
    return zone


def run(at, people_on_shift=None):
    return reset_zones(at=at, people_on_shift=people_on_shift)


def raw_count(zone):
    return Zone.objects.with_counts().get(pk=zone.pk).raw_count


def test_the_reset_leaves_a_row_with_the_drift_and_deletes_nothing(hall):
    assert run(night(3)) == {"reset": 1, "asked": 0}
    row = hall.logs.get(kind=Kind.RESET)
    assert (row.drift, row.count, row.event_id, hall.logs.count()) == (2, 0, "reset:2026-03-03", 3)
    assert raw_count(hall) == 0


def test_a_second_run_of_the_night_changes_nothing(hall):
    run(night(3))
    assert [run(night(3, minutes)) for minutes in (0, 5, 59)] == [{"reset": 0, "asked": 0}] * 3
    assert hall.logs.filter(kind=Kind.RESET).count() == 1


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        pytest.param(night(2, 29), (0, 0), id="before the window"),
        pytest.param(night(2, 59), (0, 0), id="in the window and not yet due"),
        pytest.param(night(3, 5), (1, 0), id="beat came back five minutes late"),
        pytest.param(night(4), (1, 0), id="the last moment of the window"),
        pytest.param(night(4, 0) + timedelta(seconds=1), (0, 1), id="a second too late"),
        pytest.param(night(4, 30), (0, 1), id="beat came back at half past four"),
        pytest.param(night(15), (0, 1), id="beat came back in the afternoon"),
        pytest.param(night(1, 0, day=4), (0, 1), id="beat came back at one the next night"),
    ],
)
def test_beat_that_was_down_over_three_never_resets_at_a_wrong_time(hall, at, expected):
    done = run(at)
    assert (done["reset"], done["asked"], raw_count(hall)) == (*expected, 0 if expected[0] else 2)


def test_a_late_reset_asks_once_and_says_what_to_do(hall):
    run(night(4, 30))
    run(night(4, 35))
    alert = Alert.objects.get()
    assert (alert.kind, alert.times_raised, alert.is_open) == ("drift_reset", 1, True)
    assert "correct the number" in alert.detail


def test_a_person_answers_by_running_it_and_the_question_closes(people, hall):
    run(night(4, 30))
    fields = {"zone": hall, "business_date": date(2026, 3, 3), "people_on_shift": None, "by": people.kavita}
    assert reset_by_hand(**fields, at=night(5))
    assert not reset_by_hand(**fields, at=night(5))
    assert (raw_count(hall), Alert.objects.get().is_open, hall.logs.get(kind=Kind.RESET).by) == (
        0,
        False,
        people.kavita,
    )


def test_a_person_answers_by_correcting_the_count_and_the_question_closes(people, hall):
    run(night(4, 30))
    correct_zone(zone=hall, count=1, reason="Counted", by=people.kavita, event_id="c", at=night(4, 40))
    run(night(4, 45))
    assert (raw_count(hall), Alert.objects.get().is_open) == (1, False)


def test_a_reset_holds_although_a_door_has_a_clock_that_is_ahead(hall):
    ahead = NewLog("ahead", hall.pk, night(3, 4), "in")
    record_logs(rows=[ahead], zones=[hall], source="gate", at=night(3))
    run(night(3))
    assert (hall.logs.get(kind=Kind.RESET).drift, raw_count(hall)) == (3, 0)


def test_a_person_may_not_run_tomorrows_reset_today(people, hall):
    with pytest.raises(Refusal, match="2026-03-03"):
        reset_by_hand(zone=hall, business_date=date(2026, 3, 4), at=night(12), people_on_shift=None, by=people.kavita)


def test_the_next_night_runs_by_itself_again_after_a_missed_one(hall):
    run(night(4, 30))
    assert run(night(3, day=4)) == {"reset": 1, "asked": 0}
    assert not Alert.objects.get().is_open


def switch(hall, at, **settings):
    """Set something about the reset as a manager does, with a row that was read before the last job ran."""
    zone = Zone.objects.get(pk=hall.pk)
    for name, value in settings.items():
        setattr(zone, name, value)
    return save_zone(zone=zone, at=at)


@pytest.mark.parametrize("moment", [night(3, 20), night(14)], ids=["in its window", "in the afternoon"])
def test_a_reset_switched_on_after_its_time_asks_at_once_and_waits_for_the_next_night(hall, moment):
    Zone.objects.update(reset_policy="off", last_reset_date=None)
    outlook = switch(hall, moment, reset_policy="to_zero")
    alert = Alert.objects.get()
    assert (outlook.has_passed, "Wednesday, 04 March at 03:00" in outlook.words) == (True, True)
    assert f"{moment.astimezone(KOLKATA):%H:%M}, when that had passed" in alert.detail
    for minutes in range(0, 12 * 60, 5):
        assert run(moment + minutes * MINUTE) == {"reset": 0, "asked": 0}
    assert (raw_count(hall), alert.times_raised) == (2, 1)
    assert run(night(3, day=4)) == {"reset": 1, "asked": 0}


def test_a_reset_moved_to_a_time_that_has_passed_does_not_come_late(hall):
    outlook = switch(hall, night(13, 10), reset_at=time(13))
    assert (outlook.has_passed, Alert.objects.count()) == (True, 1)
    assert [run(night(13, 15)), run(night(13, 55))] == [{"reset": 0, "asked": 0}] * 2
    assert run(night(13, day=4)) == {"reset": 1, "asked": 0}


def test_a_reset_moved_to_later_tonight_runs_tonight(hall):
    outlook = switch(hall, night(12), reset_at=time(23))
    assert (outlook.has_passed, "Tuesday, 03 March at 23:00" in outlook.words) == (False, True)
    assert [run(night(22, 55))["reset"], run(night(23))["reset"]] == [0, 1]


def test_a_reset_that_has_run_today_says_that_the_next_is_tomorrow(hall):
    run(night(3))
    outlook = switch(hall, night(12), reset_at=time(23))
    assert (outlook.has_passed, "Wednesday, 04 March at 23:00" in outlook.words) == (False, True)
    assert [run(night(23)), run(night(23, day=4))] == [{"reset": 0, "asked": 0}, {"reset": 1, "asked": 0}]


def test_a_new_zone_is_no_question_and_is_not_reset_under_the_feet_of_the_first(people):
    zone = Zone(site=people.site, name="New")
    assert save_zone(zone=zone, at=night(3, 20)).has_passed
    record_logs(rows=[NewLog("1", zone.pk, night(3, 21), "in")], zones=[zone], source="gate", at=night(3, 21))
    assert run(night(3, 25)) == {"reset": 0, "asked": 0}
    assert (raw_count(zone), Alert.objects.exists()) == (1, False)


def test_what_a_form_was_opened_with_does_not_undo_what_a_job_wrote_meanwhile(hall):
    stale = Zone.objects.get(pk=hall.pk)
    run(night(3))
    sum_hours(at=night(6))
    before = Zone.objects.values("summed_until", "last_reset_date", "days_until").get(pk=hall.pk)
    stale.capacity = 40
    assert save_zone(zone=stale, at=night(6)) is None
    assert Zone.objects.values("summed_until", "last_reset_date", "days_until").get(pk=hall.pk) == before
    assert Zone.objects.get(pk=hall.pk).capacity == 40


def test_the_count_may_be_reset_to_the_people_on_shift(hall):
    Zone.objects.update(reset_policy="to_open_sessions")
    run(night(3), lambda site, at: 5)
    assert (raw_count(hall), hall.logs.get(kind=Kind.RESET).drift) == (5, -3)


def test_without_a_count_of_people_on_shift_a_person_is_asked(hall):
    Zone.objects.update(reset_policy="to_open_sessions")
    assert run(night(3)) == {"reset": 0, "asked": 1}
    assert raw_count(hall) == 2


def test_a_zone_without_a_reset_is_left_alone(hall):
    Zone.objects.update(reset_policy="off")
    assert [run(night(3)), run(night(12))] == [{"reset": 0, "asked": 0}] * 2


def test_a_clock_that_goes_back_over_three_does_not_reset_again(hall):
    run(night(3))
    run(night(2, 50))
    run(night(3))
    assert hall.logs.filter(kind=Kind.RESET).count() == 1


@pytest.mark.parametrize(
    ("timezone", "month", "day"),
    [
        pytest.param("Europe/Berlin", 3, 29, id="Berlin in spring"),
        pytest.param("Europe/Berlin", 10, 25, id="Berlin in autumn"),
        pytest.param("America/New_York", 3, 8, id="New York in spring"),
        pytest.param("America/New_York", 11, 1, id="New York in autumn"),
    ],
)
def test_a_night_of_a_clock_change_has_one_reset_at_three_of_the_site(people, timezone, month, day):
    people.site.timezone = timezone
    people.site.save()
    zone = Zone.objects.create(site=people.site, name="Hall", last_reset_date=date(2026, month, day) - DAY)
    start = datetime(2026, month, day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)
    for minutes in range(0, 24 * 60, 5):
        run(start + minutes * MINUTE)
    rows = zone.logs.filter(kind=Kind.RESET)
    assert [f"{row.at.astimezone(ZoneInfo(timezone)):%H:%M}" for row in rows] == ["03:00"]
    assert not Alert.objects.exists()


def test_the_reset_reopens_an_hour_that_was_summed(hall):
    sum_hours(at=night(12))
    run(night(3, 10))
    hall.refresh_from_db()
    assert hall.summed_until == night(3)


def test_the_alarm_of_a_full_zone_is_raised_and_closed_with_hysteresis(people):
    zone = Zone.objects.create(site=people.site, name="Lab", capacity=20)
    at = night(20)

    def count(number):
        row = NewLog(f"c{at}{number}", zone.pk, at, "count", number)
        record_logs(rows=[row], zones=[zone], source="gate", at=at)
        return sorted(Alert.objects.still_open().values_list("severity", flat=True))

    seen = []
    for number in (15, 16, 20, 20, 19, 16, 15):
        at += MINUTE
        seen.append(count(number))
    assert seen == [[], ["warning"], ["critical"], ["critical"], ["warning"], ["warning"], []]
