"""The day record of one occurrence, derived from its punches: the same facts always give the same record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from attendance.rules.matching import Direction, Placed, Punch, PunchState, worked_time
from attendance.rules.shifts import Occurrence

MINUTE = timedelta(minutes=1)


class Status(StrEnum):
    PRESENT = "present"
    HALF_DAY = "half_day"
    ABSENT = "absent"


class State(StrEnum):
    """Live while the window is open, provisional until every source has reported past it, then final."""

    LIVE = "live"
    PROVISIONAL = "provisional"
    FINAL = "final"


class FlagKind(StrEnum):
    LATE = "late"
    EARLY_EXIT = "early_exit"
    MISSING_OUT = "missing_out"


@dataclass(frozen=True, slots=True)
class Flag:
    """Something HR looks at: whole minutes, the rule by name and version, and the sentence that explains it."""

    kind: FlagKind
    minutes: int
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class DayRecord:
    """One occurrence of one person. Minutes are whole and rounded down; what decides is compared to the second."""

    shift: str
    shift_date: date
    state: State
    status: Status | None
    first_in: datetime | None
    last_out: datetime | None
    worked_minutes: int
    after_start_minutes: int
    past_grace_minutes: int
    grace_used_minutes: int
    early_exit_minutes: int
    flags: tuple[Flag, ...] = ()

    def has(self, kind: FlagKind) -> bool:
        return any(flag.kind is kind for flag in self.flags)


def derive_day(
    occurrence: Occurrence, placed: Sequence[Placed], zone: ZoneInfo, *, now: datetime, watermark: datetime
) -> DayRecord | None:
    """Derive the record of ``occurrence`` from the punches placed there, in order of time.

    ``watermark`` is the instant up to which every source of the site has reported: only past the window's end does
    it make a day final. Absent is said last, when the local day on which the shift ends is over as well: a person who
    is only late must not read it. None when there is nothing to say yet.
    """
    counted = [p.punch for p in placed if p.occurrence == occurrence and p.state is PunchState.COUNTED]
    state = _judge_state(occurrence, now, watermark)
    if not counted and not (state is State.FINAL and _is_day_over(occurrence, zone, watermark)):
        return None
    first_in = _first_entry(counted)
    last_out = _last_exit(counted, is_strict=occurrence.shift.is_strict)
    worked = _worked(counted, occurrence)
    late_by = max(timedelta(), first_in.at - occurrence.starts_at) if first_in else timedelta()
    early_by = max(timedelta(), occurrence.ends_at - last_out.at) if last_out else timedelta()
    is_late = late_by > occurrence.shift.grace_in
    return DayRecord(
        shift=occurrence.shift.name,
        shift_date=occurrence.shift_date,
        state=state,
        status=_judge_status(worked, occurrence, has_punches=bool(counted), is_closed=last_out is not None),
        first_in=first_in.at if first_in else None,
        last_out=last_out.at if last_out else None,
        worked_minutes=worked // MINUTE,
        after_start_minutes=late_by // MINUTE,
        past_grace_minutes=(late_by - occurrence.shift.grace_in) // MINUTE if is_late else 0,
        grace_used_minutes=0 if is_late else late_by // MINUTE,
        early_exit_minutes=early_by // MINUTE,
        flags=_flags(occurrence, first_in, last_out, zone, is_over=state is not State.LIVE),
    )


def _judge_state(occurrence: Occurrence, now: datetime, watermark: datetime) -> State:
    if now <= occurrence.window_end:
        return State.LIVE
    return State.FINAL if watermark > occurrence.window_end else State.PROVISIONAL


def _is_day_over(occurrence: Occurrence, zone: ZoneInfo, watermark: datetime) -> bool:
    return watermark.astimezone(zone).date() > occurrence.ends_at.astimezone(zone).date()


def _first_entry(counted: Sequence[Punch]) -> Punch | None:
    return next((punch for punch in counted if punch.direction is not Direction.OUT), None)


def _last_exit(counted: Sequence[Punch], *, is_strict: bool) -> Punch | None:
    """Return the exit that ends the day: the last punch, unless it is the only one or an entry that is believed."""
    if not counted or counted[-1].direction is Direction.IN:
        return None
    if counted[-1].direction is Direction.OUT:
        return counted[-1]
    return counted[-1] if len(counted) > 1 and not is_strict else None


def _worked(counted: Sequence[Punch], occurrence: Occurrence) -> timedelta:
    shift = occurrence.shift
    gross = worked_time(counted, is_strict=shift.is_strict, counts_pairs=shift.counts_pairs)
    return max(timedelta(), gross - shift.break_deducted)


def _judge_status(worked: timedelta, occurrence: Occurrence, *, has_punches: bool, is_closed: bool) -> Status | None:
    """Absent is tested before half day, and a threshold of zero is off. An open session has no status to lose yet."""
    if not has_punches:
        return Status.ABSENT
    if not is_closed:
        return Status.PRESENT
    if worked < occurrence.shift.absent_below:
        return Status.ABSENT
    return Status.HALF_DAY if worked < occurrence.shift.half_day_below else Status.PRESENT


def _flags(
    occurrence: Occurrence, first_in: Punch | None, last_out: Punch | None, zone: ZoneInfo, *, is_over: bool
) -> tuple[Flag, ...]:
    found = []
    if first_in and first_in.at - occurrence.starts_at > occurrence.shift.grace_in:
        found.append(_late(occurrence, first_in, zone))
    if last_out and occurrence.ends_at - last_out.at > occurrence.shift.grace_out:
        found.append(_early(occurrence, last_out, zone))
    if first_in and last_out is None and is_over:
        why = f"entry {_clock(first_in.at, zone)} has no exit; {_named(occurrence)} ended {_edge(occurrence, zone)}"
        found.append(Flag(FlagKind.MISSING_OUT, 0, _rule(occurrence), why))
    return tuple(found)


def _late(occurrence: Occurrence, punch: Punch, zone: ZoneInfo) -> Flag:
    minutes = (punch.at - occurrence.starts_at) // MINUTE
    why = (
        f"LATE {minutes} min: first entry {_clock(punch.at, zone)}{_at(punch)}; {_named(occurrence)} starts "
        f"{occurrence.shift.starts_at:%H:%M}, grace {occurrence.shift.grace_in // MINUTE} min"
    )
    return Flag(FlagKind.LATE, minutes, _rule(occurrence), why)


def _early(occurrence: Occurrence, punch: Punch, zone: ZoneInfo) -> Flag:
    minutes = (occurrence.ends_at - punch.at) // MINUTE
    why = (
        f"EARLY EXIT {minutes} min: last exit {_clock(punch.at, zone)}{_at(punch)}; {_named(occurrence)} ends "
        f"{_edge(occurrence, zone)}, grace {occurrence.shift.grace_out // MINUTE} min"
    )
    return Flag(FlagKind.EARLY_EXIT, minutes, _rule(occurrence), why)


def _rule(occurrence: Occurrence) -> str:
    return f"{occurrence.shift.name} v{occurrence.shift.version}"


def _named(occurrence: Occurrence) -> str:
    return f"shift {occurrence.shift.name} (v{occurrence.shift.version})"


def _edge(occurrence: Occurrence, zone: ZoneInfo) -> str:
    return f"{occurrence.ends_at.astimezone(zone):%H:%M}"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M:%S}"


def _at(punch: Punch) -> str:
    return f" at {punch.place}" if punch.place else ""
