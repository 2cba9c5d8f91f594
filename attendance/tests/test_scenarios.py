"""Rows of the scenario table through the rules, one test each, named by its id.

The table lies beside this file; the environment variable ``ATTENDANCE_SCENARIOS`` names another of the same form. Only
what a row expects is asserted. Kinds and families that are not run are in `OUTSIDE`, each with its reason.
"""

from __future__ import annotations

import json
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance.rules.days import DayRecord, FlagKind, State
from attendance.rules.matching import PunchState
from attendance.rules.shifts import Assignment, find_overlap
from attendance.tests.scenarios import Scenario, read_scenario, read_shift

TABLE = Path(os.environ.get("ATTENDANCE_SCENARIOS") or Path(__file__).parent / "data" / "scenarios.jsonl")
ROWS = [json.loads(line) for line in TABLE.read_text(encoding="utf-8").splitlines() if line.strip()]

RUN = {
    ("seed", "day"),
    ("seed", "dedupe"),
    ("frappe", "day"),
    ("frappe", "match"),
    ("frappe", "overlap"),
    ("timetrex", "match"),
}

OUTSIDE = {
    "odoo": "calendars with breaks, tolerance and overtime by interval are not among the rules",
    "horilla": "its noon-to-noon day and minute-wise grace contradict the rules that are built",
    "vendor": "rounding tables and deductions belong to pay",
    "law": "limits are monitored, which is not among the rules",
    "timetrex": "days without a shift, split at gaps, are not among the rules",
    "kimai": "locks and rounding are not among the rules",
    "orangehrm": "validation of pairs is not among the rules",
    "frappe": "overtime, validation, direction and operations are not among the rules",
    "seed": "only days and double entries are stated",
}


def run_rows(*kinds: str) -> list[Any]:
    chosen = [row for row in ROWS if (row["family"], row["kind"]) in RUN and row["kind"] in kinds]
    return [pytest.param(row, id=row["id"]) for row in chosen if not needs_overtime(row)]


def needs_overtime(row: dict[str, Any]) -> bool:
    return any("ot_min" in day for day in row["expect"].get("days", ()))


def records_by_day(scenario: Scenario) -> dict[tuple[str, str | None], DayRecord]:
    return {(record.shift_date.isoformat(), record.shift): record for record in scenario.records}


@pytest.mark.parametrize("row", run_rows("day", "dedupe"))
def test_the_days_are_as_the_table_says(row: dict[str, Any]) -> None:
    scenario = read_scenario(row)
    records, expect = scenario.records, row["expect"]
    by_date = {record.shift_date.isoformat(): record for record in records}
    for day in expect.get("days", ()):
        assert_day(by_date[day["date"]], day)
    for day in expect.get("no_record", ()):
        assert day not in by_date
    for day in expect.get("not_status", ()):
        assert day["date"] not in by_date or by_date[day["date"]].status != day["status"]
    if "day_count" in expect:
        assert len(records) == expect["day_count"]
    if "suppressed" in expect:
        doubles = [p.punch.at for p in scenario.placed if p.state is PunchState.DUPLICATE]
        assert doubles == [local(at, row) for at in expect["suppressed"]]


def local(text: str, row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(row["tz"]))


def assert_day(record: DayRecord, expect: dict[str, Any]) -> None:
    """Assert what a row says of one day, nothing else."""
    answers = {
        "shift": record.shift,
        "status": record.status,
        "late": record.has(FlagKind.LATE),
        "late_min": record.after_start_minutes,
        "early": record.has(FlagKind.EARLY_EXIT),
        "early_min": record.early_exit_minutes,
        "worked_min": record.worked_minutes,
        "grace_used_min": record.grace_used_minutes,
        "missing_out": record.has(FlagKind.MISSING_OUT),
        "hr_review": bool(record.flags),
        "provisional": record.state is not State.FINAL,
    }
    wanted = {name: value for name, value in expect.items() if name in answers}
    assert {name: answers[name] for name in wanted} == wanted


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
    given = [Assignment(read_shift(shift, {}), day, day) for shift in row["shifts"]]
    assert (find_overlap(given, ZoneInfo(row["tz"]), day, day) is not None) is row["expect"]["overlap"]


def test_every_family_that_is_left_out_says_why() -> None:
    left_out = {row["family"] for row in ROWS if (row["family"], row["kind"]) not in RUN}
    assert left_out <= OUTSIDE.keys()
