"""Up to when a site's sources have reported: only past that can a missing punch mean a missing person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min, Q, QuerySet

from attendance.models import Closing, Source
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from streaming.models import Camera, CameraStatus

CAMERA_LAG = timedelta(minutes=1)
"""How long a face may be on its way from a frame to a punch: its track must end and its recorder write."""


SILENT_AFTER = timedelta(hours=1)

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def watermark_of(site: Site, at: datetime) -> datetime:
    """Return the instant up to which every required source of ``site`` has reported, ``at`` when there is none.

    A person's closing lifts it; a required source that never reported holds it back for ever, and that is shown.
    """
    found = Source.objects.filter(site=site, is_required=True).aggregate(least=Min("reported_until"))["least"]
    if Source.objects.filter(site=site, is_required=True, reported_until__isnull=True).exists():
        found = NEVER
    elif found is None:
        found = at
    closed = Closing.objects.filter(site=site).aggregate(latest=Max("until"))["latest"]
    return min(at, max(found, closed) if closed else found)


def silent_sources(sites: Iterable[Site], at: datetime) -> QuerySet[Source]:
    """Return the required sources of ``sites`` that have not reported for `SILENT_AFTER`: days wait for them."""
    required = Source.objects.filter(site__in=sites, is_required=True).select_related("site")
    return required.filter(Q(reported_until=None) | Q(reported_until__lt=at - SILENT_AFTER)).order_by("site", "name")


@transaction.atomic
def advance_cameras(*, at: datetime) -> int:
    """Note how far the attendance cameras have seen: a live picture with nobody in it is a report as well."""
    cameras = Camera.objects.filter(is_enabled=True).select_related("site", "status")
    watched = [camera for camera in cameras if "attendance" in camera.roles]
    for camera in watched:
        source, _ = Source.objects.get_or_create(
            site=camera.site,
            name=f"camera:{camera.slug}",
            defaults={"kind": Source.Kind.CAMERA, "is_required": True},
        )
        if seen := _seen_until(camera):
            Source.objects.filter(pk=source.pk).exclude(reported_until__gt=seen).update(reported_until=seen)
    names = [f"camera:{camera.slug}" for camera in watched]
    Source.objects.filter(kind=Source.Kind.CAMERA, is_required=True).exclude(name__in=names).update(is_required=False)
    return len(watched)


def _seen_until(camera: Camera) -> datetime | None:
    status: CameraStatus | None = getattr(camera, "status", None)
    return status.frame_at - CAMERA_LAG if status and status.frame_at else None


def close_site(*, site: Site, until: datetime, reason: str, by: object, at: datetime) -> Closing:
    """Take a person's word that nothing before ``until`` is still to come."""
    if until > at:
        raise Refusal("in_future", "Only what is over can be closed.")
    if not reason.strip():
        raise Refusal("reason_missing", "Say why the sources need not be waited for.")
    return Closing.objects.create(site=site, until=until, reason=reason.strip()[:200], by=by, at=at)
