"""How full a zone is, without flickering at the edge."""

from __future__ import annotations

from enum import StrEnum

WARN_AT = 0.8
FULL_AT = 1.0

RELEASE = 0.05
"""How far below its threshold, as a share of the capacity, the count must fall before a level is left."""


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FULL = "full"


def judge_level(count: int, capacity: int | None, previous: Level = Level.OK) -> Level:
    """Return the level of ``count`` people in a zone for ``capacity``; a zone without a capacity is always ok.

    A level is entered at its threshold and left only `RELEASE` below it.
    """
    if not capacity:
        return Level.OK
    share = count / capacity
    if share >= FULL_AT or (previous is Level.FULL and share > FULL_AT - RELEASE):
        return Level.FULL
    if share >= WARN_AT or (previous is not Level.OK and share > WARN_AT - RELEASE):
        return Level.WARN
    return Level.OK
