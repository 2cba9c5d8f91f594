"""Reads, visits and calls to gates in the admin: looked at, never changed."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from factoryai.sites.role_admin import RoleAdmin
from vehicles.admin.showing import SiteFilter, SpelledSearch, badge, local
from vehicles.models import Opening, PlateRead, Visit
from vehicles.querysets import GUARDS
from vehicles.wording import reasons_in_words, span_in_words

DECISIONS = {"open": "ok", "hold": "calm", "block": "bad"}


@admin.register(PlateRead)
class PlateReadAdmin(SpelledSearch, RoleAdmin, admin.ModelAdmin):
    view_roles = GUARDS
    list_display = ["time", "plate_or_raw", "verdict", "why_so", "gate", "camera", "site", "confidence", "review"]
    list_filter = ["verdict", "decision", "review", ("site", SiteFilter), "camera"]
    list_select_related = ["site", "camera"]
    date_hierarchy = "captured_at"
    show_full_result_count = False

    class Media:
        css = {"all": ["css/admin.css"]}

    @admin.display(description="captured", ordering="captured_at")
    def time(self, read: PlateRead) -> str:
        return local(read.captured_at, read.site.zone, "%d %b %Y %H:%M:%S")

    @admin.display(description="plate", ordering="plate")
    def plate_or_raw(self, read: PlateRead) -> str:
        return str(read)

    @admin.display(description="reasons")
    def why_so(self, read: PlateRead) -> str:
        return reasons_in_words(read.reasons) or "—"

    @admin.display(description="gate", ordering="decision")
    def gate(self, read: PlateRead) -> SafeString:
        return badge(read.get_decision_display(), DECISIONS[read.decision])


@admin.register(Visit)
class VisitAdmin(SpelledSearch, RoleAdmin, admin.ModelAdmin):
    view_roles = GUARDS
    list_display = ["plate", "state", "came", "left", "stayed", "reads_count", "level", "site", "page"]
    list_filter = ["state", "level", ("site", SiteFilter)]
    list_select_related = ["site"]
    date_hierarchy = "began_at"
    show_full_result_count = False

    @admin.display(description="came", ordering="began_at")
    def came(self, visit: Visit) -> str:
        return local(visit.entered_at, visit.site.zone)

    @admin.display(description="left", ordering="exited_at")
    def left(self, visit: Visit) -> str:
        return local(visit.exited_at, visit.site.zone)

    @admin.display(description="stayed")
    def stayed(self, visit: Visit) -> str:
        return span_in_words(visit.dwell_s)

    @admin.display(description="page")
    def page(self, visit: Visit) -> SafeString:
        return format_html('<a href="{}">Look</a>', reverse("visit", args=[visit.pk]))


@admin.register(Opening)
class OpeningAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = GUARDS
    list_display = ["asked_at", "gate", "plate", "direction", "outcome", "status", "took_ms", "detail"]
    list_filter = ["outcome"]
    list_select_related = ["gate__camera__site", "visit"]
    date_hierarchy = "asked_at"
    show_full_result_count = False

    @admin.display(description="plate")
    def plate(self, opening: Opening) -> str:
        return opening.visit.plate

    def has_change_permission(self, request: HttpRequest, obj: Opening | None = None) -> bool:
        return False
