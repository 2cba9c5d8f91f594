"""Cameras for tests."""

from __future__ import annotations

import itertools
from typing import Any

from factoryai.sites.models import Site
from streaming.models import Camera

_numbers = itertools.count(1)


def make_camera(site: Site, slug: str = "", **fields: Any) -> Camera:
    """Return a camera of ``site`` at a private address, unless ``fields`` say otherwise."""
    slug = slug or f"camera-{next(_numbers)}"
    defaults = {"name": slug.replace("-", " ").title(), "address": "rtsp://192.168.1.20/stream1"}
    return Camera.objects.create(site=site, slug=slug, **{**defaults, **fields})
