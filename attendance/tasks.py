"""Jobs of attendance; each may run twice or be killed half-way."""

from __future__ import annotations

from django.utils import timezone

from attendance.services.finalise import finalise_days
from attendance.services.limits import watch_limits
from attendance.services.rebuild import rebuild_dirty
from attendance.services.watermarks import advance_cameras
from factoryai.jobs.services import job


@job("attendance.rebuild")
def rebuild() -> dict[str, int]:
    return rebuild_dirty(at=timezone.now())


@job("attendance.finalise")
def finalise() -> dict[str, int]:
    at = timezone.now()
    return {"cameras": advance_cameras(at=at), **finalise_days(at=at)}


@job("attendance.watch_limits")
def watch() -> dict[str, int]:
    return {"warnings": watch_limits(at=timezone.now())}
