"""The life of an alert as pure decisions: its steps, its escalation, the retries of its deliveries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    NEW = "new"
    SEEN = "seen"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


OPEN = (State.NEW, State.SEEN, State.ACKNOWLEDGED)
UNANSWERED = (State.NEW, State.SEEN)
"""Nobody took it on yet: looking is not answering, so a seen alert still escalates."""

NEXT: Mapping[State, frozenset[State]] = {
    State.NEW: frozenset({State.SEEN, State.ACKNOWLEDGED, State.CLOSED}),
    State.SEEN: frozenset({State.ACKNOWLEDGED, State.CLOSED}),
    State.ACKNOWLEDGED: frozenset({State.CLOSED}),
    State.CLOSED: frozenset(),
}

SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)

ESCALATES_AFTER: Mapping[Severity, tuple[dt.timedelta, ...]] = {
    Severity.CRITICAL: (dt.timedelta(minutes=2), dt.timedelta(minutes=10), dt.timedelta(minutes=30)),
    Severity.WARNING: (dt.timedelta(minutes=30), dt.timedelta(hours=4)),
    Severity.INFO: (),
}
"""Counted from when it was raised, one entry a level. Two minutes: a guard walks to the gate in one."""

RETRY_AFTER = (
    dt.timedelta(seconds=10),
    dt.timedelta(seconds=30),
    dt.timedelta(minutes=2),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=15),
    dt.timedelta(hours=1),
)
SAID_FROM = 4
"""Failed tries, about three minutes of them, after which people are told that a channel does not work."""

GIVES_UP_AFTER = dt.timedelta(hours=24)
"""By then every shift has come and gone, and what is on the screen is the better word."""


def may_follow(state: str, step: str) -> bool:
    """Whether an alert in ``state`` may become ``step``. Nothing follows *closed*: it is raised anew instead."""
    return State(step) in NEXT[State(state)]


def states_before(step: str) -> tuple[State, ...]:
    """Return the states from which ``step`` may be reached; a conditional UPDATE filters on them."""
    return tuple(state for state in State if State(step) in NEXT[state])


def next_escalation_at(severity: str, raised_at: dt.datetime, level: int) -> dt.datetime | None:
    """Return when an unanswered alert of ``level`` escalates to the next one; None when it never does again."""
    waits = ESCALATES_AFTER[Severity(severity)]
    return raised_at + waits[level] if level < len(waits) else None


def worse(one: str, other: str) -> Severity:
    """Return the graver of two severities."""
    return max(Severity(one), Severity(other), key=SEVERITIES.index)


def is_at_least(severity: str, floor: str) -> bool:
    """Whether ``severity`` is as grave as ``floor`` or graver."""
    return SEVERITIES.index(Severity(severity)) >= SEVERITIES.index(Severity(floor))


def retry_after(attempts: int) -> dt.timedelta:
    """Return the wait after the ``attempts``-th failed try, counted from 1; the last wait repeats."""
    return RETRY_AFTER[min(max(attempts, 1), len(RETRY_AFTER)) - 1]


def gives_up(severity: str, state: str, created_at: dt.datetime, at: dt.datetime, *, is_refused: bool) -> bool:
    """Whether a delivery that failed is not tried again; ``is_refused``: the receiver says it will never take it.

    What is critical and unanswered is tried for ever: a receiver that was set up wrongly is mended sooner or later.
    """
    if Severity(severity) is Severity.CRITICAL and State(state) in UNANSWERED:
        return False
    return is_refused or at - created_at >= GIVES_UP_AFTER


def is_worth_saying(attempts: int, *, is_refused: bool) -> bool:
    """Whether a delivery that failed ``attempts`` times is said on the screens, although it is tried again."""
    return is_refused or attempts >= SAID_FROM
