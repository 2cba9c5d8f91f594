"""Whether the nightly drift reset may run now, and what it sets the count to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

BEFORE = timedelta(minutes=30)
"""How early a reset may run: 02:30 for one that is set for 03:00."""

AFTER = timedelta(minutes=60)
"""How late a reset may run by itself: 04:00 for 03:00. Later there may be people inside again, so a person decides."""


class Policy(StrEnum):
    TO_ZERO = "to_zero"
    TO_OPEN_SESSIONS = "to_open_sessions"
    OFF = "off"


class ResetDecision(StrEnum):
    RUN = "run"
    NOT_YET = "not_yet"
    DONE = "done"
    ASK = "ask"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class ResetPlan:
    """What to do about the reset of ``business_date``."""

    decision: ResetDecision
    business_date: date


def decide_reset(
    now: datetime,
    zone: ZoneInfo,
    reset_at: time,
    policy: Policy,
    last_done: date | None,
    first_fact: datetime | None = None,
) -> ResetPlan:
    """Decide about the reset that ``now`` (aware) is nearest to in the site's zone.

    ``last_done`` is the business date of the last reset, None when there was none; then one was missed only if the zone
    had counted anything before it was due (``first_fact``, None for never). The window is closed at both
    ends: 02:30:00 and 04:00:00 may still run. A reset that was missed is asked for until the next one's window opens.
    """
    business_date = _business_date(now, zone, reset_at)
    if policy is Policy.OFF:
        return ResetPlan(ResetDecision.OFF, business_date)
    if last_done is not None and last_done >= business_date:
        return ResetPlan(ResetDecision.DONE, business_date)
    due = due_at(business_date, zone, reset_at)
    if now <= due + AFTER:
        return ResetPlan(ResetDecision.RUN, business_date)
    if last_done is None and (first_fact is None or first_fact >= due):
        return ResetPlan(ResetDecision.NOT_YET, business_date)
    return ResetPlan(ResetDecision.ASK, business_date)


def due_at(day: date, zone: ZoneInfo, reset_at: time) -> datetime:
    """Return the instant of a night's reset; a time that a clock change skips comes an hour later by the clock."""
    return datetime.combine(day, reset_at, zone).astimezone(ZoneInfo("UTC"))


def _business_date(now: datetime, zone: ZoneInfo, reset_at: time) -> date:
    """Return the newest local date whose reset window has opened by ``now``."""
    local = now.astimezone(zone).date()
    for day in (local + timedelta(days=1), local):
        if now >= due_at(day, zone, reset_at) - BEFORE:
            return day
    return local - timedelta(days=1)


def next_reset(now: datetime, zone: ZoneInfo, reset_at: time, last_done: date | None) -> datetime:
    """Return when the next reset is due after ``now``; a business date has one, whatever its time is changed to."""
    day = now.astimezone(zone).date()
    while due_at(day, zone, reset_at) <= now or (last_done is not None and day <= last_done):
        day += timedelta(days=1)
    return due_at(day, zone, reset_at)


def reset_count(policy: Policy, open_sessions: int) -> int:
    """Return the count a reset sets: zero, or the people who are known to be on shift."""
    return open_sessions if policy is Policy.TO_OPEN_SESSIONS else 0
