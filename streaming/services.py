"""The verbs on cameras: give one a source, lease them to a camera process, keep their state, tell of outages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from factoryai.alerts.models import Severity
from factoryai.alerts.services import close_alert, raise_alert, record_event
from streaming.models import HIDDEN, Camera, CameraStatus
from streaming.rules import Notice
from streaming.scenes import SCENES
from streaming.sources import Allowance, Source, parse_source
from streaming.worker import Figures

LEASE = dt.timedelta(seconds=15)
"""How long a camera stays with a process that does not renew: after that another takes it over."""

SURE = LEASE - dt.timedelta(seconds=3)
"""How long its holder counts on a lease: the clocks of two machines may differ by the rest."""


def allowance() -> Allowance:
    """Return what the settings allow beside RTSP."""
    if not settings.LOCAL_SOURCES:
        return Allowance()
    return Allowance(scenes=frozenset(SCENES), folder=settings.CLIPS_DIR)


def check_source(text: str) -> Source:
    """Read a source that a person typed; raises `streaming.sources.SourceError`.

    The stars that stand for a hidden login, sent back unchanged, mean the login that the camera has.
    """
    source = parse_source(text, allowance())
    is_hidden = (source.username, source.password) == (HIDDEN, HIDDEN)
    return Source(source.kind, source.address) if is_hidden else source


def set_source(camera: Camera, source: Source) -> None:
    """Put a checked source on a camera, not saved. An address without a login keeps the one the camera has."""
    is_same_host = camera.address.split("/")[2:3] == source.address.split("/")[2:3]
    camera.address = source.address
    if source.username or source.password or not is_same_host:
        # A login is for one host: it must not be sent to another one that somebody types in.
        camera.username, camera.password = source.username, source.password


@dataclass(frozen=True, slots=True)
class Lease:
    """A camera that is leased until ``at`` + `LEASE`. ``is_renewed``: nobody else had it since this worker's last."""

    camera: Camera
    is_renewed: bool


@transaction.atomic
def lease_cameras(*, worker: str, at: dt.datetime, among: Q | None = None, limit: int | None = None) -> list[Lease]:
    """Take or renew up to ``limit`` cameras for ``worker``, of those that match ``among``, and return their leases.

    Those of a living process are left alone, and rows that another process is taking at this moment are passed over,
    so no two ever hold one camera.
    """
    missing = Camera.objects.enabled().filter(status__isnull=True)
    CameraStatus.objects.bulk_create([CameraStatus(camera=camera) for camera in missing], ignore_conflicts=True)
    takeable = Camera.objects.takeable(worker, at).filter(among or Q()).values("pk")
    rows = CameraStatus.objects.select_for_update(skip_locked=True, of=("self",)).filter(camera__in=takeable)
    held = sorted(rows, key=lambda row: (row.worker != worker, row.camera_id))[:limit]
    taken = {row.camera_id: row.worker == worker for row in held}
    CameraStatus.objects.filter(pk__in=taken).update(worker=worker, leased_until=at + LEASE)
    CameraStatus.objects.filter(worker=worker).exclude(pk__in=taken).update(worker="", leased_until=None)
    cameras = Camera.objects.filter(pk__in=taken).select_related("site", "status")
    return [Lease(camera, taken[camera.pk]) for camera in cameras]


def release_cameras(*, worker: str) -> int:
    """Give back every camera of ``worker``, so that another takes them at once."""
    return CameraStatus.objects.filter(worker=worker).update(worker="", leased_until=None)


def keep_status(*, worker: str, figures: Mapping[int, Figures], at: dt.datetime) -> None:
    """Write what the cameras of ``worker`` do now; a camera that went to another process meanwhile is not touched."""
    rows = list(CameraStatus.objects.filter(pk__in=figures, worker=worker).select_related("camera"))
    for row in rows:
        _copy_figures(row, figures[row.pk], at)
    names = [field.name for field in CameraStatus._meta.concrete_fields if field.name not in LEFT_ALONE]
    CameraStatus.objects.bulk_update(rows, names)


LEFT_ALONE = frozenset({"camera", "worker", "leased_until"})


def _copy_figures(row: CameraStatus, now: Figures, at: dt.datetime) -> None:
    if row.state != now.state or row.since is None:
        row.state, row.since = now.state.value, at
        record_event(site=row.camera.site, kind="camera", object_id=row.camera.slug, at=at)
    if now.frame_at is not None:
        row.frame_at = dt.datetime.fromtimestamp(now.frame_at, dt.UTC)
    row.last_error = now.last_error[:300]
    for name in ("source_fps", "shown_fps", "detect_fps"):
        setattr(row, name, round(getattr(now, name), 2))
    row.reconnects, row.people, row.vehicles = now.reconnects, now.people, now.vehicles
    row.updated_at = at


def outage_key(camera: Camera) -> str:
    return f"camera-offline:{camera.slug}"


@transaction.atomic
def tell_outage(*, camera: Camera, notice: Notice, reason: str, at: dt.datetime) -> None:
    """Raise the alert of a camera that has been away for a minute, or close it and say that the camera is back."""
    if notice is Notice.WENT_OFFLINE:
        raise_alert(
            site=camera.site,
            kind="camera_offline",
            severity=Severity.WARNING,
            title=f"{camera.name} is offline",
            detail=reason or "No picture for a minute.",
            key=outage_key(camera),
            at=at,
        )
        return
    if close_alert(site=camera.site, key=outage_key(camera), at=at, note="The camera is back."):
        alert = raise_alert(
            site=camera.site,
            kind="camera_back",
            severity=Severity.INFO,
            title=f"{camera.name} is back",
            detail="Pictures have come for ten seconds.",
            key=f"camera-back:{camera.slug}:{at.timestamp():.0f}",
            at=at,
        )
        close_alert(site=camera.site, key=alert.key, at=at)
