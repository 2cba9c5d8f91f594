"""`/api/v1/cameras`: which there are, what they do now; a manager adds and changes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from factoryai.rest import (
    AwareDateTimeField,
    ErrorSerializer,
    ModelSerializer,
    RefusesReadOnly,
    StrictBooleanFilter,
)
from factoryai.sites.models import Role
from factoryai.sites.permissions import PEOPLE, SiteField, SiteScoped
from streaming.drawings import DrawingError, check_lines, check_masks, check_zones
from streaming.models import ROLES, Camera
from streaming.rules import State
from streaming.services import check_source, set_source
from streaming.sources import Source, SourceError
from streaming.standing import stand
from streaming.trial import try_source
from streaming.viewers import count_viewers

POINTS = {"type": "array", "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}}
SHAPES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "points": POINTS},
        "required": ["name", "points"],
    },
}
LINES = {
    "type": "array",
    "items": {
        **SHAPES["items"],
        "properties": {**SHAPES["items"]["properties"], "in": {"type": "string", "enum": ["left", "right"]}},
    },
}
MASKS = {"type": "array", "items": POINTS}


class DrawingField(serializers.JSONField):
    """Zones, lines or masks, checked by ``check``."""

    def __init__(self, check: Callable[[Any], Any], **kwargs: Any) -> None:
        self._check = check
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        try:
            return self._check(super().to_internal_value(data))
        except DrawingError as error:
            raise serializers.ValidationError(str(error), code="bad_drawing") from error


@extend_schema_field(SHAPES)
class ZonesField(DrawingField):
    pass


@extend_schema_field(LINES)
class LinesField(DrawingField):
    pass


@extend_schema_field(MASKS)
class MasksField(DrawingField):
    pass


@extend_schema_field(OpenApiTypes.STR)
class SourceField(serializers.Field):
    """An address as a person types it, checked; never answered."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(write_only=True, **kwargs)

    def to_internal_value(self, data: Any) -> Source:
        if not isinstance(data, str):
            raise serializers.ValidationError("An address is text.", code="invalid")
        try:
            return check_source(data)
        except SourceError as error:
            raise serializers.ValidationError(str(error), code=error.code) from error


class CameraSerializer(RefusesReadOnly, ModelSerializer):
    site = SiteField()
    url = SourceField(help_text="rtsp://user:password@host/path. Never answered; `source` shows it with stars.")
    source = serializers.CharField(source="masked_source", read_only=True)
    roles = serializers.ListField(child=serializers.ChoiceField(ROLES), required=False)
    zones = ZonesField(check_zones, required=False, help_text="Polygons in shares (0 to 1) of the picture.")
    lines = LinesField(
        check_lines, required=False, help_text="`in`: the hand on which people go in, from the first point on."
    )
    privacy_masks = MasksField(
        check_masks, required=False, help_text="Polygons that are blackened before anything looks at the picture."
    )

    class Meta:
        model = Camera
        fields = [
            "site", "slug", "name", "url", "source", "roles", "direction", "zones", "lines", "privacy_masks",
            "detect_fps", "stream_fps", "is_enabled",
        ]  # fmt: skip

    def get_fields(self) -> dict[str, serializers.Field]:
        """A camera keeps its site and its slug: alerts, logs and addresses refer to them."""
        fields = super().get_fields()
        if isinstance(self.instance, Camera):
            fields["site"].read_only = fields["slug"].read_only = True
        return fields

    def validate_roles(self, roles: list[str]) -> list[str]:
        return sorted(set(roles), key=ROLES.index)

    def create(self, validated_data: dict[str, Any]) -> Camera:
        source = validated_data.pop("url")
        camera = Camera(**validated_data)
        set_source(camera, source)
        camera.save()
        return camera

    def update(self, instance: Camera, validated_data: dict[str, Any]) -> Camera:
        if source := validated_data.pop("url", None):
            set_source(instance, source)
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save()
        return instance


class CameraStateSerializer(serializers.Serializer):
    state = serializers.ChoiceField([state.value for state in State])
    frame_at = AwareDateTimeField(allow_null=True)
    frame_age_s = serializers.FloatField(allow_null=True)
    source_fps = serializers.FloatField()
    shown_fps = serializers.FloatField()
    detect_fps = serializers.FloatField()
    reconnects = serializers.IntegerField()
    viewers = serializers.IntegerField(allow_null=True, help_text="null while the picture connection is away")
    people = serializers.IntegerField()
    vehicles = serializers.IntegerField()
    last_error = serializers.CharField(allow_blank=True)


class TrialSerializer(serializers.Serializer):
    ok = serializers.BooleanField()
    code = serializers.CharField(help_text="ok, or why there is no picture")
    message = serializers.CharField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    jpeg = serializers.CharField(allow_null=True, help_text="the first picture, base64")


class UrlSerializer(serializers.Serializer):
    site = SiteField()
    url = SourceField()


class CameraFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")
    is_enabled = extend_schema_field(OpenApiTypes.BOOL)(StrictBooleanFilter)()

    class Meta:
        model = Camera
        fields = ["site", "is_enabled"]


class CameraViewSet(
    SiteScoped,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet,
):
    queryset = Camera.objects.select_related("site", "status")
    serializer_class = CameraSerializer
    read_roles = PEOPLE
    write_roles = (Role.MANAGER,)
    http_method_names = ["get", "post", "patch", "head", "options"]
    lookup_field = "slug"
    lookup_value_regex = r"[-\w]+"
    filterset_class = CameraFilter
    ordering_fields = ["name", "slug"]
    rates = {"try_url": 20}

    def get_queryset(self) -> Any:
        queryset = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return queryset
        return queryset.watchable_by(self.request.user)

    @extend_schema(responses=CameraStateSerializer)
    @action(detail=True)
    def status(self, request: Request, slug: str) -> Response:
        """What the camera does now."""
        camera, now = self.get_object(), timezone.now()
        standing = stand(camera, now)
        row, is_live = standing.status, standing.is_live
        answer = {
            "state": standing.state,
            "frame_at": standing.frame_at,
            "frame_age_s": standing.frame_at and round(max(0.0, (now - standing.frame_at).total_seconds()), 1),
            "viewers": count_viewers(camera.slug),
            "reconnects": row.reconnects if row else 0,
            "last_error": standing.note,
            **{name: getattr(row, name) if row and is_live else 0 for name in FIGURES},
        }
        return Response(CameraStateSerializer(answer).data)

    @extend_schema(
        request=UrlSerializer,
        responses={200: TrialSerializer, 400: OpenApiResponse(ErrorSerializer, "The address is refused.")},
    )
    @action(detail=False, methods=["post"], url_path="try")
    def try_url(self, request: Request) -> Response:
        """Open an address for a few seconds and answer with its first picture, or with why there is none."""
        asked = UrlSerializer(data=request.data, context=self.get_serializer_context())
        asked.is_valid(raise_exception=True)
        return Response(TrialSerializer(try_source(asked.validated_data["url"])).data)


FIGURES = ("source_fps", "shown_fps", "detect_fps", "people", "vehicles")
