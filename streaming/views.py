"""Pages: the wall of every camera a person may see, and one camera."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from factoryai.sites.access import has_role_anywhere
from factoryai.sites.choice import choose_site
from factoryai.sites.models import Role
from factoryai.sites.permissions import PEOPLE
from factoryai.sites.role_admin import holds
from streaming import bus
from streaming.models import Camera
from streaming.standing import Standing, stand, standings_for


@login_required
@never_cache
@require_safe
def wall(request: HttpRequest) -> HttpResponse:
    """Show every camera in one grid; the pictures come over one WebSocket."""
    at = datetime.now(UTC)
    return render(
        request,
        "streaming/wall.html",
        {**wall_context(_shown(request, at), at), "may_add": holds(request, (Role.MANAGER,))},
    )


def _shown(request: HttpRequest, at: datetime) -> list[Standing]:
    """Return the cameras of the chosen site, or of all."""
    if not has_role_anywhere(request.user, PEOPLE):
        raise PermissionDenied
    choice = choose_site(request)
    return [one for one in standings_for(request.user, at) if choice.shows(one.camera.site_id)]


def wall_context(standings: Sequence[Standing], at: datetime) -> dict[str, Any]:
    """Return what the grid of cameras is drawn from: as near to a square as their number allows."""
    columns = math.ceil(math.sqrt(len(standings)))
    return {
        "standings": standings,
        "several_sites": len({item.camera.site_id for item in standings}) > 1,
        "columns": columns,
        "rows": math.ceil(len(standings) / columns) if columns else 0,
        "stamp": int(at.timestamp()),
    }


@login_required
@never_cache
@require_safe
def wall_counts(request: HttpRequest) -> HttpResponse:
    """Answer with the counts of every tile, each to be swapped into its place."""
    return render(request, "streaming/_wall_counts.html", {"standings": _shown(request, datetime.now(UTC))})


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
