"""The cameras an installation starts with: those of the demonstration, and those named on the command line."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from factoryai.embedded.errors import CannotStartError
from factoryai.embedded.logins import DEMO_SITE
from factoryai.sites.models import Site
from identity.models import CameraFaces
from occupancy.models import Zone, ZoneLine
from occupancy.rules.sums import Kind
from occupancy.services.logs import NewLog, record_logs
from occupancy.services.zones import save_zone
from streaming.models import Camera
from streaming.scenes import SCENES
from streaming.sources import Allowance, Source, SourceError, parse_source, resolve

FIRST_SITE = {"slug": "factory", "name": "Factory"}
SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
DEMO_PREFIX = "demo:"
DEMO_SETTINGS = {
    "street": {},
    "gate": {
        "roles": ["gate"],
        "direction": Camera.Direction.IN,
        "zones": [{"name": "Check lane", "points": [[0.4, 0.62], [0.62, 0.62], [0.96, 0.97], [0.3, 0.97]]}],
    },
    "entrance": {
        "roles": ["attendance", "occupancy"],
        "direction": Camera.Direction.BOTH,
        "lines": [{"name": "Turnstiles", "points": [[0.08, 0.665], [0.92, 0.665]], "in": "right"}],
        "zones": [{"name": "Reception", "points": [[0.56, 0.43], [0.7, 0.43], [0.7, 0.53], [0.56, 0.53]]}],
    },
    "door": {"roles": ["attendance"], "direction": Camera.Direction.IN},
}
DEMO_CAPACITY, DEMO_INSIDE = 40, 12
DEMO_RESIGHT_S = 3600
"""The people of a scene come by every minute for as long as it runs: one sighting an hour shows what one shows."""
HOW_TO_WRITE = (
    "A camera is written NAME=rtsp://user:password@address/path, its name in small letters, digits and hyphens, "
    "as in --camera gate=rtsp://192.168.1.20/stream1"
)


@dataclass(frozen=True)
class NamedSource:
    """A camera as it is asked for: its name in addresses, and where its pictures come from."""

    slug: str
    source: Source


def parse_camera(text: str) -> NamedSource:
    """Read ``NAME=rtsp://…``. Raises `CannotStartError`, whose text never repeats the address."""
    name, _, url = text.partition("=")
    slug = name.strip()
    if not url.strip() or not SLUG.fullmatch(slug):
        raise CannotStartError(HOW_TO_WRITE)
    return NamedSource(slug, _check(f"Camera {slug}", url.strip()))


def parse_first_camera(url: str) -> Source:
    """Read RTSP_URL. Raises `CannotStartError`."""
    return _check("RTSP_URL", url)


def add_demo_cameras(site: Site, address: str = DEMO_PREFIX, *, at: datetime) -> None:
    """Give the demonstration its cameras, once; what somebody has changed or removed since stays as it is.

    ``address`` is what the name of a scene is put behind: the scenes in the camera process, or a server of them.
    """
    if Camera.objects.filter(site=site).exists():
        return
    for scene, title in SCENES.items():
        fields = {"name": title, "address": f"{address}{scene}", "site": site, **DEMO_SETTINGS.get(scene, {})}
        camera, _ = Camera.objects.get_or_create(slug=scene, defaults=fields)
        _count_people(camera, at)
        if "attendance" in camera.roles:
            CameraFaces.objects.get_or_create(camera=camera, defaults={"resight_s": DEMO_RESIGHT_S})


def _count_people(camera: Camera, at: datetime) -> None:
    """Let the lines of a demonstration camera count for a zone of their own, in which people are at work already.

    The scene is a loop that begins anywhere: counted from an empty hall, whoever leaves first would be one too few.
    """
    if "occupancy" not in camera.roles:
        return
    zone = Zone.objects.filter(site=camera.site, name=camera.name).first()
    if zone is None:
        policy = Zone.ResetPolicy.TO_OPEN_SESSIONS
        zone = Zone(site=camera.site, name=camera.name, capacity=DEMO_CAPACITY, reset_policy=policy)
        save_zone(zone=zone, at=at)
        begin = NewLog("begin", zone.pk, at, Kind.COUNT, DEMO_INSIDE)
        record_logs(rows=[begin], zones=[zone], source="demo", at=at)
    for line in camera.lines:
        ZoneLine.objects.get_or_create(zone=zone, camera=camera, line=line["name"])


@transaction.atomic
def ensure(wanted: NamedSource) -> None:
    """Make the camera, or point the one of that name at ``wanted``, in place of a scene as well."""
    source, camera = wanted.source, Camera.objects.filter(slug=wanted.slug).first()
    name = wanted.slug.replace("-", " ").replace("_", " ").capitalize()
    if camera is None:
        camera = Camera(slug=wanted.slug, name=name, site=_site_for_cameras())
    elif camera.address.startswith(DEMO_PREFIX):
        camera.name, camera.zones, camera.lines = name, [], []
    if not camera.site.is_active:
        camera.site = _site_for_cameras()
    camera.address, camera.username, camera.password = source.address, source.username, source.password
    camera.is_enabled = True
    camera.save()


def ensure_first(source: Source) -> None:
    """Make a camera of RTSP_URL unless there is one of that address."""
    if Camera.objects.filter(address=source.address).exists():
        return
    taken = set(Camera.objects.values_list("slug", flat=True))
    slug = next(name for number in range(1, len(taken) + 2) if (name := f"camera-{number}") not in taken)
    ensure(NamedSource(slug, source))


def enabled_slugs() -> Sequence[str]:
    """Return the cameras whose first picture is waited for."""
    return list(Camera.objects.enabled().values_list("slug", flat=True))


def _site_for_cameras() -> Site:
    """Return the site of the factory itself, else the demonstration's, else make the first one."""
    active = Site.objects.filter(is_active=True)
    own = active.exclude(slug=DEMO_SITE).order_by("pk").first()
    return own or active.first() or Site.objects.update_or_create(slug=FIRST_SITE["slug"], defaults=FIRST_SITE)[0]


def _check(name: str, url: str) -> Source:
    """Parse an address, and refuse an IP address outside the camera networks; names are looked up by the reader."""
    try:
        source = parse_source(url, Allowance(scenes=frozenset(SCENES)))
        if source.kind == "rtsp" and _is_literal(source):
            resolve(source, settings.CAMERA_NETWORKS, lookup=lambda host, _: [host])
    except SourceError as refusal:
        raise CannotStartError(f"{name}: {refusal}") from refusal
    return source


def _is_literal(source: Source) -> bool:
    try:
        ipaddress.ip_address(urlsplit(source.address).hostname or "")
    except ValueError:
        return False
    return True
