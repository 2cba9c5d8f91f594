"""A person's days from everything that is known about them: roster, calendar, leave and punches, nothing else.

Called with the same facts it gives the same records, whether it is called once or after every single change.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from attendance.rules import flags as explain
from attendance.rules.days import DayRecord, State, Status, derive_day, judge_state
from attendance.rules.flags import Flag
from attendance.rules.grace import GracePolicy, Ledger, keep_ledger
from attendance.rules.intervals import Interval, midnight, within
from attendance.rules.matching import Direction, Placed, Punch, PunchState, place_punches
from attendance.rules.sessions import Session, SessionPolicy, date_session, find_sessions
from attendance.rules.shifts import (
    DAY,
    Assignment,
    DatedBy,
    Leave,
    LeavePart,
    Occurrence,
    by_start,
    days_between,
    occurrences,
    occurrences_off,
)

MARGIN = 2 * DAY
"""Occurrences this far outside the asked dates may take a punch away from a neighbour or lend it one."""


@dataclass(frozen=True, slots=True)
class Roster:
    """What a person is to do, and when: ``defaults`` stand in where no assignment is in force.

    ``days_off`` are the site's, for assignments that name no days of their own. ``sessions`` is for people whom nothing
    is assigned to: None leaves their punches to HR, and so do dates that are not among ``counted_days``, None for all.
    """

    assignments: tuple[Assignment, ...] = ()
    defaults: tuple[Assignment, ...] = ()
    days_off: frozenset[date] = frozenset()
    holidays: frozenset[date] = frozenset()
    leaves: tuple[Leave, ...] = ()
    joined: date | None = None
    left: date | None = None
    sessions: SessionPolicy | None = None
    counted_days: frozenset[date] | None = None

    def employs_on(self, day: date) -> bool:
        return (self.joined or day) <= day <= (self.left or day)

    def leave_on(self, day: date) -> LeavePart | None:
        """Return how much of ``day`` is leave; two different halves are a whole day."""
        parts = {leave.part for leave in self.leaves if leave.first <= day <= leave.last}
        if not parts:
            return None
        return parts.pop() if len(parts) == 1 else LeavePart.WHOLE

    def is_planned(self, day: date) -> bool:
        """Whether a day off can be told from a day that nobody planned."""
        return any(assignment.is_in_force(day) for assignment in (*self.assignments, *self.defaults))


@dataclass(frozen=True, slots=True)
class Derived:
    """The records by date, what became of each punch, and the grace of each month by its first date.

    ``beyond`` are records of shifts that belong to a date outside the asked ones.
    """

    records: list[DayRecord]
    placed: list[Placed]
    ledgers: dict[date, Ledger]
    beyond: Sequence[DayRecord] = ()


def plan(roster: Roster, first: date, last: date, zone: ZoneInfo) -> list[Occurrence]:
    """Return the occurrences that start on ``first`` to ``last``, by start, told apart from holidays and leave.

    On days off the shifts in force are held ready. A shift that keeps no records of holidays leaves them to HR.
    """
    found = occurrences(roster.assignments, roster.defaults, first, last, zone, roster.days_off)
    busy = {occurrence.shift_date for occurrence in found}
    for day in days_between(first, last):
        if day not in busy:
            found += occurrences_off(roster.assignments, roster.defaults, day, zone)
    marked = (_marked(occurrence, roster) for occurrence in found if roster.employs_on(occurrence.shift_date))
    kept = (one for one in marked if not (one.is_holiday and one.shift.skips_holidays))
    return sorted(kept, key=by_start)


def _marked(occurrence: Occurrence, roster: Roster) -> Occurrence:
    is_holiday, leave = occurrence.shift_date in roster.holidays, roster.leave_on(occurrence.shift_date)
    return replace(occurrence, is_holiday=is_holiday, leave=leave) if is_holiday or leave else occurrence


def derive_days(
    roster: Roster,
    punches: Sequence[Punch],
    first: date,
    last: date,
    zone: ZoneInfo,
    *,
    now: datetime,
    watermark: datetime,
    grace: Sequence[tuple[date, GracePolicy]] = (),
    excused: Collection[str] = (),
    known_from: date = date.max,
) -> Derived:
    """Derive the records dated ``first`` to ``last``, which are whole months when ``grace`` has monthly rules.

    ``grace`` holds policies by the date they take effect; a month is judged by the one in force when it begins.
    ``punches`` are those from ``known_from``, or ``first``, to ``last`` and three days around; superseded ones are left
    out by the caller. ``known_from`` is earlier where windows or pairs of punches hang together (`reach.known_from`).
    ``placed`` holds only punches whose local date lies in the asked span.
    """
    planned = plan(roster, min(first, known_from) - MARGIN, last + MARGIN, zone)
    placed = place_punches(punches, planned)
    records = _of_shifts(planned, placed, zone, now=now, watermark=watermark)
    records += _of_sessions(roster, placed, zone, now=now, watermark=watermark)
    records += _of_days_off(roster, planned, records, first, last, zone, now=now, watermark=watermark)
    beyond = [one for one in records if one.occurrence and not first <= one.shift_date <= last]
    records = [record for record in records if first <= record.shift_date <= last]
    inside = [one for one in placed if first <= one.punch.at.astimezone(zone).date() <= last]
    records = _with_strays(records, [one for one in inside if one.state is PunchState.OFF_SHIFT], zone, now, watermark)
    return replace(_with_grace(records, inside, grace, zone, excused), beyond=beyond)


def _with_grace(
    records: Sequence[DayRecord],
    placed: list[Placed],
    grace: Sequence[tuple[date, GracePolicy]],
    zone: ZoneInfo,
    excused: Collection[str],
) -> Derived:
    months: dict[date, list[DayRecord]] = {}
    for record in records:
        months.setdefault(record.shift_date.replace(day=1), []).append(record)
    judged: list[DayRecord] = []
    ledgers = {}
    for month in sorted(months):
        kept, ledgers[month] = keep_ledger(months[month], policy_on(grace, month), zone, excused)
        judged += kept
    return Derived(judged, placed, ledgers)


def policy_on(grace: Sequence[tuple[date, GracePolicy]], day: date) -> GracePolicy:
    """Return the policy in force on ``day``; before the first one nothing is limited."""
    held = [(since, policy) for since, policy in grace if since <= day]
    return max(held, key=lambda one: one[0])[1] if held else GracePolicy()


def _of_shifts(
    planned: Sequence[Occurrence], placed: Iterable[Placed], zone: ZoneInfo, *, now: datetime, watermark: datetime
) -> list[DayRecord]:
    held: dict[object, list[Placed]] = {}
    for one in placed:
        if one.occurrence is not None:
            held.setdefault(one.occurrence.key, []).append(one)
    found = (
        derive_day(occurrence, held.get(occurrence.key, ()), zone, now=now, watermark=watermark)
        for occurrence in planned
    )
    return [record for record in found if record is not None]


def _of_sessions(
    roster: Roster, placed: list[Placed], zone: ZoneInfo, *, now: datetime, watermark: datetime
) -> list[DayRecord]:
    """Make records of the punches of people whom nothing is assigned to; those punches count then."""
    if roster.sessions is None:
        return []
    free = [n for n, one in enumerate(placed) if one.state is PunchState.OFF_SHIFT and _is_free(roster, one, zone)]
    sessions = find_sessions([placed[n].punch for n in free], roster.sessions)
    goes = (way for session in sessions for way in session.goes)
    for n, way in zip(free, goes, strict=True):
        placed[n] = replace(placed[n], state=PunchState.COUNTED, reason="", goes=way)
    return [record for session in sessions for record in _of_session(session, roster.sessions, zone, now, watermark)]


def _is_free(roster: Roster, one: Placed, zone: ZoneInfo) -> bool:
    day = one.punch.at.astimezone(zone).date()
    return not roster.is_planned(day) and (roster.counted_days is None or day in roster.counted_days)


def _of_session(
    session: Session, policy: SessionPolicy, zone: ZoneInfo, now: datetime, watermark: datetime
) -> Iterable[DayRecord]:
    closes_at = session.punches[-1].at + policy.new_session_gap
    state = judge_state(closes_at, now, watermark)
    days = sorted(date_session(session, policy, zone))
    for day in days:
        inside = tuple(session.spans)
        if policy.dated_by is DatedBy.SPLIT:
            inside = tuple(_on(day, session, zone))
        yield DayRecord(
            shift_date=day,
            state=state,
            status=Status.PRESENT,
            closes_at=closes_at,
            first_in=inside[0].start if inside else session.starts_at,
            last_out=inside[-1].end if inside and not session.is_open else None,
            worked=inside,
            flags=tuple(_session_flags(session, zone, state)) if day == days[0] else (),
        )


def _session_flags(session: Session, zone: ZoneInfo, state: State) -> Iterable[Flag]:
    """Flag what HR has to see of work without a shift: a missing exit or entry, and faces that were not certain."""
    if session.open_since is not None and state is not State.LIVE:
        yield explain.no_exit(session.open_since, zone)
    if session.punches[0].direction is Direction.OUT:
        yield explain.no_entry(session.punches[0], zone)
    if doubtful := [punch for punch in session.punches if punch.is_doubtful]:
        yield explain.low_confidence(doubtful, zone, explain.NO_SHIFT)


def _on(day: date, session: Session, zone: ZoneInfo) -> list[Interval]:
    return within(session.spans, Interval(midnight(day, zone), midnight(day + DAY, zone)))


def _of_days_off(
    roster: Roster,
    planned: Sequence[Occurrence],
    known: Sequence[DayRecord],
    first: date,
    last: date,
    zone: ZoneInfo,
    *,
    now: datetime,
    watermark: datetime,
) -> list[DayRecord]:
    """Make a record of each past day on which nobody had to come, so that the payroll has a row for it.

    ``known`` holds the records of those who came all the same.
    """
    busy = {occurrence.shift_date for occurrence in planned if not occurrence.is_day_off}
    busy |= {record.occurrence.shift_date for record in known if record.occurrence}
    found = []
    for day in days_between(first, min(last, now.astimezone(zone).date() - DAY)):
        if day in busy or not roster.employs_on(day):
            continue
        if status := _day_off(roster, day):
            closes_at = midnight(day + DAY, zone) - timedelta(microseconds=1)
            state = judge_state(closes_at, now, watermark)
            found.append(DayRecord(shift_date=day, state=state, status=status, closes_at=closes_at))
    return found


def _day_off(roster: Roster, day: date) -> Status | None:
    if roster.leave_on(day) is LeavePart.WHOLE:
        return Status.ON_LEAVE
    if day in roster.holidays:
        return Status.HOLIDAY
    return Status.WEEK_OFF if roster.is_planned(day) else None


def _with_strays(
    records: list[DayRecord], strays: Sequence[Placed], zone: ZoneInfo, now: datetime, watermark: datetime
) -> list[DayRecord]:
    """Flag punches that belong to no shift on the record of their date, or on one of their own."""
    by_date: dict[date, list[Placed]] = {}
    for one in strays:
        by_date.setdefault(one.punch.at.astimezone(zone).date(), []).append(one)
    for day, found in by_date.items():
        flag = explain.off_shift(found, zone)
        position = next((n for n, record in enumerate(records) if record.shift_date == day), None)
        if position is None:
            closes_at = midnight(day + DAY, zone) - timedelta(microseconds=1)
            state = judge_state(closes_at, now, watermark)
            records.append(DayRecord(shift_date=day, state=state, status=None, closes_at=closes_at, flags=(flag,)))
        else:
            records[position] = replace(records[position], flags=(*records[position].flags, flag))
    return records
