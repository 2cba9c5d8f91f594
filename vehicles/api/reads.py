"""`/api/v1/vehicles/reads`, `logs` and `visits`: devices post what they read, people see what became of it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.bulk import ReceivedRowsSerializer, checked, read_rows
from factoryai.rest import (
    AwareDateTimeField,
    AwareDateTimeFilter,
    ErrorSerializer,
    ModelSerializer,
    Refusal,
    StrictBooleanFilter,
)
from factoryai.sites.models import Role
from factoryai.sites.permissions import SiteRole, SiteScoped
from streaming.models import Camera
from vehicles.api.plates import ConfidenceField, PlateText
from vehicles.models import ListEntry, PlateRead, Visit
from vehicles.querysets import GUARDS
from vehicles.services.incoming import NewRead, way_of
from vehicles.services.pictures import picture_url
from vehicles.services.reads import record_reads
from vehicles.services.review import decide_read


class NewReadSerializer(serializers.Serializer):
    event_id = serializers.CharField(max_length=100)
    camera = serializers.SlugField()
    track = serializers.CharField(max_length=100, allow_blank=True, default="", help_text="One passage of one vehicle.")
    plate = PlateText()
    confidence = ConfidenceField()
    captured_at = AwareDateTimeField()
    direction = serializers.ChoiceField(
        ListEntry.Direction.choices,
        required=False,
        allow_null=True,
        help_text="Without it, that of the camera.",
    )


class ReadsView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = (Role.DEVICE, Role.MANAGER)

    @extend_schema(request=NewReadSerializer(many=True), responses=ReceivedRowsSerializer)
    def post(self, request: Request) -> Response:
        """Record up to 1,000 reads; a bad row never spoils its neighbours, a repeated event changes nothing."""
        cameras = self._cameras_of(request)
        reader = NewReadSerializer()  # one for all rows: making one takes longer than reading a row
        good, received = read_rows(request.data, lambda item: _read(item, reader, cameras))
        rows, indexes = [row for _, row in good], [index for index, _ in good]
        received.add(record_reads(rows=rows, source=f"api:{request.user.pk}", at=timezone.now()), indexes)
        return Response(received.answer())

    def _cameras_of(self, request: Request) -> dict[str, Camera]:
        """Return the cameras that rows name, as far as the sender may post for them, by slug: one query."""
        rows = request.data if isinstance(request.data, list) else []
        named = (row.get("camera") for row in rows if isinstance(row, dict))
        slugs = {one for one in named if isinstance(one, str) and one.isascii() and one.isprintable()}
        mine = Camera.objects.visible_to(request.user, self.write_roles).select_related("site").filter(slug__in=slugs)
        return {camera.slug: camera for camera in mine}


def _read(item: Any, reader: NewReadSerializer, cameras: dict[str, Camera]) -> NewRead:
    given = checked(reader, item)
    camera = cameras.get(given.pop("camera"))
    if camera is None:
        raise Refusal("unknown_camera", "There is no such camera.")
    way = given.pop("direction", None)
    return NewRead(camera=camera, direction=way_of(camera) if way is None else way, **given)


class PlateReadSerializer(ModelSerializer):
    site = serializers.SlugRelatedField("slug", read_only=True)
    camera = serializers.SlugRelatedField("slug", read_only=True)
    reviewed_by = serializers.CharField(source="reviewed_by.username", default=None, read_only=True)
    picture = serializers.SerializerMethodField(help_text="Address of the picture, null when none is kept.")
    level = serializers.SerializerMethodField(help_text="How surely it is a blocked vehicle; null when it is none.")

    class Meta:
        model = PlateRead
        fields = [
            "id", "site", "camera", "event_id", "track", "captured_at", "recorded_at", "direction", "raw", "plate",
            "match_key", "family", "confidence", "characters", "candidates", "agreeing_reads", "is_final", "verdict",
            "accepted", "reasons", "corrected_positions", "decision", "why", "level", "listed", "visit", "review",
            "reviewed_at", "reviewed_by", "picture",
        ]  # fmt: skip
        read_only_fields = fields

    def get_picture(self, read: PlateRead) -> str | None:
        return picture_url(read.snapshot)

    def get_level(self, read: PlateRead) -> str | None:
        return read.level or None


class PlateReadFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")
    camera = filters.CharFilter("camera__slug")
    plate = filters.CharFilter(method="spelled", help_text="However it is written, or a part of it.")
    captured_after = AwareDateTimeFilter("captured_at", "gte")
    captured_before = AwareDateTimeFilter("captured_at", "lt")
    accepted = extend_schema_field(OpenApiTypes.BOOL)(StrictBooleanFilter)()

    class Meta:
        model = PlateRead
        fields = ["site", "camera", "verdict", "decision", "accepted", "review", "visit", "track"]

    def spelled(self, rows: Any, name: str, text: str) -> Any:
        return rows.spelled(text)


class DecisionSerializer(serializers.Serializer):
    verb = serializers.ChoiceField(["accept", "correct", "discard"])
    plate = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class PlateReadViewSet(SiteScoped, viewsets.ReadOnlyModelViewSet):
    """The vehicle log: every read with its verdict, those that were not accepted too."""

    queryset = PlateRead.objects.select_related("site", "camera", "snapshot", "reviewed_by")
    serializer_class = PlateReadSerializer
    filterset_class = PlateReadFilter
    ordering_fields = ["captured_at", "plate", "confidence", "verdict"]
    read_roles = write_roles = GUARDS

    @extend_schema(
        request=DecisionSerializer,
        responses={200: PlateReadSerializer, 409: OpenApiResponse(ErrorSerializer, "`already_decided`")},
    )
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """Say what a doubtful read is. It never opens a gate; a blocked plate alarms."""
        asked = DecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        decide_read(read=self.get_object(), by=request.user, at=timezone.now(), **asked.validated_data)
        return Response(self.get_serializer(self.get_object()).data)


class VisitSerializer(ModelSerializer):
    site = serializers.SlugRelatedField("slug", read_only=True)
    dwell_s = serializers.IntegerField(allow_null=True, read_only=True, help_text="Null while either end is missing.")
    level = serializers.SerializerMethodField(help_text="How surely it is a blocked vehicle; null when it is none.")

    class Meta:
        model = Visit
        fields = [
            "id", "site", "plate", "match_key", "direction", "state", "began_at", "entered_at", "last_seen_at",
            "exited_at", "dwell_s", "reads_count", "is_certain", "level", "alert",
        ]  # fmt: skip
        read_only_fields = fields

    def get_level(self, visit: Visit) -> str | None:
        return visit.level or None


class VisitFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")
    plate = filters.CharFilter(method="spelled", help_text="However it is written, or a part of it.")
    began_after = AwareDateTimeFilter("began_at", "gte")
    began_before = AwareDateTimeFilter("began_at", "lt")

    class Meta:
        model = Visit
        fields = ["site", "state", "direction"]

    def spelled(self, rows: Any, name: str, text: str) -> Any:
        return rows.spelled(text)


class VisitViewSet(SiteScoped, viewsets.ReadOnlyModelViewSet):
    """Stays of vehicles: `open`, `left`, `no_exit` (no exit was seen) or `withdrawn` (its reads were mistaken)."""

    queryset = Visit.objects.select_related("site")
    serializer_class = VisitSerializer
    filterset_class = VisitFilter
    ordering_fields = ["began_at", "last_seen_at", "exited_at", "plate"]
    read_roles = write_roles = GUARDS
