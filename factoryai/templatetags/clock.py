"""Times on the clock of a site, as `<time>` elements: Django's own filters would turn them to the server's zone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def local_time(at: dt.datetime | None, site: Any, age: bool = False) -> SafeString | str:
    """Return an instant on the site's clock: the time alone today, else with its date. ``age`` lets the page's script
    add how long ago that was."""
    if at is None:
        return ""
    here, today = at.astimezone(site.zone), timezone.now().astimezone(site.zone).date()
    words = f"{here:%H:%M:%S}" if here.date() == today else f"{here.day} {here:%b %Y, %H:%M:%S}"
    return format_html('<time datetime="{}"{}>{}</time>', at.isoformat(), SafeString(" data-age") if age else "", words)
