"""Shifts, punches and rosters as values, for the tests of the rules."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from attendance.rules.days import DayRecord
from attendance.rules.derivation import Derived, Roster, derive_days
from attendance.rules.matching import Direction, Punch
from attendance.rules.shifts import (
    DAY,
    Assignment,
    LeavePart,
    Occurrence,
    Shift,
    occurrences,
)

FIRST, SECOND = LeavePart.FIRST_HALF, LeavePart.SECOND_HALF
KOLKATA, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)
MORNING = Shift(
    "A",
    time(8),
    time(17),
    version=3,
    grace_in=timedelta(minutes=5),
    window_before=timedelta(hours=2),
    window_after=timedelta(hours=2),
)
NIGHT = dataclasses.replace(MORNING, name="N", starts_at=time(22), ends_at=time(6))
LATER = datetime(2026, 4, 1, tzinfo=UTC)


def clock(text: str, day: date = MONDAY, zone: ZoneInfo = KOLKATA) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), zone).astimezone(UTC)


def entry(text: str, **where: object) -> Punch:
    return Punch(clock(text), Direction.IN, **where)


def leave(text: str) -> Punch:
    return Punch(clock(text), Direction.OUT)


def assigned(*shifts: Shift, days: int = 3) -> tuple[Assignment, ...]:
    return tuple(Assignment((shift,), MONDAY, MONDAY + timedelta(days=days - 1)) for shift in shifts)


def roster(*shifts: Shift, days: int = 3, zone: ZoneInfo = KOLKATA) -> list[Occurrence]:
    return occurrences(assigned(*shifts, days=days), (), MONDAY, MONDAY + timedelta(days=days - 1), zone)


def derive(
    punches: Sequence[Punch], *shifts: Shift, zone: ZoneInfo = KOLKATA, now: datetime = LATER, days: int = 3
) -> Derived:
    """Derive three days and what lies around them, as the product does."""
    given = Roster(assigned(*(shifts or (MORNING,)), days=days))
    return derive_days(given, punches, MONDAY - DAY, MONDAY + 4 * DAY, zone, now=now, watermark=now)


def records(punches: Sequence[Punch], *shifts: Shift, **context: object) -> list[DayRecord]:
    return [record for record in derive(punches, *shifts, **context).records if record.occurrence]
