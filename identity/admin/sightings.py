"""What the cameras saw, and the faces nobody could name."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from factoryai.rest import Refusal
from factoryai.sites.role_admin import RoleAdmin
from identity.admin.pictures import picture
from identity.models import Sighting, UnknownFace
from identity.querysets import FACE_ROLES, STRANGER_ROLES
from identity.services.unknowns import dismiss_unknown, mark_visitor


@admin.register(Sighting)
class SightingAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = FACE_ROLES
    list_display = ["captured_at", "camera", "outcome", "employee", "similarity", "threshold", "review", "photo"]
    list_filter = ["site", "outcome", "review", "engine", "camera"]
    list_select_related = ["camera", "employee", "snapshot"]
    search_fields = ["employee__code", "employee__name", "event_id"]
    date_hierarchy = "captured_at"

    @admin.display(description="picture")
    def photo(self, sighting: Sighting) -> SafeString | str:
        return picture(sighting.snapshot, 48)


@admin.register(UnknownFace)
class UnknownFaceAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = STRANGER_ROLES
    exclude = ["mean"]
    list_display = ["__str__", "photo", "site", "state", "times_seen", "last_seen_at", "employee", "label"]
    list_filter = ["site", "state"]
    list_select_related = ["site", "snapshot", "employee"]
    date_hierarchy = "last_seen_at"
    actions = ["dismiss", "visitor"]
    show_facets = admin.ShowFacets.ALWAYS

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnknownFace]:
        return super().get_queryset(request).defer("mean")

    @admin.display(description="picture")
    def photo(self, unknown: UnknownFace) -> SafeString | str:
        return picture(unknown.snapshot, 64)

    @admin.action(description="Dismiss", permissions=["view"])
    def dismiss(self, request: HttpRequest, unknowns: QuerySet[UnknownFace]) -> None:
        self._each(request, unknowns, lambda face, at: dismiss_unknown(unknown=face, by=request.user, at=at))

    @admin.action(description="Visitor", permissions=["view"])
    def visitor(self, request: HttpRequest, unknowns: QuerySet[UnknownFace]) -> None:
        self._each(request, unknowns, lambda face, at: mark_visitor(unknown=face, label="", by=request.user, at=at))

    def _each(self, request: HttpRequest, rows: QuerySet, act: Any) -> None:
        done, at = 0, timezone.now()
        for row in rows:
            try:
                act(row, at)
            except Refusal as refusal:
                self.message_user(request, f"{row}: {refusal.message}", messages.WARNING)
            else:
                done += 1
        self.message_user(request, f"{done} done.")
