"""Work without a shift: punches become sessions by their gaps, and a session belongs to a date by policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
    """Punches that belong together, and the direction that each is taken in.

    ``spans`` are the paid stretches; ``open_since`` is an entry that has no exit.
    """

    punches: tuple[Punch, ...]
    goes: tuple[Direction, ...]
    spans: tuple[Interval, ...]
    open_since: Punch | None = None

    @property
    def starts_at(self) -> datetime:
        return self.punches[0].at

    @property
    def is_open(self) -> bool:
        return self.open_since is not None


@dataclass(slots=True)
class _Growing:
    """A session while its punches are walked through."""

    punches: list[Punch] = field(default_factory=list)
    goes: list[Direction] = field(default_factory=list)
    spans: list[Interval] = field(default_factory=list)
    open_since: Punch | None = None

    def direction_of(self, punch: Punch) -> Direction:
        """What a device did not say alternates."""
        if punch.direction is not Direction.UNKNOWN:
            return punch.direction
        return Direction.OUT if self.open_since else Direction.IN

    def ends_before(self, punch: Punch, policy: SessionPolicy) -> bool:
        """Whether ``punch`` begins a session of its own."""
        if not self.punches:
            return False
        if punch.at - self.punches[0].at > policy.longest:
            return True
        is_entry = self.direction_of(punch) is Direction.IN
        return is_entry and not self.open_since and punch.at - self.punches[-1].at >= policy.new_session_gap

    def add(self, punch: Punch) -> None:
        way = self.direction_of(punch)
        self.punches.append(punch)
        self.goes.append(way)
        if way is Direction.IN:
            self.open_since = self.open_since or punch
        elif self.open_since:
            self.spans.append(Interval(self.open_since.at, punch.at))
            self.open_since = None

    def closed(self, policy: SessionPolicy) -> Session:
        spans = self.spans
        if spans and not policy.counts_pairs:
            spans = [Interval(spans[0].start, spans[-1].end)]
        paid = tuple(deduct_break(spans, policy.break_deducted))
        return Session(tuple(self.punches), tuple(self.goes), paid, self.open_since)


def find_sessions(punches: Sequence[Punch], policy: SessionPolicy) -> list[Session]:
    """Group punches, in order of time. An exit that would make a session too long begins one of its own."""
    found: list[Session] = []
    growing = _Growing()
    for punch in sorted(punches, key=in_order):
        if growing.ends_before(punch, policy):
            found.append(growing.closed(policy))
            growing = _Growing()
        growing.add(punch)
    return [*found, growing.closed(policy)] if growing.punches else found


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
