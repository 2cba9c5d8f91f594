"""A read on its way into the log: as it came in, and with what the gate says of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from identity.models import Snapshot
from streaming.models import Camera
from vehicles.models import PlateRead
from vehicles.rules.gate import Judgement
from vehicles.rules.lists import Decision, Hit, find_blocked
from vehicles.services.lists import Listed


@dataclass(frozen=True, slots=True)
class NewRead:
    """One read as it came in. ``agreeing_reads`` None: count those of the track here. ``jpeg`` is its picture."""

    event_id: str
    camera: Camera
    track: str
    plate: str
    confidence: float
    captured_at: dt.datetime
    direction: str = ""
    agreeing_reads: int | None = None
    is_final: bool = True
    jpeg: bytes | None = None
    characters: Sequence[float] = ()
    candidates: Sequence[tuple[str, float]] = ()
    box: Sequence[float] = ()
    raw: str = ""


@dataclass(slots=True)
class Judged:
    """A read on its way into the log."""

    row: NewRead
    judgement: Judgement
    is_torn: bool = False
    is_settled: bool = False
    hit: Hit | None = None
    watched: Hit | None = None
    decision: Decision = Decision.HOLD
    why: str = ""
    agreeing_reads: int = 1
    snapshot: Snapshot | None = None
    read: PlateRead | None = None

    @property
    def sight(self) -> tuple[int, str, dt.datetime]:
        return self.row.camera.pk, self.row.track, self.row.captured_at

    @property
    def is_accepted(self) -> bool:
        return self.judgement.accepted and not self.is_torn

    @property
    def counts(self) -> bool:
        """Whether it makes a visit: it is accepted, or it is an alarm."""
        return self.is_accepted or self.hit is not None

    @property
    def vehicle_key(self) -> str:
        """The vehicle it is of: its own, or the blocked one that it may be."""
        if self.is_accepted:
            return self.judgement.match_key or ""
        return self.hit.entry.key if self.hit else ""

    @property
    def plate(self) -> str:
        """The plate of `vehicle_key`."""
        own = self.judgement.normalised if self.is_accepted else self.hit.entry.plate if self.hit else ""
        return own or self.vehicle_key

    def look_up(self, listed: Listed) -> None:
        """Take over what the lists say of it; nothing of a torn one."""
        self.hit = self.watched = None
        if not self.is_torn:
            self.hit = find_blocked(self.judgement, listed["blocked"], self.row.captured_at)
            self.watched = find_blocked(self.judgement, listed["watch"], self.row.captured_at)


def way_of(camera: Camera) -> str:
    """Return the direction that a camera's place gives its reads; empty when it sees both ways."""
    return camera.direction if camera.direction in (Camera.Direction.IN, Camera.Direction.OUT) else ""
