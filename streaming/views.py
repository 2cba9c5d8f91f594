"""Pages: the wall of every camera a person may see, and one camera."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from streaming import bus
from streaming.models import Camera, CameraStatus
from streaming.rules import OFFLINE_AFTER_S, STALE_AFTER_S

WORDS: Final = {bus.LIVE: "Live", bus.STALE: "No live picture", bus.OFFLINE: "Offline", bus.DISABLED: "Switched off"}
RANKS: Final = {state: rank for rank, state in enumerate(bus.STATES)}
SILENT_AFTER_S: Final = 10.0
"""A row that was not written for so long: the camera process is gone, and its figures are history."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a page says about one camera."""

    camera: Camera
    state: str
    frame_at: datetime | None
    status: CameraStatus | None
    note: str = ""

    @property
    def word(self) -> str:
        return WORDS[self.state]

    @property
    def local_frame_at(self) -> datetime | None:
        """Capture time of the newest picture on the clocks of the site."""
        return self.frame_at.astimezone(self.camera.site.zone) if self.frame_at else None

    @property
    def is_live(self) -> bool:
        return self.state == bus.LIVE


def stand(camera: Camera, at: datetime) -> Standing:
    """Judge how a camera stands ``at`` from the row its camera process keeps."""
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


@login_required
@never_cache
@require_safe
def wall(request: HttpRequest) -> HttpResponse:
    """Show every camera in one grid; the pictures come over one WebSocket."""
    standings = standings_for(request.user, datetime.now(UTC))
    several_sites = len({item.camera.site_id for item in standings}) > 1
    context = {"standings": standings, "several_sites": several_sites, "stamp": int(time.time())}
    return render(request, "streaming/wall.html", context)


@login_required
@never_cache
@require_safe
def wall_counts(request: HttpRequest) -> HttpResponse:
    """Answer with the counts of every tile, each to be swapped into its place."""
    standings = standings_for(request.user, datetime.now(UTC))
    return render(request, "streaming/_wall_counts.html", {"standings": standings})


@login_required
@never_cache
@require_safe
def camera(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one camera live; ``?view=still`` refreshes stills instead, for browsers without scripts."""
    tier = request.GET.get("tier", bus.FULL)
    context = {
        "standing": _standing_or_404(request, slug),
        "tier": tier if tier in bus.TIERS else bus.FULL,
        "tiers": ((bus.FULL, "Full"), (bus.MEDIUM, "Medium"), (bus.TILE, "Small")),
        "is_still": request.GET.get("view") == "still",
        "stamp": int(time.time()),
    }
    return render(request, "streaming/camera.html", context)


@login_required
@never_cache
@require_safe
def camera_state(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the fragment of the camera page that says how the camera stands."""
    return render(request, "streaming/_camera_state.html", {"standing": _standing_or_404(request, slug)})


def _standing_or_404(request: HttpRequest, slug: str) -> Standing:
    cameras = Camera.objects.watchable_by(request.user).select_related("site", "status")
    found = cameras.filter(slug=slug).first()
    if found is None:
        raise Http404
    return stand(found, datetime.now(UTC))
