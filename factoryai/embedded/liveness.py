"""Notices children that run but do not work: each is asked for a sign of life, and silence is counted, not timed.

Counting what was asked in vain keeps a machine that slept, or an `up` that was stopped for a while, from ending
everything when it goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from factoryai.pulse import last_beat

ASK_EVERY_S = 5.0
SILENCES_ALLOWED = 18
"""A minute and a half: longer than any wait for a database or a broker that times out, or a burst of load."""
SILENCES_AT_START = 48
"""Four minutes to the first sign: a slow machine imports and loads models for long."""

Sign = Callable[[], bool]


@dataclass(slots=True)
class Silence:
    """How one process answered since it was started."""

    asked_in_vain: int = 0
    has_answered: bool = False

    def note(self, is_alive: bool) -> None:
        self.asked_in_vain = 0 if is_alive else self.asked_in_vain + 1
        self.has_answered = self.has_answered or is_alive

    @property
    def is_too_long(self) -> bool:
        return self.asked_in_vain >= (SILENCES_ALLOWED if self.has_answered else SILENCES_AT_START)

    @property
    def seconds(self) -> float:
        return self.asked_in_vain * ASK_EVERY_S


class PulseSign:
    """Alive when the file of the process was touched since the last time it was asked."""

    def __init__(self, path: Path) -> None:
        self._path, self._seen = path, last_beat(path)

    def __call__(self) -> bool:
        seen, self._seen = self._seen, last_beat(self._path)
        return self._seen != seen


def unless_away(sign: Sign, is_ground_there: Callable[[], bool]) -> Sign:
    """Return a sign that is not missed while what the process stands on is away: restarting it would not help."""
    return lambda: sign() or not is_ground_there()


class Listener:
    """Asks the signs in a thread of its own, for they may be slow to answer."""

    def __init__(self, signs: Callable[[], Mapping[str, Sign]], note: Callable[[str, bool], None]) -> None:
        self._signs, self._note = signs, note
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="liveness", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def ask(self) -> None:
        """Ask each once."""
        for name, sign in self._signs().items():
            self._note(name, sign())

    def _run(self) -> None:
        pause_s = ASK_EVERY_S
        while not self._stopped.wait(pause_s):
            began_at = time.monotonic()
            self.ask()
            pause_s = max(0.0, ASK_EVERY_S - (time.monotonic() - began_at))
