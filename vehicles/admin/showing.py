"""How the admin shows plates and times, and searches for a vehicle however its plate is written."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from factoryai.sites.models import Site
from vehicles.querysets import GUARDS


def local(at: datetime | None, zone: ZoneInfo, form: str = "%d %b %Y %H:%M") -> str:
    """Return an instant on the site's clock, a dash for none."""
    return f"{at.astimezone(zone):{form}}" if at else "—"


def badge(word: str, level: str) -> SafeString:
    """Return a state as text on a ground that its level colours: ok, look, bad or calm."""
    return format_html('<span class="state-badge" data-level="{}">{}</span>', level, word)


class SpelledSearch:
    """Mix in before ``ModelAdmin``: its search finds a vehicle by any spelling of its plate."""

    search_fields = ("plate",)
    search_help_text = "A plate, however it is written, or a part of it"
    also_searched: tuple[str, ...] = ()

    def get_search_results(self, request: HttpRequest, rows: QuerySet, term: str) -> tuple[QuerySet, bool]:
        if not term.strip():
            return rows, False
        found = rows.spelled(term)
        for name in self.also_searched:
            found = found | rows.filter(**{f"{name}__icontains": term.replace("\x00", "")})
        return found, False


class SiteFilter(admin.RelatedFieldListFilter):
    """Only the sites that the person works at."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        if not hasattr(request, "_gate_sites"):
            sites = Site.objects.visible_to(request.user, GUARDS)
            request._gate_sites = [(site.pk, site.name) for site in sites]  # type: ignore[attr-defined]
        return request._gate_sites  # type: ignore[attr-defined]
