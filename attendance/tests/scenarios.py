"""Reads rows of the scenario table into the values of the rules; local wall clock times become instants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from attendance.rules.days import DayRecord, Status
from attendance.rules.derivation import Derived, Roster, derive_days, plan
from attendance.rules.grace import GracePolicy
from attendance.rules.matching import Direction, Placed, Punch, place_punches
from attendance.rules.sessions import SessionPolicy
from attendance.rules.shifts import DAY, Assignment, DatedBy, Leave, LeavePart, OvertimePolicy, Shift

MINUTE = timedelta(minutes=1)
DAYS_OFF = (Status.HOLIDAY, Status.WEEK_OFF, Status.ON_LEAVE)
DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NOBODY = ("inactive", "suspended", "terminated", "left")

Row = Mapping[str, Any]


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
        """The records at the watermark, as the product derives them."""
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
        """The records of days on which somebody was to come or came; the table speaks of no others."""
        return [record for record in self.derived.records if record.status not in DAYS_OFF and record.status]

    @property
    def placed(self) -> list[Placed]:
        return place_punches(self.punches, plan(self.roster, self.first, self.last, self.zone))


def read_scenario(row: Row) -> Scenario:
    """Read a row that has punches, a roster and perhaps a watermark."""
    zone, policy = ZoneInfo(row["tz"]), row.get("policy", {})
    shifts = {shift["id"]: read_shift(shift, policy) for shift in row.get("shifts") or ()}
    punches = [read_punch(given, number, zone) for number, given in enumerate(row.get("punches") or ())]
    as_of = instant(row["as_of"], zone) if row.get("as_of") else None
    if as_of:
        punches = [punch for punch in punches if punch.at <= as_of]
    default = shifts.get(row.get("default_shift") or "")
    roster = Roster(
        assignments=tuple(_assignments(row, shifts)),
        defaults=(Assignment((default,), date.min),) if default else (),
        holidays=frozenset(map(date.fromisoformat, (row.get("calendar") or {}).get("holidays", ()))),
        leaves=tuple(read_leaves(row.get("leave"))),
        **_employment(row.get("employee")),
    )
    if not shifts:
        roster = replace(roster, sessions=read_sessions(policy))
    if default:
        roster = replace(roster, joined=max(roster.joined or date.min, _known_since(punches, roster, as_of, zone)))
    first, last = _span(punches, roster, as_of, zone)
    grace = GracePolicy(free_lates=policy.get("free_lates_per_month", 0))
    scenario = Scenario(zone, punches, roster, first, last, as_of or instant(f"{last}T00:00", zone), grace)
    return replace(scenario, as_of=_all_known(scenario)) if punches and not as_of else scenario


def _span(punches: Sequence[Punch], roster: Roster, as_of: datetime | None, zone: ZoneInfo) -> tuple[date, date]:
    days = [punch.at.astimezone(zone).date() for punch in punches]
    days += [assignment.from_date for assignment in roster.assignments]
    days += [as_of.astimezone(zone).date()] if as_of else []
    return min(days) - DAY, max(days) + DAY


def _known_since(punches: Sequence[Punch], roster: Roster, as_of: datetime | None, zone: ZoneInfo) -> date:
    """Return the first date that the row speaks of: a default shift says nothing of the days before."""
    first, last = _span(punches, roster, as_of, zone)
    days = [leave.first for leave in roster.leaves] + [assignment.from_date for assignment in roster.assignments]
    placed = place_punches(punches, plan(roster, first - DAY, last, zone))
    days += [one.occurrence.shift_date for one in placed if one.occurrence]
    return min([*days, *(punch.at.astimezone(zone).date() for punch in punches)], default=first)


def _all_known(scenario: Scenario) -> datetime:
    """Without a watermark the days of the punches are over, and nothing is known of others."""
    ends = [one.occurrence.window_end for one in scenario.placed if one.occurrence]
    gap = scenario.roster.sessions.new_session_gap if scenario.roster.sessions else timedelta()
    return max([*ends, *(punch.at + gap for punch in scenario.punches)]) + timedelta(seconds=1)


def instant(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def minutes(row: Row, name: str, default: int = 0) -> timedelta:
    return timedelta(minutes=row.get(name) if row.get(name) is not None else default)


def read_shift(row: Row, policy: Row) -> Shift:
    starts_at, ends_at = time.fromisoformat(row["start"]), time.fromisoformat(row["end"])
    deducted = row.get("break_auto_deduct_min") or policy.get("break_auto_deduct_min") or policy.get("break_deduct_min")
    least = minutes(row, "min_worked_min")
    return Shift(
        name=row["id"],
        starts_at=starts_at,
        ends_at=ends_at,
        grace_in=minutes(row, "grace_in_min", policy.get("grace_in_min", 0)),
        grace_out=minutes(row, "grace_out_min", policy.get("grace_out_min", 0)),
        half_day_below=minutes(row, "half_day_below_min") or least,
        absent_below=minutes(row, "absent_below_min") or least / 2,
        break_deducted=timedelta(minutes=deducted or 0),
        is_strict=policy.get("direction") == "strict",
        counts_pairs=policy.get("worked") == "pairs",
        repeat_within=minutes(policy, "dedupe_window_min"),
        skips_holidays=row.get("mark_on_holidays") is False,
        dated_by=DatedBy(policy.get("day_of_shift", "start")),
        overtime=OvertimePolicy.BEYOND_HOURS if row.get("overtime") or least else OvertimePolicy.OFF,
        **_windows(row),
    )


def _windows(row: Row) -> dict[str, timedelta]:
    """Read the margins; a family without any has the widest that keep two days apart."""
    if "before_min" in row and row["before_min"] is None and row.get("after_min") is None:
        starts, ends = (datetime.combine(date.min, time.fromisoformat(row[name])) for name in ("start", "end"))
        spare = DAY - ((ends - starts) % DAY) - MINUTE
        return {"window_before": spare / 2, "window_after": spare / 2}
    return {"window_before": minutes(row, "before_min", 60), "window_after": minutes(row, "after_min", 60)}


def read_punch(row: Row, number: int, zone: ZoneInfo) -> Punch:
    direction = Direction(row["dir"]) if row.get("dir") else Direction.UNKNOWN
    return Punch(instant(row["at"], zone, row.get("fold") or 0), direction, id=number)


def _assignments(row: Row, shifts: Mapping[str, Shift]) -> Iterable[Assignment]:
    """Read the assignments; one of a shift that the row does not describe says nothing."""
    for given in row.get("assignments") or ():
        if given["shift"] in shifts:
            yield read_assignment(given, shifts)
    times = [datetime.fromisoformat(punch["at"]) for punch in row.get("punches") or ()]
    for days, slots in calendar_slots(row.get("calendar")):
        shift = _slots_as_shift(slots, row.get("policy", {}))
        dates = sorted({at.date() for at in times if at.weekday() in days})
        yield from (Assignment((shift,), day, day) for day in dates)


def every_day(row: Row) -> Iterable[Assignment]:
    """Return the calendar of a row on every date, whether somebody came or not."""
    for days, slots in calendar_slots(row.get("calendar")):
        yield Assignment((_slots_as_shift(slots, row.get("policy", {})),), date.min, weekdays=days)


def read_assignment(row: Row, shifts: Mapping[str, Shift]) -> Assignment:
    weekdays = frozenset(row["weekdays"]) if row.get("weekdays") is not None else None
    return Assignment((shifts[row["shift"]],), date.fromisoformat(row["from"]), _day(row.get("to")), weekdays)


def calendar_slots(calendar: Row | None) -> Iterable[tuple[frozenset[int], list[list[str]]]]:
    """Yield the weekdays and the working slots of a calendar like ``{"mon-fri": [["08:00", "12:00"], …]}``."""
    for name, slots in ((calendar or {}).get("work") or {}).items():
        if isinstance(slots, list):
            yield weekdays_of(name), slots


def weekdays_of(name: str) -> frozenset[int]:
    if name == "every-day":
        return frozenset(range(7))
    first, _, last = name.partition("-")
    return frozenset(range(DAY_NAMES.index(first), DAY_NAMES.index(last or first) + 1))


def _slots_as_shift(slots: list[list[str]], policy: Row) -> Shift:
    """A day of the calendar is a shift from its first slot to its last; what lies between the slots is its breaks."""
    start, end = time.fromisoformat(slots[0][0]), time.fromisoformat(slots[-1][1])
    is_taken_out = policy.get("calendar_breaks_deducted", True)
    gaps = [(time.fromisoformat(a[1]), time.fromisoformat(b[0])) for a, b in pairwise(slots)] if is_taken_out else []
    return Shift(
        name="calendar",
        starts_at=start,
        ends_at=end,
        window_before=timedelta(hours=start.hour, minutes=start.minute),
        window_after=DAY - MINUTE - timedelta(hours=end.hour, minutes=end.minute),
        breaks=tuple(gaps),
        counts_pairs=policy.get("worked", "pairs") == "pairs",
        overtime=OvertimePolicy.BEYOND_HOURS,
    )


def read_leaves(given: Any) -> Iterable[Leave]:
    """Read leave in whatever form a row gives it: dates among its values, and anything that says half."""
    for one in given if isinstance(given, list) else [given] if given else []:
        values = one if isinstance(one, dict) else {"date": one}
        days = sorted(day for value in values.values() if (day := _as_day(value)))
        if days:
            yield Leave(days[0], days[-1], _part(values))


def _as_day(value: Any) -> date | None:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _part(leave: Row) -> LeavePart:
    """A half that is not named is the second: what was worked lies at the beginning of the shift."""
    said = " ".join(f"{name} {value}" for name, value in leave.items() if value is not False).lower()
    if "half" not in said and 0.5 not in leave.values():
        return LeavePart.WHOLE
    is_first = "first" in said or "morning" in said
    return LeavePart.FIRST_HALF if is_first else LeavePart.SECOND_HALF


def _employment(given: Row | None) -> dict[str, date]:
    """Read from when to when a person is employed; somebody who is not active is employed on no day."""
    given = given or {}
    if str(given.get("status", "")).lower() in NOBODY:
        return {"joined": date.max}
    found = {"joined": _day(given.get("joined")), "left": _day(given.get("left"))}
    return {name: day for name, day in found.items() if day}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def read_sessions(policy: Row) -> SessionPolicy:
    return SessionPolicy(
        new_session_gap=minutes(policy, "new_shift_gap_min", 240),
        longest=minutes(policy, "max_shift_min", 960),
        dated_by=DatedBy(policy.get("day_of_shift", "start")),
        break_deducted=minutes(policy, "break_deduct_min"),
        counts_pairs=policy.get("worked") != "first_last",
    )


def as_one_shift(row: Row) -> Row:
    """Return a row of punches alone as one shift that holds them all."""
    if row.get("shifts"):
        return row
    times = [datetime.fromisoformat(punch["at"]) for punch in row["punches"]]
    first, last = min(times), max(times)
    shift = {"id": "all", "start": f"{first:%H:%M:%S}", "end": f"{last:%H:%M:%S}", "before_min": 0, "after_min": 0}
    given = {"shift": "all", "from": f"{first:%Y-%m-%d}", "to": f"{first:%Y-%m-%d}"}
    return {**row, "shifts": [shift], "assignments": [given]}


EDITS = {"pairs", "delete_pair", "edit_punch"}


def after_steps(row: Row) -> Iterable[Scenario]:
    """Yield what is known after each step of a row that tells of edits: pairs added or taken away, punches moved."""
    punches: list[dict[str, str]] = []
    for step in row["steps"]:
        if step["op"] == "pairs":
            for entry, leaving in step["pairs"]:
                punches += [{"at": entry, "dir": "in"}, {"at": leaving, "dir": "out"}]
        elif step["op"] == "delete_pair":
            punches = [punch for punch in punches if punch["at"] not in step["pair"]]
        else:
            punches = [{**p, "at": step["to"] if p["at"] == step["from"] else p["at"]} for p in punches]
        yield read_scenario({**row, "punches": sorted(punches, key=lambda punch: punch["at"])})
