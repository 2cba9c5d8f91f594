"""Small pictures in lists and forms."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString

from identity.api.snapshots import picture_url
from identity.models import Snapshot


def picture(snapshot: Snapshot | None, side: int = 96) -> SafeString | str:
    """Return a small picture; whoever may not see it gets none from its address."""
    url = picture_url(snapshot)
    return format_html('<img src="{}" alt="" width="{}" loading="lazy">', url, side) if url else "—"
