"""`/api/v1/occupancy/areas` and `/trends`: zones of the picture, and what is typical for a zone of people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.rest import AwareDateTimeField, NotFound, Refusal
from factoryai.sites.permissions import PEOPLE, SiteRole
from occupancy.models import Zone
from occupancy.services.areas import areas_now
from occupancy.services.trends import Trends, trends_of


class AreaSerializer(serializers.Serializer):
    camera = serializers.SlugField(source="camera.slug")
    area = serializers.CharField(help_text="The name of the zone as drawn on the camera.")
    people = serializers.IntegerField(allow_null=True, help_text="Who is in it now; null while nobody can know.")
    since = AwareDateTimeField(allow_null=True, help_text="Since when the one who is there longest.")
    stale = serializers.BooleanField(source="is_stale", help_text="Whether the camera is not live.")
    stays_today = serializers.IntegerField(source="stays")
    average_s = serializers.SerializerMethodField()
    longest_s = serializers.SerializerMethodField()

    def get_average_s(self, area: Any) -> float | None:
        return _seconds(area.average)

    def get_longest_s(self, area: Any) -> float | None:
        return _seconds(area.longest)


class AreasView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = PEOPLE

    @extend_schema(responses=AreaSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return who is in the zones that are drawn on cameras, and how long people stayed in them today."""
        return Response(AreaSerializer(areas_now(request.user, timezone.now()), many=True).data)


class TypicalSerializer(serializers.Serializer):
    weekday = serializers.IntegerField(help_text="Monday is 0.")
    hour = serializers.IntegerField(help_text="On the clocks of the site.")
    average = serializers.FloatField()
    peak = serializers.FloatField(help_text="Mean of the peaks.")
    low = serializers.FloatField(help_text="Mean of the lows.")


class GrowthSerializer(serializers.Serializer):
    month = serializers.CharField()
    average = serializers.FloatField()
    peak = serializers.IntegerField()
    entries = serializers.IntegerField()
    growth = serializers.FloatField(allow_null=True, help_text="Share above the month before; null without one.")


class TrendsSerializer(serializers.Serializer):
    typical = TypicalSerializer(many=True)
    peak_hours = TypicalSerializer(many=True)
    months = GrowthSerializer(many=True)


class TrendsView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = PEOPLE

    @extend_schema(responses=TrendsSerializer, parameters=[OpenApiParameter("zone", int, required=True)])
    def get(self, request: Request) -> Response:
        """Return what is typical for a zone: each hour of the week, the fullest, and month against month."""
        asked = request.query_params.get("zone", "")
        if not asked.isdecimal() or len(asked) > 18:
            raise Refusal("invalid", "Say which zone: ?zone=1.", 400, {"zone": "A whole number."})
        zone = Zone.objects.visible_to(request.user, PEOPLE).select_related("site").filter(pk=int(asked)).first()
        if zone is None:
            raise NotFound
        return Response(_body(trends_of(zone, timezone.now())))


def _body(trends: Trends) -> dict[str, Any]:
    def row(key: tuple[int, int]) -> dict[str, Any]:
        figures = trends.typical[key]
        return {
            "weekday": key[0], "hour": key[1], "average": figures.average, "peak": figures.peak, "low": figures.low,
        }  # fmt: skip

    return {
        "typical": [row(key) for key in sorted(trends.typical)],
        "peak_hours": [row(key) for key in trends.peaks],
        "months": [
            {
                "month": f"{month.date:%Y-%m}", "average": month.average, "peak": month.peak,
                "entries": month.entries, "growth": trends.growth[month.date],
            }
            for month in trends.months
        ],
    }  # fmt: skip


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else round(length.total_seconds(), 1)
