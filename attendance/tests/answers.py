"""What a row of the scenario table expects, asserted of the records that the rules derive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from attendance.rules.days import DayRecord, State, Status
from attendance.rules.flags import FlagKind
from attendance.rules.intervals import total, whole_minutes
from attendance.rules.matching import PunchState
from attendance.rules.overtime import Overtime, OvertimeRule, Per, classify
from attendance.rules.rounding import Mode, round_clock
from attendance.tests.scenarios import MINUTE, Row, Scenario, instant


def local(text: str, row: Row) -> datetime:
    return instant(text, ZoneInfo(row["tz"]))


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
    instants = {name: local(expect[name], row) for name in INSTANTS if expect.get(name)}
    wanted = {name: value for name, value in {**expect, **instants}.items() if name not in ("date", "note")}
    assert {name: answers[name] for name in wanted} == wanted


def answers_of(records: Sequence[DayRecord], expect: Row, row: Row) -> dict[str, Any]:
    """Return every word of the table that a record answers."""
    record = records[0]
    paid_in, paid_out = rounded(record.first_in, "in", row), rounded(records[-1].last_out, "out", row)
    worked = sum(_worked_on(one, expect.get("date")) for one in records)
    if record.first_in and record.last_out:
        worked += (record.first_in - paid_in + paid_out - records[-1].last_out) // MINUTE
    return {
        "shift": record.shift,
        "status": record.status,
        "late": record.has(FlagKind.LATE),
        "late_min": record.after_start_minutes,
        "early": record.has(FlagKind.EARLY_EXIT),
        "early_min": record.early_exit_minutes,
        "worked_min": worked,
        "paid_in": paid_in,
        "paid_out": paid_out,
        "absent": record.status == Status.ABSENT,
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


INSTANTS = ("first_in", "last_out", "paid_in", "paid_out")


def rounded(at: datetime | None, edge: str, row: Row) -> datetime | None:
    """Return an end of the day as a row rounds it for pay: the first policy of its edge in whose window it lies."""
    zone = ZoneInfo(row["tz"])
    for policy in row.get("policy", {}).get("round") or ():
        if at is None or policy["on"] != edge:
            continue
        if "within" in policy:
            clock, around = policy["within"]
            middle = datetime.combine(at.astimezone(zone).date(), time.fromisoformat(clock), zone)
            if abs(at - middle) > around * MINUTE:
                continue
        way = ROUND_WAYS[policy["type"]]
        return round_clock(at.astimezone(zone), policy["interval"], way, policy.get("grace", 0)).astimezone(UTC)
    return at


ROUND_WAYS = {"up": Mode.UP, "down": Mode.DOWN, "average": Mode.NEAREST_UP, "nearest": Mode.NEAREST_UP}


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
    if flexible := (row.get("calendar") or {}).get("work", {}).get("flexible_min_per_day"):
        beyond = total_of(classify({day: worked}, [OvertimeRule("flexible", Per.DAY, flexible * MINUTE)]))
        return (beyond - max(timedelta(), flexible * MINUTE - total(worked))) // MINUTE if records[-1].last_out else 0
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
