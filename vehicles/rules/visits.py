"""How the reads of one vehicle make its visits: a fold over the reads in the order in which they were captured.

Living through reads one by one and folding all of them again give the same visits, so a read that arrives late is put
right by folding anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

IN, OUT = "in", "out"

EXIT_WITHIN = timedelta(days=30)
"""An exit longer after the last sight is of a visit whose entry was not seen."""


class State(StrEnum):
    OPEN = "open"
    LEFT = "left"
    NO_EXIT = "no_exit"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Limits:
    """``again_after``: a read at the entry this long after the last one begins another visit, for the exit was missed;
    a car that stands there is read more often. ``gone_after``: without any read for so long, no exit was seen."""

    again_after: timedelta = timedelta(minutes=15)
    gone_after: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Sight:
    """One read that counts. ``direction`` is ``in``, ``out`` or empty where the camera sees both ways."""

    at: datetime
    direction: str = ""


@dataclass(frozen=True, slots=True)
class Stay:
    """One visit. ``entered_at`` is None when only the exit was seen, ``exited_at`` while no exit was."""

    direction: str
    entered_at: datetime | None
    last_seen_at: datetime
    exited_at: datetime | None = None

    @property
    def dwell(self) -> timedelta | None:
        """From entry to exit; None while either was not seen."""
        return self.exited_at - self.entered_at if self.entered_at and self.exited_at else None


def fold_sight(stay: Stay | None, sight: Sight, limits: Limits) -> tuple[Stay, bool]:
    """Return the visit that ``sight`` belongs to, and whether it begins one; ``stay`` is the latest before it."""
    if stay is not None and (kept := _kept_up(stay, sight, limits)):
        return kept, False
    if sight.direction == OUT:
        return Stay(OUT, None, sight.at, sight.at), True
    return Stay(sight.direction, sight.at, sight.at), True


def _kept_up(stay: Stay, sight: Sight, limits: Limits) -> Stay | None:
    gap = sight.at - stay.last_seen_at
    seen = replace(stay, last_seen_at=max(sight.at, stay.last_seen_at))
    if stay.exited_at is not None:
        if sight.direction == IN or gap > limits.again_after:
            return None
        return replace(seen, exited_at=seen.last_seen_at) if sight.direction == OUT else seen
    if sight.direction == OUT:
        return replace(seen, exited_at=seen.last_seen_at) if gap <= EXIT_WITHIN else None
    is_passing = sight.direction == IN or stay.direction != IN
    return seen if gap <= (limits.again_after if is_passing else limits.gone_after) else None


def fold_sights(sights: Iterable[Sight], limits: Limits) -> list[tuple[Stay, list[int]]]:
    """Return all visits of one vehicle with the places of their reads; ``sights`` come in the order of capture."""
    visits: list[tuple[Stay, list[int]]] = []
    for place, sight in enumerate(sights):
        stay, is_new = fold_sight(visits[-1][0] if visits else None, sight, limits)
        if is_new:
            visits.append((stay, [place]))
        else:
            visits[-1] = (stay, [*visits[-1][1], place])
    return visits


def state_of(stay: Stay, at: datetime, limits: Limits, *, is_latest: bool) -> State:
    """Return how a visit stands at ``at``. One that another followed without an exit has none to come."""
    if stay.exited_at is not None:
        return State.LEFT
    is_gone = at - stay.last_seen_at >= limits.gone_after
    return State.NO_EXIT if is_gone or not is_latest else State.OPEN
