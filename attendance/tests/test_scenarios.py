"""Rows of the scenario table through the rules, one test each, named by its id.

The tables lie beside this file: the one that was given, and more of its kinds. The environment variable
``ATTENDANCE_SCENARIOS`` names another of the same form. Only what a row expects is asserted, and every word that it
expects must be known. What is not run is listed row by row, with its reason.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance.rules.days import DayRecord, State
from attendance.rules.flags import FlagKind
from attendance.rules.grace import GracePolicy, keep_ledger
from attendance.rules.intervals import Interval, day_length, total, whole_minutes, within
from attendance.rules.limits import FACTORIES_ACT_1948, KNOWN, beyond_law, watch
from attendance.rules.matching import Direction, Punch, PunchState, punch_key
from attendance.rules.overtime import Overtime, OvertimeRule, Per, classify
from attendance.rules.rounding import Mode, round_clock, round_minutes
from attendance.rules.shifts import DAY, Assignment, find_overlap, judge_shift
from attendance.tests.scenarios import (
    EDITS,
    MINUTE,
    Row,
    Scenario,
    after_steps,
    as_one_shift,
    instant,
    read_assignment,
    read_scenario,
    read_shift,
)

DATA = Path(__file__).parent / "data"
GIVEN = os.environ.get("ATTENDANCE_SCENARIOS")
TABLES = [Path(GIVEN)] if GIVEN else [DATA / "scenarios.jsonl", DATA / "more-scenarios.jsonl"]
ROWS = [json.loads(line) for path in TABLES for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]

PAIRS = "pairs typed in by hand; punches are single facts here"
KINDS_OUTSIDE = {
    "absence": "people without fixed hours are no matter of shifts",
    "approval": "overtime is shown, and approved in the payroll",
    "autoclose": "a session closes itself at its scheduled end, not after a budget of hours",
    "ingest": "the codes of one make of device",
    "lock": "periods are locked by a person, not by the calendar",
    "ops": "records are derived, never typed in or cancelled, and a roster turns by days, not by months",
}
"""Kinds of rows that ask for what this product does otherwise."""


def is_balance(row: Row) -> bool:
    """Whether a row asks for more than the hours of a day: tolerances of minutes, or hours without a schedule."""
    policy = row.get("policy", {})
    is_tolerant = any(policy.get(name) for name in ("tolerance_employer_min", "tolerance_employee_min"))
    return is_tolerant or policy.get("ot_vs") == "flexible"


LEFT_OUT: Sequence[tuple[str, Callable[[Row], bool]]] = [
    ("punches are never rounded inside a day", lambda row: row["kind"] == "day" and _rounds(row)),
    ("a balance that forgives minutes, or without fixed hours, belongs to the payroll", is_balance),
    ("grace is compared to the second", lambda row: row["family"] == "horilla" and _has_seconds(row)),
    ("places are not checked", lambda row: "locations" in row),
    (PAIRS, lambda row: row["kind"] == "validation" and "candidates" not in row),
    ("grace is not two-sided", lambda row: "deviation" in _asked(row)),
    ("the row names a shift that it does not give", lambda row: row["kind"] == "exception" and _needs_a_shift(row)),
    ("an edit that corrections do not know", lambda row: any(step["op"] not in EDITS for step in _steps(row))),
    (
        "a wish for rules of pay",
        lambda row: row["kind"] == "policy" and not {"points", "penalised"} & _asked(row).keys(),
    ),
    ("a balance of every day since the beginning", lambda row: row["kind"] == "recompute" and _is_total(row)),
    (
        "minutes before the start are counted",
        lambda row: "worked_min_wanted" in _asked(row),
    ),
    ("a table that rounds whole steps down contradicts rounding", lambda row: row.get("input_min", 1) % 15 == 0),
]
"""Why a row is left out, the first reason that holds."""


def _rounds(row: Row) -> bool:
    return any(name in row.get("policy", {}) for name in ("round", "round_ends"))


def _has_seconds(row: Row) -> bool:
    return any(not punch["at"].endswith(":00") for punch in row.get("punches", ()))


def _is_total(row: Row) -> bool:
    return any("days" not in step for step in row["expect"]["after"])


def _needs_a_shift(row: Row) -> bool:
    """Whether an alert asks for more than a missing entry or exit, which a day has without a shift as well."""
    asked = {name for day in _asked(row).get("days", ()) for name in day}
    return not row.get("shifts") and not asked <= {"date", "missing_in", "missing_out"}


def _steps(row: Row) -> Sequence[Row]:
    return row["steps"] if row["kind"] == "recompute" else ()


def _asked(row: Row) -> Mapping[str, Any]:
    return row["expect"] if isinstance(row.get("expect"), dict) else {}


def why_left_out(row: Row) -> str:
    """Return the reason, nothing for a row that is run."""
    if row["kind"] in KINDS_OUTSIDE:
        return KINDS_OUTSIDE[row["kind"]]
    return next((reason for reason, holds in LEFT_OUT if holds(row)), "")


def run_rows(*kinds: str) -> list[Any]:
    """Return the rows of these kinds that are run, each named by its id."""
    return [pytest.param(row, id=row["id"]) for row in ROWS if row["kind"] in kinds and not why_left_out(row)]


def local(text: str, row: Row) -> datetime:
    return instant(text, ZoneInfo(row["tz"]))


DAY_KINDS = ("day", "dedupe", "exception", "worked")


@pytest.mark.parametrize("row", [one for one in run_rows(*DAY_KINDS) if "accepted" not in one.values[0]["expect"]])
def test_the_days_are_as_the_table_says(row: Row) -> None:
    if row["kind"] in ("worked", "dedupe"):
        row = as_one_shift(row)
    assert_days(read_scenario(row), row["expect"], row)


def assert_days(scenario: Scenario, expect: Row, row: Row) -> None:
    """Assert what a row says of its days together, and of each."""
    records = scenario.records
    for day in expect.get("days", ()):
        assert_day(find_days(records, day), day, row)
    for day in expect.get("no_record", ()):
        assert day not in {record.shift_date.isoformat() for record in records}
    for day in expect.get("not_status", ()):
        on_date = [record for record in records if record.shift_date.isoformat() == day["date"]]
        assert all(record.status != day["status"] for record in on_date)
    if "day_count" in expect:
        assert len(records) == expect["day_count"]
    if "suppressed" in expect:
        doubles = [p.punch.at for p in scenario.derived.placed if p.state is PunchState.DUPLICATE]
        assert doubles == [local(at, row) for at in expect["suppressed"]]
    if alone := {name: value for name, value in expect.items() if name not in TOGETHER}:
        assert_day(records[:1], alone, row)


TOGETHER = {"days", "no_record", "not_status", "day_count", "suppressed"}


def find_days(records: Sequence[DayRecord], expect: Row) -> list[DayRecord]:
    """Return the records of a date, and of the shift when the row names one; at least one."""
    found = [
        record
        for record in records
        if record.shift_date.isoformat() == expect["date"] and expect.get("shift") in (None, record.shift)
    ]
    assert found, f"no record on {expect['date']}"
    return found


def assert_day(records: Sequence[DayRecord], expect: Row, row: Row) -> None:
    """Assert what a row says of one day, nothing else. Several sessions of a date without shifts are one day."""
    answers = answers_of(records, expect, row)
    instants = {name: local(expect[name], row) for name in ("first_in", "last_out") if expect.get(name)}
    wanted = {name: value for name, value in {**expect, **instants}.items() if name not in ("date", "note")}
    assert {name: answers[name] for name in wanted} == wanted


def answers_of(records: Sequence[DayRecord], expect: Row, row: Row) -> dict[str, Any]:
    """Return every word of the table that a record answers."""
    record = records[0]
    return {
        "shift": record.shift,
        "status": record.status,
        "late": record.has(FlagKind.LATE),
        "late_min": record.after_start_minutes,
        "early": record.has(FlagKind.EARLY_EXIT),
        "early_min": record.early_exit_minutes,
        "worked_min": sum(_worked_on(one, expect.get("date")) for one in records),
        "ot_min": overtime_of(records, row),
        "grace_used_min": record.grace_used_minutes,
        "missing_out": any(one.has(FlagKind.MISSING_OUT) for one in records),
        "missing_in": any(one.has(FlagKind.MISSING_IN) for one in records),
        "hr_review": any(one.flags for one in records),
        "provisional": record.state is not State.FINAL,
        "open": records[-1].last_out is None,
        "first_in": record.first_in,
        "last_out": last_seen(records[-1], row),
        "deduct_min": deduction(record),
        "shift_count": len(records),
        "origin": "derived",
    }


def _worked_on(record: DayRecord, day: str | None) -> int:
    """Return the minutes of the record, or its share of ``day`` when the shift is cut at midnight."""
    shares = {share.isoformat(): minutes for share, minutes in whole_minutes(record.shares).items()}
    return shares.get(day, record.worked_minutes) if day else record.worked_minutes


def last_seen(record: DayRecord, row: Row) -> datetime | None:
    """Return the last exit. A row about worked hours alone means the last look, whichever way an odd one went."""
    if row["kind"] == "worked" and record.last_out is None and row["policy"].get("direction") != "strict":
        return max(local(punch["at"], row) for punch in row["punches"])
    return record.last_out


def overtime_of(records: Sequence[DayRecord], row: Row) -> int:
    """Return the overtime of a day: by the row's own rules, beyond its least hours, or as the shift has it.

    A family that keeps a balance counts what is missing of a whole day as well, below zero.
    """
    policy, worked = row.get("policy", {}), [span for record in records for span in record.worked]
    day = records[0].shift_date
    if "ot_rules" in policy:
        return total_of(classify({day: worked}, read_overtime(policy["ot_rules"]))) // MINUTE
    if not records[0].scheduled:
        return total(worked) // MINUTE if records[0].last_out else 0
    if least := next((shift.get("min_worked_min") for shift in row.get("shifts", ())), None):
        return total_of(classify({day: worked}, [OvertimeRule("least", Per.DAY, timedelta(minutes=least))])) // MINUTE
    missing = records[0].scheduled - total(worked) if "ot_vs" in policy and records[0].last_out else timedelta()
    return sum(record.overtime_minutes for record in records) - max(timedelta(), missing) // MINUTE


def read_overtime(given: Sequence[Row]) -> list[OvertimeRule]:
    return [
        OvertimeRule(f"{one['per']} {one['after_min']}", Per(one["per"]), one["after_min"] * MINUTE, one["rate"])
        for one in given
    ]


def total_of(found: Sequence[Overtime]) -> timedelta:
    return sum((one.length for one in found), timedelta())


def deduction(record: DayRecord) -> int:
    """What a vendor that deducts the whole of a lateness beyond tolerance takes off: the minutes of the flags."""
    return sum(flag.minutes for flag in record.flags)


@pytest.mark.parametrize("row", run_rows("match"))
def test_punches_belong_where_the_table_says(row: Row) -> None:
    placed = {p.punch.at: p.occurrence for p in read_scenario(row).placed}
    for expect in row["expect"]["matches"]:
        occurrence = placed[local(expect["at"], row)]
        assert (occurrence.shift.name if occurrence else None) == expect["shift"]
        for name, instant_of in EDGES.items():
            if name in expect:
                assert getattr(occurrence, instant_of) == local(expect[name], row)
        if "date" in expect:
            assert occurrence.shift_date.isoformat() == expect["date"]
        assert expect.keys() <= {"at", "shift", "date", *EDGES}


EDGES = {
    "shift_start": "starts_at",
    "shift_end": "ends_at",
    "window_start": "window_start",
    "window_end": "window_end",
}


@pytest.mark.parametrize("row", run_rows("overlap"))
def test_shifts_overlap_by_their_scheduled_times_alone(row: Row) -> None:
    shifts = {shift["id"]: read_shift(shift, {}) for shift in row["shifts"]}
    if row.get("assignments"):
        given = [read_assignment(one, shifts) for one in row["assignments"]]
    else:
        day = date.fromisoformat(row["date"])
        given = [Assignment((shift,), day, day) for shift in shifts.values()]
    first = min(one.from_date for one in given)
    last = max(one.to_date or one.from_date for one in given) + 7 * DAY
    assert (find_overlap(given, ZoneInfo(row["tz"]), first, last) is not None) is row["expect"]["overlap"]


@pytest.mark.parametrize("row", run_rows("direction"))
def test_the_next_undirected_punch_goes_where_the_table_says(row: Row) -> None:
    at = local(row["next_undirected"], row)
    following = [*row["punches"], {"at": row["next_undirected"], "dir": None}]
    scenario: Scenario = read_scenario({**row, "punches": following})
    assert [one.goes for one in scenario.derived.placed if one.punch.at == at][-1] == row["expect"]["dir"]


@pytest.mark.parametrize("row", [one for one in run_rows("dedupe") if "accepted" in one.values[0]["expect"]])
def test_a_punch_is_new_unless_person_second_and_direction_are_known(row: Row) -> None:
    known: set[str] = set()
    accepted = []
    for punch in row["punches"]:
        key = punch_key(1, local(punch["at"], row), punch["dir"] or Direction.UNKNOWN)
        accepted.append(key not in known)
        known.add(key)
    assert accepted == row["expect"]["accepted"]


@pytest.mark.parametrize("row", run_rows("validation"))
def test_a_shift_that_cannot_be_is_refused(row: Row) -> None:
    shifts = [read_shift(candidate, {}) for candidate in row["candidates"]]
    refused = [judge_shift(one.starts_at, one.ends_at, one.window_before, one.window_after) for one in shifts]
    assert [not code for code in refused] == row["expect"]["accept"]


@pytest.mark.parametrize("row", run_rows("policy"))
def test_late_days_count_as_the_table_says(row: Row) -> None:
    expect, policy = row["expect"], row["policy"]
    if "points" in expect:
        assert [past_grace(one, policy.get("grace_in_min", 0)) for one in row["inputs"]] == expect["points"]
    else:
        every = policy.get("half_day_every") or policy.get("lates_per_half_day") or 1
        rules = GracePolicy(free_lates=policy.get("free_lates_per_month", 0), half_day_every=every)
        assert penalised(row["lates"], rules, row["tz"]) == expect["penalised"]


def past_grace(given: Row, grace: int) -> int:
    """Return the minutes beyond grace of one entry."""
    return _late_day(given["start"], given["in"], "2025-03-03", "UTC", grace).past_grace_minutes


def penalised(lates: Sequence[str], rules: GracePolicy, tz: str) -> list[bool]:
    """Return which of a month's late days have a consequence."""
    records = [_late_day("08:00", "09:00", day, tz) for day in lates]
    judged, _ = keep_ledger(records, rules, ZoneInfo(tz))
    return [record.has(FlagKind.LATES_HALF_DAY) for record in judged]


def _late_day(start: str, entry: str, day: str, tz: str, grace: int = 0) -> DayRecord:
    ends = f"{(datetime.fromisoformat(f'{day}T{start}') + timedelta(hours=8)):%H:%M}"
    shift = {"id": "A", "start": start, "end": ends, "grace_in_min": grace}
    given = {"shift": "A", "from": day, "to": day}
    punches = [{"at": f"{day}T{entry}:00", "dir": "in"}]
    return read_scenario({"tz": tz, "shifts": [shift], "assignments": [given], "punches": punches}).records[0]


@pytest.mark.parametrize("row", run_rows("rounding"))
def test_clock_times_are_rounded_as_the_table_says(row: Row) -> None:
    if "input_min" in row:
        rounded = {name: round_minutes(row["input_min"], 15, Mode(name)) for name in row["expect"]}
        assert rounded == row["expect"]
        return
    mode, step = ROUNDING[row["round"]["mode"]]
    given = row["input"] if isinstance(row["input"], list) else [row["input"]]
    rounded = [round_text(text, step, mode, row["round"].get("grace_min", 0)) for text in given]
    wanted = row["expect"]["rounded"]
    assert rounded == (wanted if isinstance(wanted, list) else [wanted])
    if "worked_min" in row["expect"]:
        start, end = (datetime.combine(date.min, time.fromisoformat(text)) for text in rounded)
        assert (end - start) // MINUTE == row["expect"]["worked_min"]


def _modes() -> dict[str, tuple[Mode, int]]:
    """The table's words for a step and a way; the plain nearest sends the middle down, which no step of minutes has."""
    found = {}
    for step in (5, 6, 10, 15, 30, 60):
        found[f"nearest{step}_down_at_{step // 2}"] = (Mode.NEAREST_DOWN, step)
        found[f"nearest{step}_up_at_{step // 2}"] = (Mode.NEAREST_UP, step)
        found[f"nearest{step}"] = (Mode.NEAREST_DOWN, step)
        found[f"up{step}"], found[f"down{step}"] = (Mode.UP, step), (Mode.DOWN, step)
    return found


ROUNDING = _modes()


def round_text(text: str, step: int, mode: Mode, grace: int) -> str:
    at = datetime.combine(date(2025, 3, 3), time.fromisoformat(text))
    return f"{round_clock(at, step, mode, grace):%H:%M}"


@pytest.mark.parametrize("row", run_rows("compliance"))
def test_the_laws_limits_are_watched_as_the_table_says(row: Row) -> None:
    limits, expect = KNOWN[row["policy"]["monitor"]], row["expect"]
    days = worked_days(read_scenario(row))
    passed = watch(days, limits)
    assert sorted({str(one.limit) for one in passed}) == sorted({limit_named(name) for name in expect["violations"]})
    first = days[min(days)]
    figures = {
        "worked_min": total(first) // MINUTE,
        "spread_min": (first[-1].end - first[0].start) // MINUTE,
        "week_worked_min": sum((span.length for spans in days.values() for span in spans), timedelta()) // MINUTE,
        "overtime_at_double_min": total_of(beyond_law(days, FACTORIES_ACT_1948)) // MINUTE,
    }
    wanted = {name: value for name, value in expect.items() if name != "violations"}
    assert {name: figures[name] for name in wanted} == wanted


LIMIT_WORDS = {
    "spread": "spread_over", "break": "rest_interval", "interval": "rest_interval", "holiday": "weekly_holiday",
    "day_off": "weekly_holiday", "weekly_rest": "weekly_holiday", "rest": "daily_rest", "week": "weekly_hours",
    "da": "daily_hours",
}  # fmt: skip
"""Other words for the same limits; the first that a name contains."""


def limit_named(name: str) -> str:
    return next(limit for word, limit in LIMIT_WORDS.items() if word in name)


def worked_days(scenario: Scenario) -> dict[date, list[Interval]]:
    days: dict[date, list[Interval]] = {}
    for record in scenario.records:
        days.setdefault(record.shift_date, []).extend(record.worked)
    return days


@pytest.mark.parametrize("row", run_rows("week"))
def test_each_minute_of_a_week_is_overtime_once(row: Row) -> None:
    days = worked_days(read_scenario(row))
    found = classify(days, read_overtime(row["policy"]["ot_rules"]))
    worked = sum((total(spans) for spans in days.values()), timedelta())
    wanted = {name: row["expect"][name] for name in ("worked_min", "ot_min_paid_once")}
    assert {"worked_min": worked // MINUTE, "ot_min_paid_once": total_of(found) // MINUTE} == wanted


@pytest.mark.parametrize("row", run_rows("window"))
def test_minutes_inside_a_window_of_the_clock(row: Row) -> None:
    zone = ZoneInfo(row["tz"])
    start, end = (time.fromisoformat(text) for text in row["window"])
    inside = timedelta()
    for day, spans in worked_days(read_scenario(row)).items():
        for evening in (day - DAY, day):
            until = datetime.combine(evening if end > start else evening + DAY, end, zone)
            inside += total(within(spans, Interval(datetime.combine(evening, start, zone), until)))
    assert inside // MINUTE == row["expect"]["window_min"]


@pytest.mark.parametrize("row", run_rows("recompute"))
def test_an_edit_moves_what_it_touches(row: Row) -> None:
    for scenario, expect in zip(after_steps(row), row["expect"]["after"], strict=True):
        assert_days(scenario, expect, row)


@pytest.mark.parametrize("row", run_rows("calendar"))
def test_a_local_day_is_as_long_as_its_clock_says(row: Row) -> None:
    length = day_length(date.fromisoformat(row["date"]), ZoneInfo(row["tz"]))
    assert length // MINUTE == row["expect"]["day_length_min"]


RUN = {
    "calendar", "compliance", "day", "dedupe", "direction", "exception", "match", "overlap", "policy", "recompute",
    "rounding", "validation", "week", "window", "worked",
}  # fmt: skip


@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in ROWS if why_left_out(row)])
def test_a_row_that_is_left_out_says_why(row: Row, record_property: Callable[[str, object], None]) -> None:
    record_property("left out", why_left_out(row))
    assert row["family"] not in ("seed", "law")
    assert (row["family"], row["kind"]) not in MUST_BE_RUN


MUST_BE_RUN = {("frappe", kind) for kind in ("day", "match", "overlap", "worked")}


def test_every_row_is_run_or_says_why_not() -> None:
    assert {row["kind"] for row in ROWS} <= RUN | KINDS_OUTSIDE.keys()
    assert len({row["id"] for row in ROWS}) == len(ROWS)


def test_a_punch_is_read_with_its_offset() -> None:
    row = {"tz": "America/Vancouver", "punches": [{"at": "2013-11-03T01:30:00", "dir": "in", "fold": 1}]}
    punch: Punch = read_scenario(row).punches[0]
    assert punch.at.isoformat() == "2013-11-03T09:30:00+00:00"
