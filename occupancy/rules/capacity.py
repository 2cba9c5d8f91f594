"""How full a zone is, without flickering at the edge."""

from __future__ import annotations

import math
from enum import StrEnum

WARN_AT = 0.8
FULL_AT = 1.0

RELEASE = 0.05
"""How far below its threshold, as a share of the capacity, the count must fall before a level is left."""

RELEASE_PEOPLE, SMALL = 2, 10
"""At least so many people must have gone, or whoever steps out and in again would raise each alarm anew; in a room for
fewer than `SMALL` it is one, as two would be a quarter of it."""


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FULL = "full"


def judge_level(count: int, capacity: int | None, previous: Level = Level.OK) -> Level:
    """Return the level of ``count`` people in a zone for ``capacity``; a zone without a capacity is always ok.

    A level is entered at its threshold and left only `RELEASE` or `RELEASE_PEOPLE` below it, whichever is more.
    """
    if not capacity:
        return Level.OK
    slack = max(RELEASE * capacity, RELEASE_PEOPLE if capacity >= SMALL else 1)
    full_at, warn_at = (math.ceil(round(share * capacity, 6)) for share in (FULL_AT, WARN_AT))
    if count >= full_at or (previous is Level.FULL and count > full_at - slack):
        return Level.FULL
    if count >= warn_at or (previous is not Level.OK and count > warn_at - slack):
        return Level.WARN
    return Level.OK
