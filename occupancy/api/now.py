"""`/api/v1/occupancy/now`: how many people are inside."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.rest import AwareDateTimeField
from factoryai.sites.permissions import PEOPLE, SiteRole
from occupancy.services.present import present_zones


class NowSerializer(serializers.Serializer):
    zone = serializers.IntegerField()
    name = serializers.CharField()
    site = serializers.CharField()
    count = serializers.IntegerField(help_text="People inside, never below zero.")
    since = AwareDateTimeField(allow_null=True, help_text="When something was last recorded.")
    capacity = serializers.IntegerField(allow_null=True)
    level = serializers.ChoiceField(choices=["ok", "warn", "full"])
    stale = serializers.BooleanField(help_text="Whether a camera of the zone is not live, so the count may lag.")


class NowView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = PEOPLE

    @extend_schema(responses=NowSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return how many people are inside each zone now."""
        rows = present_zones(request.user, timezone.now())
        return Response(NowSerializer([row.as_dict() for row in rows], many=True).data)
