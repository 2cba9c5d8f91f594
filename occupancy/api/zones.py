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

from factoryai.rest import ModelSerializer, NotFound
from factoryai.sites.permissions import PEOPLE, SiteField, SiteRole, SiteScoped
from occupancy.models import Zone
from occupancy.services.corrections import CORRECTORS, correct_zone


class ZoneSerializer(ModelSerializer):
    site = SiteField()
    reset_at = serializers.TimeField(format="%H:%M", required=False)

    class Meta:
        model = Zone
        fields = ["id", "site", "name", "capacity", "reset_at", "reset_policy"]


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
    viewsets.GenericViewSet,
):
    queryset = Zone.objects.select_related("site")
    serializer_class = ZoneSerializer
    filterset_class = ZoneFilter
    ordering_fields = ["name"]


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
