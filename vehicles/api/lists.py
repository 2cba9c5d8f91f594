"""`/api/v1/vehicles/blocked-plates`, `allowed-plates` and `watched-plates`."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, viewsets

from factoryai.rest import ErrorSerializer, ModelSerializer, RefusesReadOnly, StrictBooleanFilter
from factoryai.sites.permissions import SiteField, SiteScoped
from vehicles.models import ListEntry
from vehicles.querysets import GUARDS
from vehicles.services.lists import add_entry, change_entry, remove_entries

FIELDS = [
    "id", "site", "plate", "match_key", "reason", "severity", "valid_from", "valid_until", "standing", "added_by",
    "added_at", "removed_by", "removed_at",
]  # fmt: skip
FACTS = ["match_key", "standing", "added_by", "added_at", "removed_by", "removed_at"]


class ListEntrySerializer(RefusesReadOnly, ModelSerializer):
    site = SiteField(required=False, allow_null=True, default=None, help_text="Null: every site; superusers only.")
    added_by = serializers.CharField(source="added_by.username", default=None, read_only=True)
    removed_by = serializers.CharField(source="removed_by.username", default=None, read_only=True)
    standing = serializers.SerializerMethodField(help_text="`in force`, `later`, `expired` or `removed`.")

    class Meta:
        model = ListEntry
        fields = FIELDS
        read_only_fields = FACTS
        validators: list[Any] = []

    def get_fields(self) -> dict[str, Any]:
        """A plate and its site are what an entry is: another plate is another entry."""
        fields = super().get_fields()
        if self.instance is not None:
            fields["site"].read_only = fields["plate"].read_only = True
        return fields

    def get_standing(self, entry: ListEntry) -> str:
        return entry.standing(timezone.now())

    def create(self, given: dict[str, Any]) -> ListEntry:
        name = self.context["view"].list_name
        return add_entry(list_name=name, by=self.context["request"].user, at=timezone.now(), **given)

    def update(self, entry: ListEntry, given: dict[str, Any]) -> ListEntry:
        return change_entry(entry=entry, changes=given, by=self.context["request"].user, at=timezone.now())


class AllowedEntrySerializer(ListEntrySerializer):
    kind = serializers.ChoiceField(ListEntry.Kind.choices)

    class Meta(ListEntrySerializer.Meta):
        fields = [*FIELDS[:3], "kind", "direction", *FIELDS[3:]]


class ListEntryFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")
    plate = filters.CharFilter(method="spelled", help_text="However it is written, or a part of it.")
    everywhere = extend_schema_field(OpenApiTypes.BOOL)(StrictBooleanFilter)("site", "isnull")
    in_force = extend_schema_field(OpenApiTypes.BOOL)(StrictBooleanFilter)(
        method="standing_now", help_text="Without it: whatever is not removed."
    )
    removed = extend_schema_field(OpenApiTypes.BOOL)(StrictBooleanFilter)("removed_at", "isnull", exclude=True)

    class Meta:
        model = ListEntry
        fields = ["site", "severity", "kind"]

    def spelled(self, rows: Any, name: str, text: str) -> Any:
        return rows.spelled(text)

    def standing_now(self, rows: Any, name: str, wanted: bool) -> Any:
        now = timezone.now()
        holds = ListEntry.objects.in_force(now).values("pk")
        return rows.filter(pk__in=holds) if wanted else rows.filter(~Q(pk__in=holds))


CLASH = OpenApiResponse(ErrorSerializer, "`already_listed` or `already_removed`")


@extend_schema_view(
    create=extend_schema(responses={201: ListEntrySerializer, 409: CLASH}),
    partial_update=extend_schema(responses={200: ListEntrySerializer, 409: CLASH}),
)
class BlockedPlateViewSet(
    SiteScoped,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Plates of one list. Removed ones stay as history: `?removed=true`."""

    list_name = ListEntry.List.BLOCKED
    queryset = ListEntry.objects.select_related("site", "added_by", "removed_by")
    serializer_class = ListEntrySerializer
    filterset_class = ListEntryFilter
    ordering_fields = ["added_at", "plate", "valid_from", "valid_until", "severity"]
    read_roles = write_roles = GUARDS
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def get_queryset(self) -> Any:
        rows = super().get_queryset().filter(list=self.list_name)
        asks_for_removed = self.action == "list" and "removed" in self.request.query_params
        return rows if asks_for_removed else rows.kept()

    def check_object_permissions(self, request: Any, entry: ListEntry) -> None:
        """An entry for everywhere is every guard's to read; the service says who may change it."""
        if entry.site is not None:
            super().check_object_permissions(request, entry)

    def perform_destroy(self, entry: ListEntry) -> None:
        remove_entries(entries=[entry], by=self.request.user, at=timezone.now())


@extend_schema_view(
    create=extend_schema(responses={201: AllowedEntrySerializer, 409: CLASH}),
    partial_update=extend_schema(responses={200: AllowedEntrySerializer, 409: CLASH}),
)
class AllowedPlateViewSet(BlockedPlateViewSet):
    """Plates that the gate opens for, unless they are blocked."""

    list_name = ListEntry.List.ALLOWED
    serializer_class = AllowedEntrySerializer


class WatchedPlateViewSet(BlockedPlateViewSet):
    """Plates that somebody wants to hear of."""

    list_name = ListEntry.List.WATCH
