"""Reads rows of the scenario table into the values of the rules; local wall clock times become instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from attendance.rules.days import DayRecord, derive_day
from attendance.rules.matching import Direction, Placed, Punch, place_punches
from attendance.rules.shifts import Assignment, Occurrence, Shift, occurrences

FAR = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scenario:
    """One row as values."""

    zone: ZoneInfo
    punches: Sequence[Punch]
    occurrences: Sequence[Occurrence]
    as_of: datetime

    @property
    def placed(self) -> list[Placed]:
        return place_punches(self.punches, self.occurrences)

    @property
    def records(self) -> list[DayRecord]:
        """Return the final records, and those of days with punches; closed at the watermark."""
        placed = self.placed
        found = (derive_day(o, placed, self.zone, now=self.as_of, watermark=self.as_of) for o in self.occurrences)
        return [record for record in found if record is not None]


def minutes(row: dict[str, Any], name: str, default: int = 0) -> timedelta:
    return timedelta(minutes=row.get(name) if row.get(name) is not None else default)


def read_shift(row: dict[str, Any], policy: dict[str, Any]) -> Shift:
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
        break_deducted=minutes(policy, "break_deduct_min"),
        is_strict=policy.get("direction") == "strict",
        counts_pairs=policy.get("worked") == "pairs",
        has_holidays=row.get("mark_on_holidays") is False,
    )


def read_punch(row: dict[str, Any], number: int, zone: ZoneInfo) -> Punch:
    local = datetime.fromisoformat(row["at"]).replace(tzinfo=zone, fold=row.get("fold", 0))
    direction = Direction(row["dir"]) if row.get("dir") else Direction.UNKNOWN
    return Punch(local.astimezone(UTC), direction, id=number)


def read_assignment(row: dict[str, Any], shifts: dict[str, Shift]) -> Assignment:
    return Assignment(shifts[row["shift"]], date.fromisoformat(row["from"]), _day(row.get("to")))


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def read_scenario(row: dict[str, Any]) -> Scenario:
    """Read a row of the kinds day, match, dedupe or worked."""
    zone, policy = ZoneInfo(row["tz"]), row.get("policy", {})
    shifts = {shift["id"]: read_shift(shift, policy) for shift in row.get("shifts", ())}
    assignments = [read_assignment(given, shifts) for given in row.get("assignments", ())]
    punches = [read_punch(given, number, zone) for number, given in enumerate(row.get("punches", ()))]
    as_of = datetime.fromisoformat(row["as_of"]).replace(tzinfo=zone).astimezone(UTC) if row.get("as_of") else None
    days = [punch.at.astimezone(zone).date() for punch in punches]
    days += [a.from_date for a in assignments]
    days += [as_of.astimezone(zone).date()] if as_of else []
    found = occurrences(
        assignments,
        shifts.get(row.get("default_shift") or ""),
        min(days) - timedelta(days=1),
        max(days) + timedelta(days=1),
        zone,
    )
    holidays = {date.fromisoformat(day) for day in row.get("calendar", {}).get("holidays", ())}
    kept = [o for o in found if not (o.shift.has_holidays and o.shift_date in holidays)]
    return Scenario(zone, punches, kept, as_of or _end(punches))


def _end(punches: Sequence[Punch]) -> datetime:
    """Without a watermark nothing after the last punch is known: the days of the punches are over, no others are."""
    return max(punch.at for punch in punches)
