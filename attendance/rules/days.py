"""The day record of one occurrence, derived from its punches: the same facts always give the same record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from attendance.rules import flags as explain
from attendance.rules.flags import Flag, FlagKind, judge_early, judge_late
from attendance.rules.intervals import NOTHING, Interval, beyond, by_day, total, without
from attendance.rules.matching import Placed, Punch, PunchState
from attendance.rules.shifts import DatedBy, LeavePart, Occurrence, OvertimePolicy
from attendance.rules.worked import Presence, due_hours, paid_spans, read_presence, scheduled_hours

MINUTE = timedelta(minutes=1)


class Status(StrEnum):
    PRESENT = "present"
    HALF_DAY = "half_day"
    ABSENT = "absent"
    HOLIDAY = "holiday"
    WEEK_OFF = "week_off"
    ON_LEAVE = "on_leave"


class State(StrEnum):
    """Live while the window is open, provisional until every source has reported past it, then final."""

    LIVE = "live"
    PROVISIONAL = "provisional"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class DayRecord:
    """One occurrence of one person, or a day without one (``occurrence`` None).

    ``status`` None: there are punches, and no shift that they could belong to.
    Minutes are whole and rounded down; what decides is compared to the second. ``worked`` are the paid stretches, and
    ``overtime`` the parts of them that count as overtime. ``shares`` is worked time by local date, cut at midnight.
    """

    shift_date: date
    state: State
    status: Status | None
    closes_at: datetime
    occurrence: Occurrence | None = None
    first_in: datetime | None = None
    last_out: datetime | None = None
    worked: tuple[Interval, ...] = ()
    overtime: tuple[Interval, ...] = ()
    after_start: timedelta = NOTHING
    grace: timedelta = NOTHING
    early_by: timedelta = NOTHING
    scheduled: timedelta = NOTHING
    shares: tuple[tuple[date, timedelta], ...] = ()
    flags: tuple[Flag, ...] = ()
    entry: Punch | None = field(default=None, compare=False)

    @property
    def shift(self) -> str | None:
        return self.occurrence.shift.name if self.occurrence else None

    @property
    def leave(self) -> LeavePart | None:
        """How much of the day is leave; a holiday takes none."""
        if self.occurrence is None:
            return LeavePart.WHOLE if self.status is Status.ON_LEAVE else None
        return None if self.occurrence.is_holiday else self.occurrence.leave

    @property
    def is_late(self) -> bool:
        return self.has(FlagKind.LATE)

    @property
    def worked_minutes(self) -> int:
        return total(self.worked) // MINUTE

    @property
    def overtime_minutes(self) -> int:
        return total(self.overtime) // MINUTE

    @property
    def after_start_minutes(self) -> int:
        return self.after_start // MINUTE

    @property
    def past_grace_minutes(self) -> int:
        """Minutes beyond grace; beyond none at all once the month's allowance is used up."""
        return (self.after_start - self.grace) // MINUTE if self.is_late else 0

    @property
    def grace_used_minutes(self) -> int:
        return 0 if self.is_late else self.after_start // MINUTE

    @property
    def early_exit_minutes(self) -> int:
        return self.early_by // MINUTE

    def has(self, kind: FlagKind) -> bool:
        return any(flag.kind is kind for flag in self.flags)


def derive_day(
    occurrence: Occurrence, placed: Sequence[Placed], zone: ZoneInfo, *, now: datetime, watermark: datetime
) -> DayRecord | None:
    """Derive the record of ``occurrence`` from the punches placed there, in order of time.

    ``watermark`` is the instant up to which every source of the site has reported: only past the window's end does
    it make a day final. Absent is said last, when the local day on which the shift ends is over as well: a person who
    is only late must not read it. None when there is nothing to say yet.

    What was worked too short is half a day or none only once the day is final: a source may still report an exit.
    """
    counted = [one for one in placed if one.state is PunchState.COUNTED]
    state = judge_state(occurrence.window_end, now, watermark)
    if not counted and not _is_told(occurrence, state, zone, watermark):
        return None
    presence = _closed(read_presence(counted, occurrence.shift), occurrence, state)
    worked = tuple(paid_spans(presence, occurrence, zone))
    first_in, last_out = presence.first_in, presence.last_out
    return DayRecord(
        shift_date=date_of(occurrence, worked, zone),
        state=state,
        status=_judge_status(occurrence, presence, total(worked), state),
        closes_at=occurrence.window_end,
        occurrence=occurrence,
        first_in=first_in.at if first_in else None,
        last_out=last_out.at if last_out else None,
        worked=worked,
        overtime=tuple(_overtime(occurrence, worked, zone)),
        after_start=_late_by(occurrence, first_in),
        grace=occurrence.shift.grace_in,
        early_by=_early_by(occurrence, last_out),
        scheduled=due_hours(occurrence, zone),
        shares=tuple(sorted(by_day(worked, zone).items())) if occurrence.shift.dated_by is DatedBy.SPLIT else (),
        flags=tuple(_flags(occurrence, presence, counted, zone, state)),
        entry=first_in,
    )


def _is_told(occurrence: Occurrence, state: State, zone: ZoneInfo, watermark: datetime) -> bool:
    """Whether a day without punches has something to say: a holiday once it is over, an absence once it is certain."""
    if occurrence.is_day_off:
        return False
    if occurrence.is_free:
        return state is not State.LIVE
    return state is State.FINAL and _is_day_over(occurrence, zone, watermark)


def judge_state(window_end: datetime, now: datetime, watermark: datetime) -> State:
    """A window's last moment still belongs to it."""
    if now <= window_end:
        return State.LIVE
    return State.FINAL if watermark > window_end else State.PROVISIONAL


def _is_day_over(occurrence: Occurrence, zone: ZoneInfo, watermark: datetime) -> bool:
    return watermark.astimezone(zone).date() > occurrence.ends_at.astimezone(zone).date()


def _closed(presence: Presence, occurrence: Occurrence, state: State) -> Presence:
    """End an open session at the scheduled end when the shift says so and its window is over; the flag says it."""
    if not occurrence.shift.closes_itself or state is State.LIVE or presence.open_since is None:
        return presence
    counts_pairs = occurrence.shift.counts_pairs
    start = presence.open_since if counts_pairs or presence.first_in is None else presence.first_in.at
    if start >= occurrence.ends_at:
        return presence
    spans = (*(presence.spans if counts_pairs else ()), Interval(start, occurrence.ends_at))
    return replace(presence, spans=spans)


def _late_by(occurrence: Occurrence, first_in: Punch | None) -> timedelta:
    if first_in is None or occurrence.is_free:
        return NOTHING
    return max(NOTHING, first_in.at - occurrence.due_from)


def _early_by(occurrence: Occurrence, last_out: Punch | None) -> timedelta:
    if last_out is None or occurrence.is_free:
        return NOTHING
    return max(NOTHING, occurrence.due_until - last_out.at)


def date_of(occurrence: Occurrence, worked: Sequence[Interval], zone: ZoneInfo) -> date:
    """Return the date that the record belongs to by the shift's policy; `DatedBy.SPLIT` shows it where it started."""
    policy = occurrence.shift.dated_by
    if policy is DatedBy.END:
        return (occurrence.ends_at - timedelta(microseconds=1)).astimezone(zone).date()
    if policy is DatedBy.MOST and worked:
        shares = by_day(worked, zone)
        return max(sorted(shares), key=lambda day: shares[day])
    return occurrence.shift_date


def _judge_status(occurrence: Occurrence, presence: Presence, worked: timedelta, state: State) -> Status:
    """Absent is tested before half day, and a threshold of zero is off. A session without an exit has worked nothing.

    Half a day of leave leaves half a day, however long the other half was worked.
    """
    if not _came(presence):
        return _status_without_punches(occurrence)
    if occurrence.is_free:
        return Status.PRESENT
    if occurrence.is_half_on_leave:
        return Status.HALF_DAY
    if state is not State.FINAL:
        return Status.PRESENT
    if worked < occurrence.shift.absent_below:
        return Status.ABSENT
    return Status.HALF_DAY if worked < occurrence.shift.half_day_below else Status.PRESENT


def _came(presence: Presence) -> bool:
    return presence.first_in is not None or presence.last_out is not None


def _status_without_punches(occurrence: Occurrence) -> Status:
    if occurrence.is_on_leave:
        return Status.ON_LEAVE
    if occurrence.is_holiday:
        return Status.HOLIDAY
    return Status.HALF_DAY if occurrence.is_half_on_leave else Status.ABSENT


def _overtime(occurrence: Occurrence, worked: Sequence[Interval], zone: ZoneInfo) -> list[Interval]:
    """On a holiday or a day off all work is overtime; otherwise the shift's policy says which part is."""
    policy = occurrence.shift.overtime
    if policy is OvertimePolicy.OFF:
        return []
    if occurrence.is_holiday or occurrence.is_day_off:
        return list(worked)
    if policy is OvertimePolicy.BEYOND_HOURS:
        return beyond(worked, scheduled_hours(occurrence, zone))
    is_around = policy is OvertimePolicy.AROUND_SHIFT
    regular_from = occurrence.starts_at if is_around else min(occurrence.starts_at, occurrence.window_start)
    return without(worked, [Interval(regular_from, occurrence.ends_at)])


def _flags(
    occurrence: Occurrence, presence: Presence, counted: Sequence[Placed], zone: ZoneInfo, state: State
) -> list[Flag]:
    punches = [placed.punch for placed in counted]
    first_in, last_out = presence.first_in, presence.last_out
    found = []
    if occurrence.is_half_on_leave and not punches:
        found.append(explain.absent_half(occurrence, zone))
    if occurrence.is_on_leave and punches:
        found.append(explain.worked_on_leave(punches, zone, explain.rule_of(occurrence)))
    if first_in and not occurrence.is_free and _is_late(occurrence, first_in):
        found.append(explain.late(occurrence, first_in, zone))
    if last_out and not occurrence.is_free and _is_early(occurrence, last_out):
        found.append(explain.early_exit(occurrence, last_out, zone))
    if first_in and presence.is_open and state is not State.LIVE:
        found.append(explain.missing_out(occurrence, first_in, zone))
    if last_out and (first_in is None or first_in.at > last_out.at):
        found.append(explain.missing_in(occurrence, last_out, zone))
    if doubtful := [punch for punch in punches if punch.is_doubtful]:
        found.append(explain.low_confidence(doubtful, zone, explain.rule_of(occurrence)))
    return found


def _is_late(occurrence: Occurrence, first_in: Punch) -> bool:
    return judge_late(occurrence.due_from, first_in.at, occurrence.shift.grace_in)


def _is_early(occurrence: Occurrence, last_out: Punch) -> bool:
    return judge_early(occurrence.due_until, last_out.at, occurrence.shift.grace_out)
