"""Rows of the scenario table through the rules, one test each, named by its id.

The table lies beside this file; the environment variable ``ATTENDANCE_SCENARIOS`` names another of the same form. Only
what a row expects is asserted. What is not run is in `OUTSIDE`, by kind or by family and kind, each with its reason.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance.rules.days import DayRecord, State
from attendance.rules.flags import FlagKind
from attendance.rules.intervals import Interval, day_length
from attendance.rules.limits import FACTORIES_ACT_1948, KNOWN, watch
from attendance.rules.matching import Direction, Punch, PunchState
from attendance.rules.overtime import Overtime, OvertimeRule, Per, classify
from attendance.rules.rounding import Mode, round_clock
from attendance.rules.shifts import Assignment, find_overlap
from attendance.tests.scenarios import Scenario, read_scenario, read_shift

TABLE = Path(os.environ.get("ATTENDANCE_SCENARIOS") or Path(__file__).parent / "data" / "scenarios.jsonl")
ROWS = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines() if line.strip()]
MINUTE = timedelta(minutes=1)

RUN = {
    ("seed", "day"),
    ("seed", "dedupe"),
    ("frappe", "day"),
    ("frappe", "direction"),
    ("frappe", "match"),
    ("frappe", "overlap"),
    ("frappe", "worked"),
    ("kimai", "rounding"),
    ("law", "compliance"),
    ("law", "day"),
    ("law", "rounding"),
    ("odoo", "calendar"),
    ("timetrex", "day"),
    ("timetrex", "direction"),
    ("timetrex", "match"),
    ("timetrex", "rounding"),
    ("vendor", "day"),
}

OUTSIDE = {
    ("frappe", "dedupe"): "asks whether a punch is accepted; every punch is, and `test_rules` has what becomes of it",
    ("frappe", "ops"): "records are derived, never typed in or cancelled",
    ("frappe", "policy"): "wishes stated as totals; grace by the month is in `test_grace`, edges in `test_worked`",
    ("frappe", "validation"): "refused by the model, in `test_models`; places are not checked",
    ("horilla", "day"): "windows without an end and a grace without seconds contradict the rules that are built",
    ("horilla", "ingest"): "the codes of one make of device",
    ("horilla", "ops"): "a roster turns by days and has no months to roll over",
    ("kimai", "lock"): "periods are locked by a person, not by the calendar",
    ("odoo", "absence"): "undertime is not kept as negative overtime",
    ("odoo", "approval"): "overtime is shown, and approved in the payroll",
    ("odoo", "autoclose"): "a session closes itself at its scheduled end, not after a budget of hours",
    ("odoo", "day"): "balances against a calendar, below zero as well",
    ("odoo", "recompute"): "balances against a calendar, below zero as well",
    ("odoo", "validation"): "pairs typed in by hand; punches are single facts here",
    ("odoo", "week"): "the figure is as built there; once per minute is in `test_overtime`",
    ("odoo", "window"): "night windows belong to the payroll",
    ("orangehrm", "validation"): "pairs typed in by hand; punches are single facts here",
    ("timetrex", "exception"): "the row names a shift that it does not give; the flag is in `test_rules`",
    ("timetrex", "recompute"): "edits by pairs; corrections are in `test_services`",
    ("timetrex", "validation"): "pairs typed in by hand; punches are single facts here",
    ("vendor", "exception"): "grace is not two-sided",
    ("vendor", "policy"): "points belong to the payroll",
    ("vendor", "rounding"): "a table that rounds exact multiples down contradicts ordinary rounding",
}

UNSUPPORTED = ("round", "round_ends")
"""Rounding of punches inside a day: punches are never rounded here."""

LIMIT_NAMES = {"break": "rest_interval", "rest_break": "rest_interval", "breaks": "rest_interval"}
"""Other words for the same limit."""


def run_rows(*kinds: str) -> list[Any]:
    chosen = [row for row in ROWS if (row["family"], row["kind"]) in RUN and row["kind"] in kinds]
    return [pytest.param(row, id=row["id"]) for row in chosen if not _rounds_punches(row)]


def _rounds_punches(row: Mapping[str, Any]) -> bool:
    return row["kind"] == "day" and any(name in row.get("policy", {}) for name in UNSUPPORTED)


def local(text: str, row: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(row["tz"]))


@pytest.mark.parametrize("row", run_rows("day", "dedupe", "worked"))
def test_the_days_are_as_the_table_says(row: dict[str, Any]) -> None:
    scenario = read_scenario(row)
    records, expect = scenario.records, row["expect"]
    for day in expect.get("days", ()):
        assert_day(find_day(records, day), day, row)
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
    if row["kind"] == "worked":
        assert_day(records[0], {name: value for name, value in expect.items() if name != "days"}, row)


def find_day(records: Sequence[DayRecord], expect: Mapping[str, Any]) -> DayRecord:
    """Return the record of a date, and of the shift when the row names one."""
    return next(
        record
        for record in records
        if record.shift_date.isoformat() == expect["date"] and expect.get("shift") in (None, record.shift)
    )


def assert_day(record: DayRecord, expect: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    """Assert what a row says of one day, nothing else."""
    answers = {
        "shift": record.shift,
        "status": record.status,
        "late": record.has(FlagKind.LATE),
        "late_min": record.after_start_minutes,
        "early": record.has(FlagKind.EARLY_EXIT),
        "early_min": record.early_exit_minutes,
        "worked_min": _worked_on(record, expect.get("date")),
        "ot_min": record.overtime_minutes,
        "grace_used_min": record.grace_used_minutes,
        "missing_out": record.has(FlagKind.MISSING_OUT),
        "missing_in": record.has(FlagKind.MISSING_IN),
        "hr_review": bool(record.flags),
        "provisional": record.state is not State.FINAL,
        "first_in": record.first_in,
        "last_out": record.last_out,
        "deduct_min": deduction(record),
    }
    instants = {name: local(expect[name], row) for name in ("first_in", "last_out") if expect.get(name)}
    wanted = {name: value for name, value in {**expect, **instants}.items() if name in answers}
    assert {name: answers[name] for name in wanted} == wanted


def _worked_on(record: DayRecord, day: str | None) -> int:
    """Return the minutes of the record, or its share of ``day`` when the shift is cut at midnight."""
    shares = {share.isoformat(): length for share, length in record.shares}
    return shares[day] // MINUTE if day in shares else record.worked_minutes


def deduction(record: DayRecord) -> int:
    """What a vendor that deducts the whole of a lateness beyond tolerance takes off: the minutes of the flags."""
    return sum(flag.minutes for flag in record.flags)


@pytest.mark.parametrize("row", run_rows("match"))
def test_punches_belong_where_the_table_says(row: dict[str, Any]) -> None:
    placed = {p.punch.at: p.occurrence for p in read_scenario(row).placed}
    for expect in row["expect"]["matches"]:
        occurrence = placed[local(expect["at"], row)]
        assert (occurrence.shift.name if occurrence else None) == expect["shift"]
        for name, instant in (("shift_start", "starts_at"), ("shift_end", "ends_at")):
            if name in expect:
                assert getattr(occurrence, instant) == local(expect[name], row)
        for name in ("window_start", "window_end"):
            if name in expect:
                assert getattr(occurrence, name) == local(expect[name], row)
        if "date" in expect:
            assert occurrence.shift_date.isoformat() == expect["date"]


@pytest.mark.parametrize("row", run_rows("overlap"))
def test_shifts_overlap_by_their_scheduled_times_alone(row: dict[str, Any]) -> None:
    day = date.fromisoformat(row["date"])
    given = [Assignment((read_shift(shift, {}),), day, day) for shift in row["shifts"]]
    assert (find_overlap(given, ZoneInfo(row["tz"]), day, day) is not None) is row["expect"]["overlap"]


@pytest.mark.parametrize("row", run_rows("direction"))
def test_the_next_undirected_punch_goes_where_the_table_says(row: dict[str, Any]) -> None:
    at = local(row["next_undirected"], row)
    following = [*row["punches"], {"at": row["next_undirected"], "dir": None}]
    scenario: Scenario = read_scenario({**row, "punches": following})
    goes = {one.punch.at: one.goes for one in scenario.placed}
    assert (goes[at] if goes[at] is not Direction.UNKNOWN else Direction.IN) == row["expect"]["dir"]


@pytest.mark.parametrize("row", run_rows("rounding"))
def test_clock_times_are_rounded_as_the_table_says(row: dict[str, Any]) -> None:
    mode, step = ROUNDING[row["round"]["mode"]]
    given = row["input"] if isinstance(row["input"], list) else [row["input"]]
    rounded = [round_text(text, step, mode, row["round"].get("grace_min", 0)) for text in given]
    wanted = row["expect"]["rounded"]
    assert rounded == (wanted if isinstance(wanted, list) else [wanted])


ROUNDING = {
    "nearest15_down_at_7": (Mode.NEAREST_DOWN, 15),
    "nearest15_up_at_7": (Mode.NEAREST_UP, 15),
    "nearest15": (Mode.NEAREST_DOWN, 15),
    "up15": (Mode.UP, 15),
    "down15": (Mode.DOWN, 15),
    "up5": (Mode.UP, 5),
    "down5": (Mode.DOWN, 5),
}


def round_text(text: str, step: int, mode: Mode, grace: int) -> str:
    at = datetime.combine(date(2025, 3, 3), time.fromisoformat(text))
    return f"{round_clock(at, step, mode, grace):%H:%M}"


@pytest.mark.parametrize("row", run_rows("compliance"))
def test_the_laws_limits_are_watched_as_the_table_says(row: dict[str, Any]) -> None:
    limits, expect = KNOWN[row["policy"]["monitor"]], row["expect"]
    days = worked_days(read_scenario(row))
    passed = watch(days, limits)
    wanted = [LIMIT_NAMES.get(name, name) for name in expect["violations"]]
    assert sorted({str(one.limit) for one in passed}) == sorted(wanted)
    first = days[min(days)]
    figures = {
        "worked_min": sum(((span.length) for span in first), timedelta()) // MINUTE,
        "spread_min": (first[-1].end - first[0].start) // MINUTE,
        "week_worked_min": sum((span.length for spans in days.values() for span in spans), timedelta()) // MINUTE,
        "overtime_at_double_min": sum((one.length for one in at_double(days)), timedelta()) // MINUTE,
    }
    named = {name: value for name, value in expect.items() if name in figures}
    assert {name: figures[name] for name in named} == named


def worked_days(scenario: Scenario) -> dict[date, Sequence[Interval]]:
    return {record.shift_date: record.worked for record in scenario.records}


def at_double(days: Mapping[date, Sequence[Interval]]) -> list[Overtime]:
    """Section 59: beyond nine hours a day or forty-eight a week."""
    law = FACTORIES_ACT_1948
    rules = [OvertimeRule("day", Per.DAY, law.daily_hours), OvertimeRule("week", Per.WEEK, law.weekly_hours)]
    return classify(days, rules)


@pytest.mark.parametrize("row", run_rows("calendar"))
def test_a_local_day_is_as_long_as_its_clock_says(row: dict[str, Any]) -> None:
    length = day_length(date.fromisoformat(row["date"]), ZoneInfo(row["tz"]))
    assert length // MINUTE == row["expect"]["day_length_min"]


def test_every_row_is_run_or_says_why_not() -> None:
    left_out = {(row["family"], row["kind"]) for row in ROWS} - RUN
    assert left_out <= OUTSIDE.keys()


def test_a_punch_is_read_with_its_offset() -> None:
    row = {"tz": "America/Vancouver", "punches": [{"at": "2013-11-03T01:30:00", "dir": "in", "fold": 1}]}
    punch: Punch = read_scenario(row).punches[0]
    assert punch.at.isoformat() == "2013-11-03T09:30:00+00:00"
