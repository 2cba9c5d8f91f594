"""When a camera counts as live, when its reader is killed, when it is tried again, and when people are told.

Instants here are seconds of a monotonic clock unless they are called ``captured_at``; the clock and the dice are the
caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

STALE_AFTER_S = 2.0
"""A picture older than this is not live."""

KILL_AFTER_S = 5.0
"""A reader without a picture for this long hangs: FFmpeg's own time-outs take three times what they say (measured)."""

OPEN_WITHIN_S = 10.0
"""How long a reader may take to its first picture: connecting, the camera's next key frame, a slow scene."""

OFFLINE_AFTER_S = 60.0
BACK_AFTER_S = 10.0
FORGIVEN_AFTER_S = 60.0

LONGEST_WAIT_S = 30.0

TIER_WIDTHS = {"full": 1280, "medium": 640, "tile": 320}
"""Widest picture of each tier in pixels; nothing is ever enlarged."""


class State(StrEnum):
    LIVE = "live"
    STALE = "stale"
    OFFLINE = "offline"
    DISABLED = "disabled"


def judge_state(now: float, last_frame_at: float | None, started_at: float) -> State:
    """Return the state of an enabled camera whose newest picture came at ``last_frame_at`` (None: none yet)."""
    gap = now - (started_at if last_frame_at is None else last_frame_at)
    if gap >= OFFLINE_AFTER_S:
        return State.OFFLINE
    return State.LIVE if last_frame_at is not None and gap <= STALE_AFTER_S else State.STALE


def is_hanging(now: float, started_at: float, last_frame_at: float | None) -> bool:
    """Whether a reader started at ``started_at`` must be killed. Pictures of an earlier reader do not count."""
    if last_frame_at is None or last_frame_at < started_at:
        return now - started_at >= OPEN_WITHIN_S
    return now - last_frame_at >= KILL_AFTER_S


@dataclass(slots=True)
class Backoff:
    """Waits of 1, 2, 4 … 30 s between attempts, each up to a fifth shorter, so that cameras do not come back at once.

    After `FORGIVEN_AFTER_S` good seconds the next loss starts again at 1 s.
    """

    draw: Callable[[], float]
    attempts: int = 0
    good_since: float | None = None

    def lost(self, now: float) -> float:
        """Count a lost connection and return how long to wait in seconds."""
        if self.good_since is not None and now - self.good_since >= FORGIVEN_AFTER_S:
            self.attempts = 0
        self.good_since = None
        wait = min(LONGEST_WAIT_S, 2.0**self.attempts)
        self.attempts += 1
        return wait * (1 - 0.2 * self.draw())

    def got_frame(self, now: float) -> None:
        if self.good_since is None:
            self.good_since = now


class Notice(StrEnum):
    WENT_OFFLINE = "went_offline"
    CAME_BACK = "came_back"


@dataclass(slots=True)
class OutageWatch:
    """Says once when a camera has been without a picture for a minute, and once when it has been back for ten seconds.

    ``last_live_at`` starts at the moment the camera is taken over, so a new process does not report an old outage
    before it has tried for a minute itself. ``is_reported`` carries an outage over from an earlier process.
    """

    last_live_at: float
    is_reported: bool = False
    live_since: float | None = None

    def look(self, state: State, now: float) -> Notice | None:
        if state is State.LIVE:
            self.live_since = now if self.live_since is None else self.live_since
            self.last_live_at = now
            if self.is_reported and now - self.live_since >= BACK_AFTER_S:
                self.is_reported = False
                return Notice.CAME_BACK
            return None
        self.live_since = None
        if not self.is_reported and now - self.last_live_at >= OFFLINE_AFTER_S:
            self.is_reported = True
            return Notice.WENT_OFFLINE
        return None


def tier_size(tier: str, width: int, height: int) -> tuple[int, int]:
    """Return the size (width, height) in which a picture is shown in one tier; sides are at least 1."""
    wanted = min(width, TIER_WIDTHS[tier])
    return wanted, max(1, round(height * wanted / width))


@dataclass(slots=True)
class Pace:
    """Lets through at most ``fps`` pictures a second of a stream that comes in its own rhythm.

    A picture that is a third of an interval early is taken: a source at exactly the wanted rate, but with jitter,
    loses none.
    """

    fps: float
    due_at: float = 0.0

    def is_due(self, at: float) -> bool:
        if self.fps <= 0:
            return False
        interval = 1.0 / self.fps
        is_early = at + interval / 3 < self.due_at
        if is_early and self.due_at - at <= 2 * interval:  # else the clock was set back
            return False
        self.due_at = (at if is_early else max(self.due_at, at - interval / 3)) + interval
        return True


class Meter:
    """Counts events and tells how many a second there were over the last full window."""

    def __init__(self, window_s: float = 3.0) -> None:
        self._window_s, self._count, self._since, self._rate = window_s, 0, None, 0.0

    def count(self, now: float) -> None:
        self._roll(now)
        self._count += 1

    def rate(self, now: float) -> float:
        self._roll(now)
        return self._rate

    def _roll(self, now: float) -> None:
        if self._since is None:
            self._since = now
        gap = now - self._since
        if gap >= self._window_s:
            self._rate, self._count, self._since = self._count / gap, 0, now
