"""How large a picture a viewer can take: decided from how long its sends took. Pure; the clock is passed in."""

from __future__ import annotations

from typing import Final

from streaming.bus import TIERS

SLOW_SENDS: Final = 3
CLEAN_S: Final = 10.0
LONGEST_CLEAN_S: Final = 160.0
"""A link that failed again right after a step up is tried half as often each time, up to this."""


class Ladder:
    """The size of one viewer's picture: down after `SLOW_SENDS` slow sends in a row, up after `CLEAN_S` without one."""

    def __init__(self, tier: str, interval_s: float, at: float) -> None:
        self.wanted = self.tier = tier
        self._interval_s = interval_s
        self._slow = 0
        self._clean_since = at
        self._clean_s = CLEAN_S
        self._stepped_up_at: float | None = None

    def sent(self, took_s: float, at: float) -> str:
        """Take one send that lasted ``took_s`` and ended ``at``; return the size for the next picture."""
        if took_s > self._interval_s:
            self._slow += 1
            self._clean_since = at
            if self._slow >= SLOW_SENDS:
                self._step_down(at)
        else:
            self._slow = 0
            if self.tier != self.wanted and at - self._clean_since >= self._clean_s:
                self._step_up(at)
        return self.tier

    def _step_down(self, at: float) -> None:
        self._slow = 0
        failed_again = self._stepped_up_at is not None and at - self._stepped_up_at < self._clean_s
        self._clean_s = min(self._clean_s * 2, LONGEST_CLEAN_S) if failed_again else CLEAN_S
        self.tier = TIERS[min(TIERS.index(self.tier) + 1, len(TIERS) - 1)]

    def _step_up(self, at: float) -> None:
        self._clean_since = self._stepped_up_at = at
        self.tier = TIERS[max(TIERS.index(self.tier) - 1, TIERS.index(self.wanted))]
