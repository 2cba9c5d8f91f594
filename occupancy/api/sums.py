"""`/api/v1/occupancy/{hourly,daily,monthly}`: the sums."""

from __future__ import annotations

import django_filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers, viewsets

from factoryai.rest import AwareDateTimeFilter, ModelSerializer
from factoryai.sites.permissions import SiteScoped
from occupancy.models import Day, Hour, Month


class _Sum(ModelSerializer):
    average = serializers.FloatField(help_text="People inside, weighted by time.")
    complete = serializers.BooleanField(
        source="is_complete", help_text="Whether every camera of the zone was live throughout."
    )


FIGURES = ["average", "peak", "low", "entries", "exits", "logs", "complete"]


@extend_schema_field(OpenApiTypes.DATETIME)
class HourField(serializers.ReadOnlyField):
    """When an hour began, on the clocks of its site, with their offset."""

    def get_attribute(self, hour: Hour) -> str:
        return hour.start.astimezone(hour.zone.site.zone).isoformat()


class HourSerializer(_Sum):
    hour = HourField()

    class Meta:
        model = Hour
        fields = ["zone", "hour", *FIGURES]


class DaySerializer(_Sum):
    class Meta:
        model = Day
        fields = ["zone", "date", *FIGURES]


@extend_schema_field({"type": "string", "pattern": r"^\d{4}-\d{2}$", "example": "2026-03"})
class MonthField(serializers.DateField):
    """A month like 2026-03."""


class MonthSerializer(_Sum):
    month = MonthField(source="date", format="%Y-%m")

    class Meta:
        model = Month
        fields = ["zone", "month", *FIGURES]


class HourFilter(django_filters.FilterSet):
    vars()["from"] = AwareDateTimeFilter(field_name="start", lookup_expr="gte")
    to = AwareDateTimeFilter(field_name="start", lookup_expr="lt")

    class Meta:
        model = Hour
        fields = ["zone"]


class DayFilter(django_filters.FilterSet):
    vars()["from"] = django_filters.DateFilter(field_name="date", lookup_expr="gte")
    to = django_filters.DateFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = Day
        fields = ["zone"]


class MonthFilter(DayFilter):
    class Meta:
        model = Month
        fields = ["zone"]


class HourViewSet(SiteScoped, mixins.ListModelMixin, viewsets.GenericViewSet):
    """Closed hours; ``from`` and ``to`` are instants, ``to`` exclusive."""

    queryset = Hour.objects.select_related("zone__site")
    serializer_class = HourSerializer
    filterset_class = HourFilter


class DayViewSet(SiteScoped, mixins.ListModelMixin, viewsets.GenericViewSet):
    """Closed days of the site's own zone; ``from`` and ``to`` are dates, both inclusive."""

    queryset = Day.objects.all()
    serializer_class = DaySerializer
    filterset_class = DayFilter


class MonthViewSet(SiteScoped, mixins.ListModelMixin, viewsets.GenericViewSet):
    """Closed months of the site's own zone; ``from`` and ``to`` are dates, both inclusive."""

    queryset = Month.objects.all()
    serializer_class = MonthSerializer
    filterset_class = MonthFilter
