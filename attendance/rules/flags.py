"""What HR looks at: a flag with its minutes, the rule by name and version, and a sentence that explains it.

Every flag carries the facts it was judged from (`Flag.inputs`), and `judge_again` judges them once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from attendance.rules.matching import Placed, Punch
from attendance.rules.shifts import Occurrence

MINUTE = timedelta(minutes=1)
NO_SHIFT = "no shift"


class FlagKind(StrEnum):
    LATE = "late"
    EARLY_EXIT = "early_exit"
    MISSING_OUT = "missing_out"
    MISSING_IN = "missing_in"
    OFF_SHIFT = "off_shift"
    LOW_CONFIDENCE = "low_confidence"
    AUTO_CLOSED = "auto_closed"
    LATES_HALF_DAY = "lates_half_day"
    WORKED_ON_LEAVE = "worked_on_leave"
    ABSENT_HALF = "absent_half"


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing to look at. ``inputs`` are JSON values: instants in ISO 8601 UTC, durations in seconds."""

    kind: FlagKind
    minutes: int
    rule: str
    why: str
    inputs: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """What a decision is about: the kind and the facts. Other facts are another matter, to be decided anew."""
        facts = ";".join(f"{name}={self.inputs[name]}" for name in sorted(self.inputs))
        return sha256(f"{self.kind};{facts}".encode()).hexdigest()[:32]


def judge_late(starts_at: datetime, first_in: datetime, grace: timedelta) -> bool:
    """Late is strictly beyond grace, to the second: the last second of grace is not late."""
    return first_in - starts_at > grace


def judge_early(ends_at: datetime, last_out: datetime, grace: timedelta) -> bool:
    """Early is strictly more than grace before the end."""
    return ends_at - last_out > grace


def judge_again(kind: str, inputs: Mapping[str, Any]) -> bool:
    """Return whether the stored facts of a flag still give the flag."""
    grace = timedelta(seconds=inputs.get("grace_s", 0))
    if kind == FlagKind.LATE:
        if inputs.get("is_grace_used_up"):
            grace = timedelta()
        return judge_late(_instant(inputs["starts_at"]), _instant(inputs["first_in"]), grace)
    if kind == FlagKind.EARLY_EXIT:
        return judge_early(_instant(inputs["ends_at"]), _instant(inputs["last_out"]), grace)
    if kind in (FlagKind.MISSING_OUT, FlagKind.AUTO_CLOSED):
        return bool(inputs["first_in"]) and not inputs["last_out"]
    if kind == FlagKind.MISSING_IN:
        return bool(inputs["last_out"]) and not inputs["first_in"]
    if kind == FlagKind.LATES_HALF_DAY:
        return (inputs["lates"] - inputs["free"]) % inputs["every"] == 0
    if kind == FlagKind.ABSENT_HALF:
        return not inputs["punches"]
    return bool(inputs["punches"])


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def late(occurrence: Occurrence, punch: Punch, zone: ZoneInfo, *, used_up: str = "") -> Flag:
    """``used_up`` is the sentence of a grace that the month has used up already; grace is then none."""
    shift = occurrence.shift
    minutes = (punch.at - occurrence.due_from) // MINUTE
    why = (
        f"LATE {minutes} min: first entry {clock(punch.at, zone)}{place(punch)}; {named(occurrence)} starts "
        f"{_start(occurrence, zone)}, grace {shift.grace_in // MINUTE} min{used_up}"
    )
    inputs = {
        "starts_at": occurrence.due_from.isoformat(),
        "first_in": punch.at.isoformat(),
        "grace_s": int(shift.grace_in.total_seconds()),
        "is_grace_used_up": bool(used_up),
    }
    return Flag(FlagKind.LATE, minutes, rule_of(occurrence), why, inputs)


def early_exit(occurrence: Occurrence, punch: Punch, zone: ZoneInfo) -> Flag:
    minutes = (occurrence.due_until - punch.at) // MINUTE
    why = (
        f"EARLY EXIT {minutes} min: last exit {clock(punch.at, zone)}{place(punch)}; {named(occurrence)} ends "
        f"{_end(occurrence, zone)}, grace {occurrence.shift.grace_out // MINUTE} min"
    )
    inputs = {
        "ends_at": occurrence.due_until.isoformat(),
        "last_out": punch.at.isoformat(),
        "grace_s": int(occurrence.shift.grace_out.total_seconds()),
    }
    return Flag(FlagKind.EARLY_EXIT, minutes, rule_of(occurrence), why, inputs)


def absent_half(occurrence: Occurrence, zone: ZoneInfo) -> Flag:
    """The half that was to be worked beside half a day of leave, and nobody came."""
    start, end = (f"{at.astimezone(zone):%H:%M}" for at in (occurrence.due_from, occurrence.due_until))
    why = f"ABSENT FOR HALF: half a day of leave; no punch in the other half of {named(occurrence)}, {start} to {end}"
    inputs = {"due_from": occurrence.due_from.isoformat(), "punches": []}
    return Flag(FlagKind.ABSENT_HALF, 0, rule_of(occurrence), why, inputs)


def missing_out(occurrence: Occurrence, first_in: Punch, zone: ZoneInfo) -> Flag:
    ends = f"{named(occurrence)} ended {_end(occurrence, zone)}"
    inputs = {"first_in": first_in.at.isoformat(), "last_out": None}
    if occurrence.shift.closes_itself:
        why = f"NO EXIT: entry {clock(first_in.at, zone)}{place(first_in)} has no exit; {ends} and closes itself then"
        return Flag(FlagKind.AUTO_CLOSED, 0, rule_of(occurrence), why, inputs)
    why = f"NO EXIT: entry {clock(first_in.at, zone)}{place(first_in)} has no exit; {ends}"
    return Flag(FlagKind.MISSING_OUT, 0, rule_of(occurrence), why, inputs)


def missing_in(occurrence: Occurrence, last_out: Punch, zone: ZoneInfo) -> Flag:
    why = f"NO ENTRY: exit {clock(last_out.at, zone)}{place(last_out)} has no entry before it; {named(occurrence)}"
    inputs = {"first_in": None, "last_out": last_out.at.isoformat()}
    return Flag(FlagKind.MISSING_IN, 0, rule_of(occurrence), why, inputs)


def no_exit(first_in: Punch, zone: ZoneInfo) -> Flag:
    """An entry without an exit on a day without a shift."""
    why = f"NO EXIT: entry {clock(first_in.at, zone)}{place(first_in)} has no exit; no shift was assigned"
    inputs = {"first_in": first_in.at.isoformat(), "last_out": None}
    return Flag(FlagKind.MISSING_OUT, 0, NO_SHIFT, why, inputs)


def no_entry(last_out: Punch, zone: ZoneInfo) -> Flag:
    """An exit without an entry on a day without a shift."""
    why = f"NO ENTRY: exit {clock(last_out.at, zone)}{place(last_out)} has no entry before it; no shift was assigned"
    inputs = {"first_in": None, "last_out": last_out.at.isoformat()}
    return Flag(FlagKind.MISSING_IN, 0, NO_SHIFT, why, inputs)


def low_confidence(doubtful: Sequence[Punch], zone: ZoneInfo, rule: str) -> Flag:
    times = ", ".join(clock(punch.at, zone) for punch in doubtful)
    why = f"LOW CONFIDENCE: the face at {times} was not recognised with certainty; look at the picture"
    return Flag(FlagKind.LOW_CONFIDENCE, 0, rule, why, _times(doubtful))


def off_shift(strays: Sequence[Placed], zone: ZoneInfo) -> Flag:
    punches = [placed.punch for placed in strays]
    times = ", ".join(f"{clock(punch.at, zone)}{place(punch)}" for punch in punches)
    noun = "punch" if len(punches) == 1 else "punches"
    why = f"OFF SHIFT: {len(punches)} {noun} outside every shift's window: {times}"
    return Flag(FlagKind.OFF_SHIFT, 0, "windows", why, _times(punches))


def worked_on_leave(counted: Sequence[Punch], zone: ZoneInfo, rule: str) -> Flag:
    times = ", ".join(clock(punch.at, zone) for punch in counted)
    return Flag(FlagKind.WORKED_ON_LEAVE, 0, rule, f"ON LEAVE, yet there are punches at {times}", _times(counted))


def lates_half_day(lates: int, every: int, free: int) -> Flag:
    after = f" after {free} free ones" if free else ""
    why = f"HALF DAY: late day number {lates} of the month; every {ordinal(every)}{after} counts as half a day"
    inputs = {"lates": lates, "every": every, "free": free}
    return Flag(FlagKind.LATES_HALF_DAY, 0, f"every {ordinal(every)} late", why, inputs)


def ordinal(number: int) -> str:
    last = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 < number % 100 < 14 else last}"


def _times(punches: Sequence[Punch]) -> dict[str, Any]:
    return {"punches": [punch.at.isoformat() for punch in punches]}


def rule_of(occurrence: Occurrence) -> str:
    return f"{occurrence.shift.name} v{occurrence.shift.version}"


def named(occurrence: Occurrence) -> str:
    return f"shift {occurrence.shift.name} (v{occurrence.shift.version})"


def _start(occurrence: Occurrence, zone: ZoneInfo) -> str:
    """The time as the shift writes it; a clock change may have moved the instant."""
    if occurrence.due_from != occurrence.starts_at:
        return f"{occurrence.due_from.astimezone(zone):%H:%M} after half a day of leave"
    return f"{occurrence.shift.starts_at:%H:%M}"


def _end(occurrence: Occurrence, zone: ZoneInfo) -> str:
    before = " before half a day of leave" if occurrence.due_until != occurrence.ends_at else ""
    return f"{occurrence.due_until.astimezone(zone):%H:%M}{before}"


def clock(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M:%S}"


def place(punch: Punch) -> str:
    return f" at {punch.place}" if punch.place else ""
