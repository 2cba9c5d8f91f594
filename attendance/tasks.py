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
    """Derive the days again of which a fact has changed."""
    return rebuild_dirty(at=timezone.now())


@job("attendance.finalise")
def finalise() -> dict[str, int]:
    """Close the days whose time and cameras are complete."""
    at = timezone.now()
    return {"cameras": advance_cameras(at=at), **finalise_days(at=at)}


@job("attendance.watch_limits")
def watch() -> dict[str, int]:
    """Warn of people who work longer than they may."""
    return {"warnings": watch_limits(at=timezone.now())}
