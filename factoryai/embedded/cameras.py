"""The cameras an installation starts with: those of the demonstration, and those named on the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from factoryai.embedded.errors import CannotStartError
from factoryai.sites.models import Site
from streaming.models import Camera
from streaming.scenes import SCENES

FIRST_SITE = ("factory", "Factory")
FIRST_CAMERA = "camera-1"
SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
DEMO_PREFIX = "demo:"
DEMO_SETTINGS = {
    "street": {},
    "gate": {"roles": ["gate"], "direction": "in"},
    "entrance": {"roles": ["attendance", "occupancy"], "direction": "both"},
}


@dataclass(frozen=True)
class NamedSource:
    """A camera as it is asked for: its name in addresses, and where its pictures come from (may hold a password)."""

    slug: str
    url: str

    def __repr__(self) -> str:
        return f"NamedSource({self.slug!r})"


def parse_camera(text: str) -> NamedSource:
    """Read ``NAME=rtsp://…``. Raises `CannotStartError`."""
    name, _, url = text.partition("=")
    slug = name.strip().lower()
    if not url.strip() or not SLUG.fullmatch(slug):
        raise CannotStartError(
            "A camera is written NAME=rtsp://user:password@address/path, its name in letters, digits and hyphens: "
            "--camera gate=rtsp://192.168.1.20/stream1"
        )
    return NamedSource(slug, url.strip())


def first_camera(url: str) -> NamedSource:
    """Name the camera of RTSP_URL."""
    return NamedSource(FIRST_CAMERA, url)


def add_demo_cameras(site: Site) -> None:
    """Give the demonstration its cameras, once; what somebody has changed or removed since stays as it is."""
    if Camera.objects.filter(site=site).exists():
        return
    for scene, title in SCENES.items():
        fields = {"name": title, "address": f"{DEMO_PREFIX}{scene}", "site": site, **DEMO_SETTINGS.get(scene, {})}
        Camera.objects.get_or_create(slug=scene, defaults=fields)


def enabled_slugs() -> Sequence[str]:
    """Return the cameras whose first picture is waited for."""
    return list(Camera.objects.enabled().values_list("slug", flat=True))
