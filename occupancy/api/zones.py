"""`/api/v1/occupancy/zones`, and the correction of one."""

from __future__ import annotations

import uuid

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.rest import ModelSerializer, NotFound, RefusesReadOnly
from factoryai.sites.permissions import PEOPLE, SiteField, SiteRole, SiteScoped
from occupancy.models import Zone
from occupancy.services.corrections import CORRECTORS, correct_zone
from occupancy.services.zones import save_zone


class ZoneSerializer(RefusesReadOnly, ModelSerializer):
    site = SiteField()
    reset_at = serializers.TimeField(format="%H:%M", required=False)

    class Meta:
        model = Zone
        fields = ["id", "site", "name", "capacity", "reset_at", "reset_policy"]

    def get_fields(self) -> dict[str, serializers.Field]:
        """A zone keeps its site: its logs belong there."""
        fields = super().get_fields()
        if isinstance(self.instance, Zone):
            fields["site"].read_only = True
        return fields


class ZoneFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")

    class Meta:
        model = Zone
        fields = ["site"]


class ZoneViewSet(
    SiteScoped,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet,
):
    queryset = Zone.objects.select_related("site")
    serializer_class = ZoneSerializer
    filterset_class = ZoneFilter
    ordering_fields = ["name"]
    http_method_names = ["get", "post", "patch", "head", "options"]

    def perform_create(self, serializer: ZoneSerializer) -> None:
        serializer.instance = Zone(**serializer.validated_data)
        save_zone(zone=serializer.instance, at=timezone.now())

    def perform_update(self, serializer: ZoneSerializer) -> None:
        for name, value in serializer.validated_data.items():
            setattr(serializer.instance, name, value)
        save_zone(zone=serializer.instance, at=timezone.now())


class CorrectSerializer(serializers.Serializer):
    count = serializers.IntegerField(min_value=0, max_value=1_000_000)
    reason = serializers.CharField(max_length=200)


class CorrectedSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    drift = serializers.IntegerField(help_text="What the count was wrong by: seen minus true.")


class CorrectView(APIView):
    permission_classes = [SiteRole]
    read_roles = PEOPLE
    write_roles = CORRECTORS

    @extend_schema(request=CorrectSerializer, responses=CorrectedSerializer)
    def post(self, request: Request, pk: int) -> Response:
        """Set the count by a person's word, with a reason."""
        zone = Zone.objects.visible_to(request.user, self.read_roles).select_related("site").filter(pk=pk).first()
        if zone is None:
            raise NotFound
        self.check_object_permissions(request, zone)
        body = CorrectSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        event_id = request.headers.get("Idempotency-Key", "")[:100] or str(uuid.uuid4())
        log = correct_zone(zone=zone, by=request.user, event_id=event_id, at=timezone.now(), **body.validated_data)
        return Response({"count": log.count, "drift": log.drift})
