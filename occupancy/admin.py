"""Zones and their lines in the admin; logs are facts and only looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from factoryai.sites.models import Role, Site
from occupancy.models import Log, Zone, ZoneLine
from occupancy.rules.sums import shown
from streaming.models import Camera


class ZoneLineInline(admin.TabularInline):
    model = ZoneLine
    extra = 1

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "camera":
            kwargs["queryset"] = Camera.objects.visible_to(request.user, (Role.MANAGER,))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Zone)
class ZoneAdmin(admin.ModelAdmin):
    list_display = ["name", "site", "people", "capacity", "reset_at", "reset_policy"]
    list_filter = ["site"]
    list_select_related = ["site"]
    search_fields = ["name"]
    inlines = [ZoneLineInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Zone]:
        return super().get_queryset(request).visible_to(request.user, (Role.MANAGER,)).with_counts()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "site":
            kwargs["queryset"] = Site.objects.visible_to(request.user, (Role.MANAGER,))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="people inside")
    def people(self, zone: Zone) -> int:
        return shown(zone.raw_count)


@admin.register(Log)
class LogAdmin(admin.ModelAdmin):
    list_display = ["at", "zone", "kind", "count", "drift", "source", "reason"]
    list_filter = ["kind", "zone"]
    list_select_related = ["zone__site"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Log]:
        return super().get_queryset(request).visible_to(request.user, (Role.MANAGER,))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Log | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Log | None = None) -> bool:
        return False
