"""Rows of the scenario table through the rules, one test each, named by its id.

The tables lie beside this file: the one that was given, and more of its kinds. The environment variable
``ATTENDANCE_SCENARIOS`` names another of the same form. Only what a row expects is asserted, and every word that it
expects must be known. What is not run is listed row by row, with its reason.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance.rules.days import DayRecord
from attendance.rules.flags import FlagKind
from attendance.rules.grace import GracePolicy, keep_ledger
from attendance.rules.intervals import Interval, day_length, total, within
from attendance.rules.limits import FACTORIES_ACT_1948, KNOWN, beyond_law, watch
from attendance.rules.matching import Direction, Punch, PunchState, punch_key
from attendance.rules.overtime import classify
from attendance.rules.rounding import Mode, round_clock, round_minutes
from attendance.rules.shifts import DAY, Assignment, find_overlap, judge_shift
from attendance.tests.answers import answers_of, assert_days, local, overtime_of, read_overtime, total_of
from attendance.tests.scenarios import (
    EDITS,
    MINUTE,
    Row,
    Scenario,
    after_steps,
    as_one_shift,
    every_day,
    read_assignment,
    read_scenario,
    read_shift,
)

DATA = Path(__file__).parent / "data"
GIVEN = os.environ.get("ATTENDANCE_SCENARIOS")
TABLES = [Path(GIVEN)] if GIVEN else [DATA / "scenarios.jsonl", DATA / "more-scenarios.jsonl"]
ROWS = [json.loads(line) for path in TABLES for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]

KINDS_OUTSIDE = {
    "approval": "overtime is shown, and approved in the payroll",
    "autoclose": "a session closes itself at its scheduled end, not after a budget of hours",
    "ingest": "the codes of one make of device",
    "lock": "periods are locked by a person, not by the calendar",
    "ops": "records are derived, never typed in or cancelled, and a roster turns by days, not by months",
}
"""Kinds of rows that ask for what this product does otherwise."""


def is_balance(row: Row) -> bool:
    """Whether a row asks for more than the hours of a day: tolerances of minutes."""
    policy = row.get("policy", {})
    return any(policy.get(name) for name in ("tolerance_employer_min", "tolerance_employee_min"))


LEFT_OUT: Sequence[tuple[str, Callable[[Row], bool]]] = [
    ("a rest is not rounded apart from the work around it", lambda row: row["kind"] == "day" and _rounds_rests(row)),
    ("a balance that forgives minutes belongs to the payroll", is_balance),
    ("grace is compared to the second", lambda row: row["family"] == "horilla" and _has_seconds(row)),
    ("places are not checked", lambda row: "locations" in row),
    (
        "an open entry is closed by the next exit, and no pair is slipped in between",
        lambda row: row["kind"] == "validation" and not {"candidates", "locations"} & row.keys() and _is_cut(row),
    ),
    ("grace is not two-sided", lambda row: "deviation" in _asked(row)),
    ("the row names a shift that it does not give", lambda row: row["kind"] == "exception" and _needs_a_shift(row)),
    ("an edit that corrections do not know", lambda row: any(step["op"] not in EDITS for step in _steps(row))),
    (
        "a wish for rules of pay",
        lambda row: row["kind"] == "policy" and not {"points", "penalised"} & _asked(row).keys(),
    ),
    (
        "minutes before the start are counted",
        lambda row: "worked_min_wanted" in _asked(row),
    ),
    ("a table that rounds whole steps down contradicts rounding", lambda row: row.get("input_min", 1) % 15 == 0),
]
"""Why a row is left out, the first reason that holds."""


def _rounds_rests(row: Row) -> bool:
    """Whether a row rounds more than the first entry and the last exit."""
    policy = row.get("policy", {})
    edges = {one["on"] for one in policy.get("round") or ()}
    return "round_ends" in policy or not edges <= {"in", "out"} or (bool(edges) and len(row["punches"]) > TWO)


TWO = 2


def _has_seconds(row: Row) -> bool:
    return any(not punch["at"].endswith(":00") for punch in row.get("punches", ()))


def _is_cut(row: Row) -> bool:
    """Whether a row offers more than whole pairs and open entries."""
    return any(not isinstance(pair, list) for pair in row.get("pairs") or [{}])


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


DAY_KINDS = ("day", "dedupe", "exception", "worked")


@pytest.mark.parametrize("row", [one for one in run_rows(*DAY_KINDS) if "accepted" not in one.values[0]["expect"]])
def test_the_days_are_as_the_table_says(row: Row) -> None:
    if row["kind"] in ("worked", "dedupe"):
        row = as_one_shift(row)
    assert_days(read_scenario(row), row["expect"], row)


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


@pytest.mark.parametrize("row", [one for one in run_rows("validation") if "candidates" in one.values[0]])
def test_a_shift_that_cannot_be_is_refused(row: Row) -> None:
    shifts = [read_shift(candidate, {}) for candidate in row["candidates"]]
    refused = [judge_shift(one.starts_at, one.ends_at, one.window_before, one.window_after) for one in shifts]
    assert [not code for code in refused] == row["expect"]["accept"]


@pytest.mark.parametrize("row", [one for one in run_rows("validation") if "pairs" in one.values[0]])
def test_a_pair_that_cannot_be_makes_no_work_of_its_own(row: Row) -> None:
    """Facts are never refused here: a pair is accepted when both its punches count, and its work is what it says."""
    accepted, known = [], []
    for entry, leaving in row["pairs"]:
        given = [{"at": at, "dir": way} for at, way in ((entry, "in"), (leaving, "out")) if at]
        accepted.append(makes_its_work({**row, "punches": [*known, *given]}, entry, leaving))
        known += given if accepted[-1] else []
    assert accepted == row["expect"]["accepted"]


def makes_its_work(row: Row, entry: str, leaving: str | None) -> bool:
    shift = {"id": "all", "start": "00:00", "end": "23:58", "before_min": 0, "after_min": 0}
    given = {"shift": "all", "from": entry[:10], "to": entry[:10]}
    policy = {"direction": "strict", "worked": "pairs"}
    record = read_scenario({**row, "policy": policy, "shifts": [shift], "assignments": [given]})
    asked = {local(at, row) for at in (entry, leaving) if at}
    counted = {one.punch.at for one in record.placed if one.state is PunchState.COUNTED}
    if leaving is None:
        return asked <= counted
    wanted = Interval(local(entry, row), local(leaving, row))
    return asked <= counted and any(wanted in day.worked for day in record.records)


@pytest.mark.parametrize("row", run_rows("absence"))
def test_who_has_fixed_hours_is_missed_and_nobody_else(row: Row) -> None:
    expect = row["expect"]
    day = date.fromisoformat(expect["scheduled"]["date"])
    planned = {**row, "assignments": [], "policy": {"ot_vs": "calendar"}}
    for name, expected in expect.items():
        roster = replace(
            read_scenario(planned).roster, assignments=tuple(every_day(row)) if name == "scheduled" else ()
        )
        scenario = replace(read_scenario(planned), roster=roster, first=day, last=day)
        on_day = [record for record in scenario.records if record.shift_date == day]
        answers = answers_of(on_day, expected, planned) if on_day else {"absent": False, "date": expected.get("date")}
        missing = on_day[0].scheduled // MINUTE if on_day and answers["absent"] else 0
        answers = {**answers, "date": day.isoformat(), "ot_min": -missing}
        assert {word: answers[word] for word in expected} == expected


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
    limits, expect = KNOWN[row["policy"]["monitor"]][-1], row["expect"]
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
            frame = Interval(*(at.astimezone(UTC) for at in (datetime.combine(evening, start, zone), until)))
            inside += total(within(spans, frame))
    assert inside // MINUTE == row["expect"]["window_min"]


@pytest.mark.parametrize("row", run_rows("recompute"))
def test_an_edit_moves_what_it_touches(row: Row) -> None:
    for scenario, expect in zip(after_steps(row), row["expect"]["after"], strict=True):
        if "ot_total_min" in expect:
            assert total_overtime(scenario, row) == expect["ot_total_min"]
        days = {name: value for name, value in expect.items() if name != "ot_total_min"}
        assert_days(scenario, days, row)


def total_overtime(scenario: Scenario, row: Row) -> int:
    """Return the overtime of all days together."""
    days: dict[date, list[DayRecord]] = {}
    for record in scenario.records:
        days.setdefault(record.shift_date, []).append(record)
    return sum(overtime_of(records, row) for records in days.values())


@pytest.mark.parametrize("row", run_rows("calendar"))
def test_a_local_day_is_as_long_as_its_clock_says(row: Row) -> None:
    length = day_length(date.fromisoformat(row["date"]), ZoneInfo(row["tz"]))
    assert length // MINUTE == row["expect"]["day_length_min"]


RUN = {
    "absence", "calendar", "compliance", "day", "dedupe", "direction", "exception", "match", "overlap", "policy",
    "recompute", "rounding", "validation", "week", "window", "worked",
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
