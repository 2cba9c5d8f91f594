"""Zones and their lines in the admin; logs are facts and only looked at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from factoryai.sites.models import Role
from factoryai.sites.role_admin import RoleAdmin
from occupancy.models import Log, Zone, ZoneLine
from occupancy.rules.sums import shown
from occupancy.services.zones import save_zone
from streaming.models import Camera


class ZoneLineInline(admin.TabularInline):
    """The lines of a zone; who may see or change the zone may do so with its lines."""

    model = ZoneLine
    extra = 1

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.get_model_admin(Zone).has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.admin_site.get_model_admin(Zone).has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "camera":
            kwargs["queryset"] = Camera.objects.visible_to(request.user, (Role.MANAGER,))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Zone)
class ZoneAdmin(RoleAdmin, admin.ModelAdmin):
    add_roles = change_roles = delete_roles = (Role.MANAGER,)
    list_display = ["name", "site", "people", "capacity", "reset_at", "reset_policy"]
    list_filter = ["site"]
    list_select_related = ["site"]
    search_fields = ["name"]
    inlines = [ZoneLineInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Zone]:
        return super().get_queryset(request).with_counts()

    def save_model(self, request: HttpRequest, obj: Zone, form: Any, change: bool) -> None:
        if outlook := save_zone(zone=obj, at=timezone.now()):
            level = messages.WARNING if outlook.has_passed else messages.INFO
            self.message_user(request, outlook.words, level)

    @admin.display(description="people inside")
    def people(self, zone: Zone) -> int:
        return shown(zone.raw_count)


@admin.register(Log)
class LogAdmin(RoleAdmin, admin.ModelAdmin):
    list_display = ["at", "zone", "kind", "count", "drift", "source", "reason"]
    list_filter = ["kind", "zone"]
    list_select_related = ["zone__site"]
