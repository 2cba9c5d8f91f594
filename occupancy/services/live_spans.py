"""Noting when the cameras of zones were live, so that a sum can say whether it saw everything."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from occupancy.models import LiveSpan
from streaming.models import Camera
from streaming.standing import stand


def note_live_cameras(*, at: datetime) -> int:
    """Extend the span of every camera that is live and has been since its state began; return how many are live.

    The state's own beginning is what counts, so a gap between two looks is neither missed nor invented.
    """
    cameras = Camera.objects.filter(zone_lines__isnull=False).distinct().select_related("site", "status")
    live = [camera for camera in cameras if stand(camera, at).is_live and camera.status.since]
    for camera in live:
        _extend(camera)
    return len(live)


@transaction.atomic
def _extend(camera: Camera) -> None:
    since, until = camera.status.since, camera.status.frame_at
    span = LiveSpan.objects.select_for_update().filter(camera=camera, began_at=since).first()
    if span is None:
        LiveSpan.objects.get_or_create(camera=camera, began_at=since, defaults={"ended_at": max(since, until)})
    elif until > span.ended_at:
        span.ended_at = until
        span.save(update_fields=["ended_at"])
