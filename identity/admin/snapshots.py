"""The pictures that are kept, for how long, and what the purge and the paid requests came to."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from factoryai.rest import Refusal
from factoryai.sites.models import Role
from factoryai.sites.role_admin import RoleAdmin
from identity.admin.pictures import picture
from identity.models import PaidRequests, PurgeRun, Retention, Snapshot
from identity.querysets import STRANGER_ROLES
from identity.services.snapshots import hold_snapshot, release_snapshot


@admin.register(Snapshot)
class SnapshotAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = STRANGER_ROLES
    list_display = ["captured_at", "photo", "kind", "reason", "site", "camera", "state", "size_bytes", "is_held"]
    list_filter = ["site", "kind", "state", "is_held"]
    list_select_related = ["site", "camera"]
    search_fields = ["reason", "hold_reason"]
    date_hierarchy = "captured_at"
    actions = ["hold", "release"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Snapshot]:
        return super().get_queryset(request).viewable_by(request.user)

    @admin.display(description="picture")
    def photo(self, snapshot: Snapshot) -> SafeString | str:
        return picture(snapshot, 64)

    @admin.action(description="Hold as evidence", permissions=["view"])
    def hold(self, request: HttpRequest, snapshots: QuerySet[Snapshot]) -> None:
        done = 0
        for snapshot in snapshots:
            try:
                hold_snapshot(snapshot=snapshot, reason="Held in the administration", by=request.user)
            except Refusal as refusal:
                self.message_user(request, f"{snapshot}: {refusal.message}", messages.WARNING)
            else:
                done += 1
        self.message_user(request, f"{done} held.")

    @admin.action(description="Release", permissions=["view"])
    def release(self, request: HttpRequest, snapshots: QuerySet[Snapshot]) -> None:
        done = [release_snapshot(snapshot=snapshot) for snapshot in snapshots]
        self.message_user(request, f"{len(done)} released.")


@admin.register(Retention)
class RetentionAdmin(RoleAdmin, admin.ModelAdmin):
    add_roles = change_roles = delete_roles = (Role.MANAGER,)
    list_display = ["site", "kind", "days"]
    list_filter = ["site", "kind"]
    list_select_related = ["site"]


class OfTheInstallation(admin.ModelAdmin):
    """What concerns every site at once: superusers read it, nobody writes it."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PurgeRun)
class PurgeRunAdmin(OfTheInstallation):
    list_display = [
        "started_at", "finished_at", "refusal", "planned", "deleted", "freed_bytes", "held", "missing", "failed",
    ]  # fmt: skip


@admin.register(PaidRequests)
class PaidRequestsAdmin(OfTheInstallation):
    list_display = ["day", "count"]
    date_hierarchy = "day"
