"""Which facts a camera process may write and which pictures it may show, by the leases it held: pure.

A process that is cut off from the database cannot renew its leases, and after their term another may have taken its
cameras. What it sees then is nobody's yet: it is written when the database says that the cameras were its own all the
time, and dropped when another process saw the same. Instants are Unix seconds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from streaming.frames import Observation

log = logging.getLogger(__name__)

STRETCHES_KEPT = 50
"""Times a camera came and went in one process, remembered for facts that still wait."""


class UnsettledError(Exception):
    """Whose a fact is cannot be said before the database answers; it has to wait."""


class Verdict(StrEnum):
    OURS = "ours"
    UNSETTLED = "unsettled"
    THEIRS = "theirs"


@dataclass(slots=True)
class _Stretch:
    """An unbroken time in which the process held a camera; ``is_over`` when it is known to have ended."""

    begins_at: float
    until: float
    is_over: bool = False


@dataclass(slots=True)
class Tenures:
    """The leases of one process by camera, safe to ask from any thread."""

    _stretches: dict[str, list[_Stretch]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def renew(self, camera: str, *, at: float, until: float, is_same: bool) -> None:
        """Note a lease that is sure until ``until``; ``is_same`` when nobody else had the camera since the last one."""
        with self._lock:
            stretches = self._stretches.setdefault(camera, [])
            if stretches and is_same and not stretches[-1].is_over:
                stretches[-1].until = max(stretches[-1].until, until)
                return
            if stretches:
                stretches[-1].is_over = True
            stretches.append(_Stretch(at, until))
            del stretches[:-STRETCHES_KEPT]

    def end(self, camera: str) -> None:
        """Note that the camera is given up or another's; what was seen up to the end of the lease stays ours."""
        with self._lock:
            if stretches := self._stretches.get(camera):
                stretches[-1].is_over = True

    def sure_until(self, camera: str) -> float:
        """Return until when nobody else can hold the camera; 0 for one that this process does not hold."""
        with self._lock:
            stretches = self._stretches.get(camera)
            return stretches[-1].until if stretches and not stretches[-1].is_over else 0.0

    def judge(self, camera: str, captured_at: float) -> Verdict:
        """Say whose a fact is. What is older than the first lease waited for an earlier process here, and is ours."""
        with self._lock:
            stretches = self._stretches.get(camera)
            if not stretches or captured_at <= stretches[0].until:
                return Verdict.OURS
            if captured_at > stretches[-1].until:
                return Verdict.THEIRS if stretches[-1].is_over else Verdict.UNSETTLED
            is_within = any(item.begins_at <= captured_at <= item.until for item in stretches)
            return Verdict.OURS if is_within else Verdict.THEIRS

    def guard(self, write: Callable[[Observation], None]) -> Callable[[Observation], None]:
        """Return ``write`` for facts that are ours; it raises `UnsettledError` for those that have to wait."""

        def write_if_ours(observation: Observation) -> None:
            match self.judge(observation.camera, observation.captured_at):
                case Verdict.OURS:
                    write(observation)
                case Verdict.UNSETTLED:
                    raise UnsettledError
                case Verdict.THEIRS:
                    log.info("%s: a fact is left to the process that holds the camera.", observation.camera)

        return write_if_ours
