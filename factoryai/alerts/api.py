"""`/api/v1/alerts`: what is open, and taking it on."""

from __future__ import annotations

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from factoryai.alerts.models import Alert, Severity, State
from factoryai.alerts.services import acknowledge_alert, mark_seen
from factoryai.rest import AwareDateTimeFilter, ErrorSerializer, ModelSerializer
from factoryai.sites.permissions import PEOPLE, SiteScoped


class AlertSerializer(ModelSerializer):
    site = serializers.SlugRelatedField("slug", read_only=True)
    acknowledged_by = serializers.CharField(source="acknowledged_by.username", default=None, read_only=True)

    class Meta:
        model = Alert
        fields = [
            "id", "site", "kind", "audience", "severity", "title", "detail", "state", "times_raised", "level",
            "raised_at", "last_raised_at", "seen_at", "acknowledged_at", "acknowledged_by", "note", "closed_at",
        ]  # fmt: skip
        read_only_fields = fields


class NoteSerializer(serializers.Serializer):
    note = serializers.CharField(max_length=2000, allow_blank=True, default="")


class AlertFilter(filters.FilterSet):
    state = filters.MultipleChoiceFilter(choices=State.choices)
    severity = filters.MultipleChoiceFilter(choices=Severity.choices)
    site = filters.CharFilter("site__slug")
    raised_after = AwareDateTimeFilter("raised_at", "gte")
    raised_before = AwareDateTimeFilter("raised_at", "lt")

    class Meta:
        model = Alert
        fields = ["state", "severity", "site", "kind"]


class AlertViewSet(SiteScoped, viewsets.ReadOnlyModelViewSet):
    queryset = Alert.objects.select_related("site", "acknowledged_by")
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    ordering_fields = ["raised_at", "severity", "state"]
    read_roles = PEOPLE
    write_roles = PEOPLE

    @extend_schema(request=None, responses=AlertSerializer)
    @action(detail=True, methods=["post"])
    def seen(self, request: Request, pk: str) -> Response:
        """Note that somebody looked; looking does not stop the escalation."""
        alert = self.get_object()
        mark_seen(alert=alert, by=request.user, at=timezone.now())
        return Response(self.get_serializer(alert).data)

    @extend_schema(
        request=NoteSerializer,
        responses={
            200: AlertSerializer,
            409: OpenApiResponse(ErrorSerializer, "`already_acknowledged` or `already_closed`"),
        },
    )
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Take the alert on; of two people the first does."""
        note = NoteSerializer(data=request.data)
        note.is_valid(raise_exception=True)
        alert = acknowledge_alert(alert=self.get_object(), by=request.user, at=timezone.now(), **note.validated_data)
        return Response(self.get_serializer(alert).data)
