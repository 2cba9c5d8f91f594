"""Sums in the database: the same as a recomputation from all facts after any history, on whichever database runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from factoryai.sites.models import Site
from occupancy.models import Day, Hour, LiveSpan, Log, Month, Zone, ZoneLine, microseconds
from occupancy.rules.sums import Fact, Kind, day_bounds, hours_of, shown, sum_bucket
from occupancy.services.logs import NewLog, record_logs
from occupancy.services.sums import sum_days, sum_hours, sum_months
from occupancy.services.thinning import thin_logs
from occupancy.services.watermarks import reopen
from streaming.tests.factories import make_camera

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
numbers = count()

SPRING = pytest.param("Europe/Berlin", datetime(2026, 3, 28, 20, tzinfo=UTC), id="Berlin, a day of 23 hours")
AUTUMN = pytest.param("America/New_York", datetime(2026, 10, 31, 22, tzinfo=UTC), id="New York, 25 hours, month's end")
PLAIN = pytest.param("Asia/Kolkata", datetime(2026, 2, 28, 11, 10, tzinfo=UTC), id="Kolkata, half hours, month's end")


def make_zone(timezone="Asia/Kolkata"):
    number = next(numbers)
    site = Site.objects.create(slug=f"sums-{number}", name=f"Site {number}", timezone=timezone)
    return Zone.objects.create(site=site, name="Hall")


def record(zone, at, kind="in", number=None, seen=None):
    row = NewLog(f"e{next(numbers)}", zone.pk, at, kind, number)
    return record_logs(rows=[row], zones=[zone], source="gate", at=seen or at)


def sum_all(at):
    return sum_hours(at=at), sum_days(at=at), sum_months(at=at)


def figures(row):
    return (row.length_us, row.weighted_us, row.peak, row.low, row.entries, row.exits, row.logs)


def recomputed(zone, until):
    """Return every closed hour by its start, summed from all facts by the pure rule."""
    facts = [Fact(log.at, Kind(log.kind), log.count) for log in zone.logs.order_by("at_us", "pk")]
    if not facts:
        return {}
    raw, found, day = 0, {}, facts[0].at.astimezone(zone.site.zone).date()
    while day_bounds(day, zone.site.zone)[0] < until:
        for start, end in hours_of(day, zone.site.zone):
            if end > until or end <= facts[0].at:
                continue
            made = sum_bucket(start, end, raw, [fact for fact in facts if start <= fact.at < end])
            raw = made.closing
            length = microseconds(end) - microseconds(start)
            found[start] = (length, round(made.average * length), *(
                made.peak, made.low, made.entries, made.exits, made.logs,
            ))  # fmt: skip
        day += DAY
    return found


def near(one, other):
    """Alike in every whole figure; the rule's average is a float, good to a person-millisecond here."""
    return one[:1] + one[2:] == other[:1] + other[2:] and abs(one[1] - other[1]) < 1000


minutes = st.integers(0, 50 * 60 * 60).map(
    lambda seconds: timedelta(seconds=seconds, microseconds=seconds * 7919 % 10**6)
)
logs = st.tuples(minutes, st.sampled_from(["in", "in", "out", "count"]), st.integers(0, 9))
steps = st.lists(st.one_of(logs, minutes), max_size=25)


@pytest.mark.parametrize(("timezone", "first"), [SPRING, AUTUMN, PLAIN])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps)
def test_sums_equal_a_recomputation_after_any_history(timezone, first, history):
    zone = make_zone(timezone)
    end = first + timedelta(hours=75)
    for step in history:
        if isinstance(step, timedelta):
            sum_all(first + step)
        else:
            record(zone, first + step[0], step[1], step[2] if step[1] == "count" else None, seen=end)
    sum_all(end)
    wanted = recomputed(zone, end)
    got = {row.start: figures(row) for row in Hour.objects.filter(zone=zone)}
    assert got.keys() == wanted.keys()
    assert all(near(got[start], wanted[start]) for start in wanted)
    check_larger(zone)


def check_larger(zone):
    """Days are what their hours add up to, months what their days do."""
    for larger, parts in (
        *((day, zone.hours.filter(date=day.date)) for day in zone.days.all()),
        *(
            (month, zone.days.filter(date__year=month.date.year, date__month=month.date.month))
            for month in zone.months.all()
        ),
    ):
        rows = [figures(part) for part in parts]
        columns = list(zip(*rows, strict=True))
        whole = (*map(sum, columns[:2]), max(columns[2]), min(columns[3]), *map(sum, columns[4:]))
        assert figures(larger) == whole


clocks = st.sampled_from(["Asia/Kolkata", "UTC", "Asia/Kathmandu", "America/New_York"])
thinnings = st.tuples(st.just("thin"), st.integers(0, 40))


def fold(facts):
    """Return the raw count after all facts, in order of time and of arrival."""
    raw = 0
    for _, _, kind, number in sorted(facts, key=lambda fact: fact[:2]):
        raw = number if kind == "count" else raw + (1 if kind == "in" else -1)
    return raw


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(history=[(HOUR, "in", 0), 6 * HOUR, "UTC", (4 * HOUR, "in", 0)])
@example(history=[(30 * MINUTE, "in", 0), 72 * HOUR, ("thin", 3), "UTC", (73 * HOUR, "in", 0), 75 * HOUR, "UTC"])
@given(history=st.lists(st.one_of(logs, logs, minutes, clocks, thinnings), min_size=4, max_size=20))
def test_the_count_and_the_hours_hold_though_the_site_changes_its_clock(history):
    """The count is what adding up everything gives; the hours follow each other without a gap and never overlap."""
    zone, first, facts = make_zone(), datetime(2026, 2, 28, 11, 10, tzinfo=UTC), []
    end = first + timedelta(hours=75)
    for step in history:
        if isinstance(step, str):
            Site.objects.filter(pk=zone.site_id).update(timezone=step)
        elif isinstance(step, timedelta):
            sum_all(first + step)
        elif step[0] == "thin":
            thin_logs(at=end, keep=timedelta(hours=step[1]))
        else:
            at, kind, number = first + step[0], step[1], step[2] if step[1] == "count" else None
            if record(zone, at, kind, number, seen=end).accepted:
                facts.append((at, len(facts), kind, number))
        assert Zone.objects.with_counts().get(pk=zone.pk).raw_count == fold(facts)
    sum_all(end)
    assert Zone.objects.with_counts().get(pk=zone.pk).raw_count == fold(facts)
    hours = list(zone.hours.order_by("start"))
    assert [row.start + row.length_us * timedelta(microseconds=1) for row in hours[:-1]] == [
        row.start for row in hours[1:]
    ]
    for row in hours:
        until = row.start + row.length_us * timedelta(microseconds=1)
        inside = [fact for fact in facts if row.start <= fact[0] < until]
        before = fold([fact for fact in facts if fact[0] < row.start])
        made = sum_bucket(row.start, until, before, [
            Fact(at, Kind(kind), number) for at, _, kind, number in sorted(inside, key=lambda fact: fact[:2])
        ])  # fmt: skip
        assert (row.entries, row.exits, row.logs, row.closing) == (made.entries, made.exits, made.logs, made.closing)
        assert row.average == pytest.approx(made.average, abs=1e-6)
    check_larger(zone)


def test_a_late_log_after_a_change_of_the_clock_leaves_no_hour_over_another():
    """Kolkata's hours begin at half past in UTC: that of 07:30 is cut at 08:00 when the one of 08:00 is summed."""
    zone, start = make_zone(), datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    record(zone, start)
    sum_all(start + 4 * HOUR)
    Site.objects.update(timezone="UTC")
    record(zone, start + 100 * MINUTE, seen=start + 4 * HOUR)
    sum_all(start + 5 * HOUR)
    lengths = [(f"{row.start:%H:%M}", row.length_us // 60_000_000) for row in zone.hours.order_by("start")]
    assert lengths == [("06:30", 60), ("07:30", 30), ("08:00", 60), ("09:00", 60), ("10:00", 60)]


def test_thinned_time_is_not_summed_anew_after_a_change_of_the_clock():
    zone, start = make_zone(), datetime(2026, 2, 28, 11, 30, tzinfo=UTC)
    for number in range(30):
        record(zone, start + number * HOUR)
    at = start + 35 * HOUR
    sum_all(at)
    assert thin_logs(at=at, keep=10 * HOUR) > 0, "February is over"
    zone.refresh_from_db()
    edge = datetime.fromtimestamp(zone.kept_from_us / 1e6, UTC)
    before = figures(zone.hours.filter(start__lt=edge).order_by("-start").first())
    Site.objects.update(timezone="UTC")
    record(zone, edge + 10 * MINUTE, seen=at)
    sum_all(at)
    assert figures(zone.hours.filter(start__lt=edge).order_by("-start").first()) == before
    assert Zone.objects.with_counts().get(pk=zone.pk).raw_count == 31


def test_only_what_came_since_the_last_summed_hour_is_read_for_the_count():
    zone, start = make_zone(), datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    for minute in range(5):
        record(zone, start + minute * MINUTE)
    sum_hours(at=start + HOUR)
    record(zone, start + HOUR)
    zone.logs.filter(at__lt=start + HOUR).delete()
    assert Zone.objects.with_counts().get(pk=zone.pk).raw_count == 6


@pytest.mark.parametrize(
    ("timezone", "day", "hours"),
    [
        pytest.param("Europe/Berlin", date(2026, 3, 29), 23, id="Berlin in spring"),
        pytest.param("Europe/Berlin", date(2026, 10, 25), 25, id="Berlin in autumn"),
        pytest.param("America/New_York", date(2026, 3, 8), 23, id="New York in spring"),
        pytest.param("America/New_York", date(2026, 11, 1), 25, id="New York in autumn"),
        pytest.param("Asia/Kolkata", date(2026, 3, 29), 24, id="Kolkata has no summer time"),
    ],
)
def test_a_day_has_the_hours_of_its_zone(timezone, day, hours):
    zone = make_zone(timezone)
    start, end = day_bounds(day, zone.site.zone)
    record(zone, start + MINUTE)
    sum_all(end + HOUR)
    row = zone.days.get(date=day)
    assert (zone.hours.filter(date=day).count(), row.length_us) == (hours, hours * 3_600_000_000)


def test_the_average_is_weighted_by_time_and_not_by_rows():
    zone, start = make_zone(), datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    for second in range(10):
        record(zone, start + timedelta(minutes=54, microseconds=second))
    sum_hours(at=start + HOUR)
    assert zone.hours.get().average == pytest.approx(1.0, abs=1e-6)


def test_an_hour_that_is_not_over_is_not_summed():
    zone, start = make_zone(), datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    record(zone, start)
    assert sum_hours(at=start + HOUR - timedelta(microseconds=1)) == 0
    assert sum_hours(at=start + HOUR) == 1
    assert sum_hours(at=start + HOUR) == 0


def test_a_clock_that_goes_back_sums_nothing_and_spoils_nothing():
    zone, start = make_zone(), datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    record(zone, start)
    sum_all(start + 5 * HOUR)
    before = [figures(row) for row in zone.hours.all()]
    assert sum_all(start - DAY) == (0, 0, 0)
    assert [figures(row) for row in zone.hours.all()] == before


def test_hours_that_passed_while_nothing_ran_are_caught_up_over_the_first_of_the_month():
    zone = make_zone()
    record(zone, datetime(2026, 2, 26, 18, 30, tzinfo=UTC))
    assert sum_all(datetime(2026, 3, 2, 18, 30, tzinfo=UTC)) == (96, 4, 1)
    assert [month.date for month in zone.months.all()] == [date(2026, 2, 1)]


@pytest.mark.parametrize(("gap", "is_complete"), [(timedelta(), True), (timedelta(seconds=2), False)])
def test_an_hour_is_complete_when_its_camera_was_live_throughout(gap, is_complete):
    zone, start = make_zone(), datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    camera = make_camera(zone.site)
    ZoneLine.objects.create(zone=zone, camera=camera, line="Door")
    LiveSpan.objects.create(camera=camera, began_at=start - HOUR, ended_at=start + HOUR - gap)
    record(zone, start)
    sum_hours(at=start + HOUR)
    assert zone.hours.get().is_complete is is_complete


def test_thinning_keeps_the_count_and_never_touches_what_is_not_summed():
    zone, start = make_zone(), datetime(2026, 1, 27, tzinfo=UTC)
    for day in range(8):
        record(zone, start + day * DAY)
    at = start + 8 * DAY
    assert thin_logs(at=at, keep=DAY) == 0
    sum_all(at)
    hours = [figures(row) for row in zone.hours.all()]
    gone = thin_logs(at=at, keep=2 * DAY)
    assert 0 < gone <= 6
    assert Log.objects.filter(zone=zone).count() == 8 - gone
    assert Zone.objects.with_counts().get(pk=zone.pk).raw_count == 8
    assert thin_logs(at=at, keep=2 * DAY) == 0
    reopen(zones=[zone], first=date(2026, 1, 1))
    sum_all(at)
    assert [figures(row) for row in zone.hours.all()] == hours
    late = record(zone, start, seen=at)
    assert [row[1] for row in late.rejected] == ["too_old"]


def test_zones_in_one_statement_do_not_mix():
    one, other = make_zone(), make_zone()
    start = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
    record(one, start)
    record(other, start, "count", 7)
    sum_hours(at=start + HOUR)
    assert [shown(row.closing) for zone in (one, other) for row in zone.hours.all()] == [1, 7]
    assert (Day.objects.count(), Month.objects.count()) == (0, 0)
