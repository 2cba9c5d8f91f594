"""Rounding for pay: of clock times and of minutes. Punches and flags are never rounded."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

MINUTE = timedelta(minutes=1)


class Mode(StrEnum):
    """``nearest_down`` is the rule of 29 CFR 785.48(b): of a quarter of an hour, 1 to 7 minutes go down, 8 to 14 up."""

    NONE = "none"
    UP = "up"
    DOWN = "down"
    NEAREST_UP = "nearest_up"
    NEAREST_DOWN = "nearest_down"


def round_minutes(minutes: int, step: int, mode: Mode, grace: int = 0) -> int:
    """Round whole minutes to a multiple of ``step``. Up to ``grace`` minutes over a multiple still go down.

    In the middle (7 of 15) ``nearest_up`` goes up and ``nearest_down`` down.
    """
    over = minutes % step
    if mode is Mode.NONE or over == 0:
        return minutes
    return minutes - over + (step if _goes_up(over, step, mode, grace) else 0)


def _goes_up(over: int, step: int, mode: Mode, grace: int) -> bool:
    if mode is Mode.UP:
        return over > grace
    if mode is Mode.NEAREST_UP:
        return over >= step // 2
    return mode is Mode.NEAREST_DOWN and over > step // 2


def round_clock(at: datetime, step: int, mode: Mode, grace: int = 0) -> datetime:
    """Round an instant to a multiple of ``step`` minutes of its own wall clock; seconds are dropped first."""
    whole = at.replace(second=0, microsecond=0)
    minutes = whole.hour * 60 + whole.minute
    return whole + (round_minutes(minutes, step, mode, grace) - minutes) * MINUTE
