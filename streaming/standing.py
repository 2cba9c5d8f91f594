"""How a camera stands, judged from the row its camera process keeps: what pages and the API say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from streaming import bus
from streaming.models import Camera, CameraStatus
from streaming.rules import OFFLINE_AFTER_S, STALE_AFTER_S

WORDS: Final = {bus.LIVE: "Live", bus.STALE: "No live picture", bus.OFFLINE: "Offline", bus.DISABLED: "Switched off"}
RANKS: Final = {state: rank for rank, state in enumerate(bus.STATES)}
SILENT_AFTER_S: Final = 6.0
"""A row that was not written for so long: the camera process is gone, and its figures are history."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a page says about one camera."""

    camera: Camera
    state: str
    frame_at: datetime | None
    status: CameraStatus | None
    note: str = ""
    at: datetime | None = None

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def local_frame_time(self) -> str:
        """Capture time of the newest picture on the clocks of the site; text, because templates turn times to UTC."""
        return f"{self.frame_at.astimezone(self.camera.site.zone):%H:%M:%S}" if self.frame_at else ""

    @property
    def age_words(self) -> str:
        """Age of the newest picture; empty when it is live or there never was one."""
        if self.is_live or self.frame_at is None or self.at is None:
            return ""
        return age_words((self.at - self.frame_at).total_seconds())

    @property
    def is_live(self) -> bool:
        return self.state == bus.LIVE


def age_words(age_s: float) -> str:
    """Return an age for people, in the words of the wall's script: ``12 s``, ``5 min``, ``3 h``, ``2 days``."""
    for unit_s, limit_s, name in ((1, 60, "s"), (60, 3600, "min"), (3600, 172_800, "h")):
        if age_s < limit_s:
            return f"{max(0, int(age_s // unit_s))} {name}"
    return f"{int(age_s // 86_400)} days"


def stand(camera: Camera, at: datetime) -> Standing:
    """Judge how a camera stands ``at`` from the row its camera process keeps."""
    return replace(_judge(camera, at), at=at)


def _judge(camera: Camera, at: datetime) -> Standing:
    status = getattr(camera, "status", None)
    frame_at = status.frame_at if status else None
    if not camera.is_enabled:
        return Standing(camera, bus.DISABLED, frame_at, status)
    if status is None or status.updated_at is None:
        return Standing(camera, bus.OFFLINE, None, None, "No camera process has taken it yet.")
    gap_s = (at - frame_at).total_seconds() if frame_at else float("inf")
    if (at - status.updated_at).total_seconds() > SILENT_AFTER_S:
        return Standing(camera, _by_age(gap_s), frame_at, status, "The camera process does not answer.")
    if status.state == bus.LIVE and gap_s <= SILENT_AFTER_S:
        return Standing(camera, bus.LIVE, frame_at, status)
    state = _by_age(gap_s) if status.state == bus.LIVE else status.state
    return Standing(camera, state, frame_at, status, status.last_error)


def _by_age(gap_s: float) -> str:
    if gap_s <= STALE_AFTER_S:
        return bus.LIVE
    return bus.OFFLINE if gap_s > OFFLINE_AFTER_S else bus.STALE


def standings_for(user: Any, at: datetime) -> Sequence[Standing]:
    """Return how every camera stands that the user may watch, live ones first."""
    cameras = Camera.objects.watchable_by(user).select_related("site", "status")
    found = [stand(camera, at) for camera in cameras]
    return sorted(found, key=lambda item: (RANKS[item.state], item.camera.site.name, item.camera.name))
