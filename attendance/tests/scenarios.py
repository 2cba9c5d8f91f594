"""Reads rows of the scenario table into the values of the rules; local wall clock times become instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from attendance.rules.days import DayRecord, Status
from attendance.rules.derivation import Derived, Roster, derive_days, plan
from attendance.rules.grace import GracePolicy
from attendance.rules.matching import Direction, Placed, Punch, place_punches
from attendance.rules.sessions import SessionPolicy
from attendance.rules.shifts import Assignment, DatedBy, OvertimePolicy, Shift

DAYS_OFF = (Status.HOLIDAY, Status.WEEK_OFF, Status.ON_LEAVE)


@dataclass(frozen=True)
class Scenario:
    """One row as values."""

    zone: ZoneInfo
    punches: Sequence[Punch]
    roster: Roster
    first: date
    last: date
    as_of: datetime
    grace: GracePolicy

    @property
    def derived(self) -> Derived:
        """The records at the watermark, as the product derives them; days that nobody planned make none."""
        return derive_days(
            self.roster,
            self.punches,
            self.first,
            self.last,
            self.zone,
            now=self.as_of,
            watermark=self.as_of,
            grace=[(date.min, self.grace)],
        )

    @property
    def records(self) -> list[DayRecord]:
        return [record for record in self.derived.records if record.status not in DAYS_OFF and record.status]

    @property
    def placed(self) -> list[Placed]:
        return place_punches(self.punches, plan(self.roster, self.first, self.last, self.zone))


def minutes(row: dict[str, Any], name: str, default: int = 0) -> timedelta:
    return timedelta(minutes=row.get(name) if row.get(name) is not None else default)


def read_shift(row: dict[str, Any], policy: dict[str, Any]) -> Shift:
    deducted = policy.get("break_deduct_min") or policy.get("break_auto_deduct_min")
    return Shift(
        name=row["id"],
        starts_at=time.fromisoformat(row["start"]),
        ends_at=time.fromisoformat(row["end"]),
        grace_in=minutes(row, "grace_in_min"),
        grace_out=minutes(row, "grace_out_min"),
        window_before=minutes(row, "before_min", 60),
        window_after=minutes(row, "after_min", 60),
        half_day_below=minutes(row, "half_day_below_min"),
        absent_below=minutes(row, "absent_below_min"),
        break_deducted=timedelta(minutes=row.get("break_auto_deduct_min") or deducted or 0),
        is_strict=policy.get("direction") == "strict",
        counts_pairs=policy.get("worked") == "pairs",
        skips_holidays=row.get("mark_on_holidays") is False,
        dated_by=DatedBy(policy.get("day_of_shift", "start")),
        overtime=OvertimePolicy.BEYOND_HOURS if row.get("overtime") else OvertimePolicy.OFF,
    )


def read_punch(row: dict[str, Any], number: int, zone: ZoneInfo) -> Punch:
    local = datetime.fromisoformat(row["at"]).replace(tzinfo=zone, fold=row.get("fold", 0))
    direction = Direction(row["dir"]) if row.get("dir") else Direction.UNKNOWN
    return Punch(local.astimezone(UTC), direction, id=number)


def read_assignment(row: dict[str, Any], shifts: dict[str, Shift]) -> Assignment:
    return Assignment((shifts[row["shift"]],), date.fromisoformat(row["from"]), _day(row.get("to")))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def read_sessions(policy: dict[str, Any]) -> SessionPolicy:
    return SessionPolicy(
        new_session_gap=minutes(policy, "new_shift_gap_min", 240),
        longest=minutes(policy, "max_shift_min", 960),
        dated_by=DatedBy(policy.get("day_of_shift", "start")),
        break_deducted=minutes(policy, "break_deduct_min"),
        counts_pairs=policy.get("worked") != "first_last",
    )


def read_scenario(row: dict[str, Any]) -> Scenario:
    """Read a row of the kinds day, match, dedupe, worked or compliance."""
    zone, policy = ZoneInfo(row["tz"]), row.get("policy", {})
    shifts = {shift["id"]: read_shift(shift, policy) for shift in row.get("shifts", ())}
    default = shifts.get(row.get("default_shift") or "")
    punches = [read_punch(given, number, zone) for number, given in enumerate(row.get("punches", ()))]
    as_of = datetime.fromisoformat(row["as_of"]).replace(tzinfo=zone).astimezone(UTC) if row.get("as_of") else None
    roster = Roster(
        assignments=tuple(read_assignment(given, shifts) for given in row.get("assignments", ())),
        defaults=(Assignment((default,), date.min),) if default else (),
        holidays=frozenset(date.fromisoformat(day) for day in row.get("calendar", {}).get("holidays", ())),
        sessions=None if shifts else read_sessions(policy),
    )
    days = [punch.at.astimezone(zone).date() for punch in punches]
    days += [assignment.from_date for assignment in roster.assignments]
    days += [as_of.astimezone(zone).date()] if as_of else []
    grace = GracePolicy(free_lates=policy.get("free_lates_per_month", 0))
    first, last = min(days) - timedelta(days=1), max(days) + timedelta(days=1)
    return Scenario(zone, punches, roster, first, last, as_of or _end(punches), grace)


def _end(punches: Sequence[Punch]) -> datetime:
    """Without a watermark nothing after the last punch is known: the days of the punches are over, no others are."""
    return max(punch.at for punch in punches)
