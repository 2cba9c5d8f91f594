"""Pictures of plates: snapshots of identity, kept with their read, and needed while the read waits for a person."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import logging
from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, OuterRef

from factoryai.alerts.models import Alert
from factoryai.sealing import unseal
from identity.api.snapshots import picture_url
from identity.models import Snapshot
from identity.querysets import keep_while
from identity.services.purge import discard_snapshot
from identity.services.snapshots import keep_snapshot
from streaming.models import Camera
from vehicles.models import PlateRead

__all__ = ["discard_picture", "hold_for_alert", "keep_needed_pictures", "keep_picture", "open_picture", "picture_url"]

log = logging.getLogger(__name__)

MOST_BYTES = 2 * 1024 * 1024
JPEG_START = b"\xff\xd8\xff"


def open_picture(data: Mapping[str, Any]) -> bytes | None:
    """Return the JPEG of an observation, sealed or plain; None when there is none, or nothing that is one."""
    try:
        if sealed := data.get("sealed_picture"):
            jpeg = unseal(sealed.encode())
        else:
            jpeg = base64.b64decode(data.get("picture") or "", validate=True)
    except (binascii.Error, ValueError):
        return None
    return jpeg if jpeg.startswith(JPEG_START) and len(jpeg) <= MOST_BYTES else None


def keep_picture(camera: Camera, jpeg: bytes | None, captured_at: dt.datetime, at: dt.datetime) -> Snapshot | None:
    """Keep the picture of a read; one that cannot be kept does not lose the read."""
    if jpeg is None:
        return None
    try:
        return keep_snapshot(
            jpeg=jpeg,
            site=camera.site,
            camera=camera,
            kind=Snapshot.Kind.PLATE,
            reason="Plate at the gate",
            captured_at=captured_at,
            at=at,
        )
    except OSError as error:
        log.error("The picture of a plate at %s cannot be kept: %s", camera.slug, error)
        return None


def discard_picture(snapshot: Snapshot | None, at: dt.datetime) -> None:
    """Delete the picture of a read that was there already."""
    if snapshot is not None:
        discard_snapshot(snapshot, at)


def hold_for_alert(read: PlateRead, alert: Alert) -> None:
    """Keep a read's picture from the purge while its alert is open."""
    if read.snapshot_id:
        Snapshot.objects.filter(pk=read.snapshot_id).update(alert=alert)


def keep_needed_pictures() -> None:
    """Tell identity that the picture of a read under review is not purged."""
    keep_while(lambda: Exists(PlateRead.objects.awaiting_review().filter(snapshot=OuterRef("pk"))))
