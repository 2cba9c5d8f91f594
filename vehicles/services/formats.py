"""A site's own plate formats: compiled and tried when they are saved, compiled again for each process that judges."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import lru_cache

from factoryai.sites.models import Site
from streaming.models import Camera
from vehicles.models import PlateFormat
from vehicles.rules import formats as rules


def formats_of(site: Site | None) -> Sequence[rules.PlateFormat]:
    """Return the formats of a site, asked of the database; compiling is remembered by the text of the pattern."""
    if site is None:
        return ()
    return [
        _compiled(name, pattern) for name, pattern in PlateFormat.objects.for_site(site).values_list("name", "pattern")
    ]


@lru_cache(maxsize=512)
def _compiled(name: str, pattern: str) -> rules.PlateFormat:
    return rules.compile_format(name, pattern)


def tell_cameras(site: Site, at: dt.datetime) -> None:
    """Have the camera processes take over what a site's plates are judged by; they notice a camera that changed."""
    Camera.objects.for_site(site).with_role("gate").update(updated_at=at)
