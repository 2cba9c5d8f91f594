"""Asking for a punch to be corrected, and deciding about it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from attendance.api.fields import HR, OwnedField
from attendance.models import Correction, Punch
from attendance.services.corrections import ask_correction, decide_correction
from factoryai.rest import AwareDateTimeField, ErrorSerializer, ModelSerializer
from factoryai.sites.permissions import SiteScoped
from identity.models import Employee


class CorrectionSerializer(ModelSerializer):
    employee = OwnedField(queryset=Employee.objects.select_related("site"))
    punch = OwnedField(queryset=Punch.objects.select_related("employee__site"), required=False, allow_null=True)
    at = AwareDateTimeField(required=False, allow_null=True)
    asked_by = serializers.CharField(source="asked_by.username", read_only=True)
    decided_by = serializers.CharField(source="decided_by.username", default=None, read_only=True)

    class Meta:
        model = Correction
        fields = [
            "id", "employee", "kind", "punch", "at", "direction", "reason", "asked_by", "asked_at", "state",
            "decided_by", "decided_at", "note", "before", "after",
        ]  # fmt: skip
        read_only_fields = ["asked_at", "state", "decided_at", "note", "before", "after"]

    def create(self, data: dict[str, Any]) -> Correction:
        return ask_correction(
            employee=data["employee"],
            kind=data["kind"],
            punch=data.get("punch"),
            punch_at=data.get("at"),
            direction=data.get("direction", Punch.Direction.UNKNOWN),
            reason=data["reason"],
            by=self.context["request"].user,
            at=timezone.now(),
        )


class DecideCorrectionSerializer(serializers.Serializer):
    approve = serializers.BooleanField()
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class CorrectionViewSet(
    SiteScoped, mixins.CreateModelMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    queryset = Correction.objects.select_related("employee__site", "asked_by", "decided_by", "punch")
    serializer_class = CorrectionSerializer
    filterset_fields = ["employee", "state", "kind"]
    ordering_fields = ["asked_at", "state"]
    read_roles = write_roles = HR

    @extend_schema(
        request=DecideCorrectionSerializer,
        responses={
            200: CorrectionSerializer,
            403: OpenApiResponse(ErrorSerializer, "`own_request`"),
            409: OpenApiResponse(ErrorSerializer, "`already_decided` or `already_superseded`"),
        },
    )
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """Approve or refuse; nobody decides about their own request or their own day."""
        form = DecideCorrectionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        correction = decide_correction(
            correction=self.get_object(), by=request.user, at=timezone.now(), **form.validated_data
        )
        return Response(self.get_serializer(correction).data)
