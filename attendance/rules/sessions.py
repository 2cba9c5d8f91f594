"""Work without a shift: punches become sessions by their gaps, and a session belongs to a date by policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from attendance.rules.intervals import Interval, by_day, total
from attendance.rules.matching import Direction, Punch, in_order
from attendance.rules.shifts import DatedBy
from attendance.rules.worked import deduct_break


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """An entry ``new_session_gap`` after the last exit begins a session; none is longer than ``longest``.

    ``break_deducted`` is taken off each session, less its pauses when only pairs count.
    """

    new_session_gap: timedelta = timedelta(hours=4)
    longest: timedelta = timedelta(hours=16)
    dated_by: DatedBy = DatedBy.START
    counts_pairs: bool = True
    break_deducted: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Session:
    """Punches that belong together. ``spans`` are its paid stretches; ``is_open`` when an exit is missing."""

    punches: tuple[Punch, ...]
    spans: tuple[Interval, ...]
    is_open: bool

    @property
    def starts_at(self) -> datetime:
        return self.punches[0].at


def find_sessions(punches: Sequence[Punch], policy: SessionPolicy) -> list[Session]:
    """Group punches, in order of time. An exit that would make a session too long begins one of its own."""
    found: list[Session] = []
    current: list[Punch] = []
    spans: list[Interval] = []
    start: Punch | None = None
    for punch in sorted(punches, key=in_order):
        goes_in = punch.direction is Direction.IN or (punch.direction is Direction.UNKNOWN and start is None)
        if current and _begins(punch, current, policy, is_open=start is not None, goes_in=goes_in):
            found.append(_session(current, spans, policy, is_open=start is not None))
            current, spans, start = [], [], None
        current.append(punch)
        if goes_in:
            start = start or punch
        elif start is not None:
            spans.append(Interval(start.at, punch.at))
            start = None
    if current:
        found.append(_session(current, spans, policy, is_open=start is not None))
    return found


def _session(punches: list[Punch], spans: list[Interval], policy: SessionPolicy, *, is_open: bool) -> Session:
    if spans and not policy.counts_pairs:
        spans = [Interval(spans[0].start, spans[-1].end)]
    return Session(tuple(punches), tuple(deduct_break(spans, policy.break_deducted)), is_open)


def _begins(punch: Punch, current: Sequence[Punch], policy: SessionPolicy, *, is_open: bool, goes_in: bool) -> bool:
    if punch.at - current[0].at > policy.longest:
        return True
    return not is_open and goes_in and punch.at - current[-1].at >= policy.new_session_gap


def date_session(session: Session, policy: SessionPolicy, zone: ZoneInfo) -> dict[date, timedelta]:
    """Return the worked time of a session by the date it belongs to: one date, or several when it is split."""
    shares = by_day(session.spans, zone)
    if policy.dated_by is DatedBy.SPLIT and shares:
        return shares
    if policy.dated_by is DatedBy.MOST and shares:
        day = max(sorted(shares), key=lambda one: shares[one])
    else:
        edge = session.punches[-1] if policy.dated_by is DatedBy.END else session.punches[0]
        day = edge.at.astimezone(zone).date()
    return {day: total(session.spans)}
