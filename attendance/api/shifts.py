"""Shifts in their versions, assignments and holidays."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request

from attendance.api.fields import HR, OwnedField
from attendance.models import Assignment, Holiday, Shift, ShiftVersion
from attendance.services.rosters import assign_shift, end_assignment, save_shift, touch_site
from factoryai.rest import ModelSerializer
from factoryai.sites.permissions import SiteField, SiteScoped
from identity.models import Employee

FIELDS = [
    "starts_at", "ends_at", "grace_in_minutes", "grace_out_minutes", "window_before_minutes", "window_after_minutes",
    "half_day_below_minutes", "absent_below_minutes", "break_minutes", "break_after_minutes", "break_slots",
    "direction_policy", "worked_policy", "double_entry_hours", "repeat_within_minutes", "dated_by", "overtime_policy",
    "closes_itself", "skips_holidays", "effective_from",
]  # fmt: skip


class ShiftSerializer(ModelSerializer):
    """A shift with its newest version; posting a name that exists adds a version from ``effective_from`` on."""

    id = serializers.IntegerField(source="shift_id", read_only=True)
    site = SiteField(source="shift.site")
    name = serializers.CharField(source="shift.name", max_length=60)
    version = serializers.IntegerField(source="number", read_only=True)
    starts_at = serializers.TimeField(format="%H:%M")
    ends_at = serializers.TimeField(format="%H:%M", help_text="An end that is not after the start is the next day.")
    break_slots = serializers.ListField(
        child=serializers.ListField(child=serializers.TimeField(format="%H:%M"), min_length=2, max_length=2),
        required=False,
        help_text='Unpaid times of the clock, like [["12:00", "12:30"]].',
    )

    class Meta:
        model = ShiftVersion
        fields = ["id", "version", "site", "name", *FIELDS]

    def create(self, data: dict[str, Any]) -> ShiftVersion:
        shift = data.pop("shift")
        if slots := data.get("break_slots"):
            data["break_slots"] = [[f"{start:%H:%M}", f"{end:%H:%M}"] for start, end in slots]
        return save_shift(
            site=shift["site"], name=shift["name"], fields=data, by=self.context["request"].user, at=timezone.now()
        )


class ShiftFilter(filters.FilterSet):
    site = filters.CharFilter("shift__site__slug")
    name = filters.CharFilter("shift__name")

    class Meta:
        model = ShiftVersion
        fields = ["site", "name"]


class ShiftViewSet(SiteScoped, mixins.CreateModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet):
    queryset = ShiftVersion.objects.select_related("shift__site").order_by("shift__name", "effective_from")
    serializer_class = ShiftSerializer
    filterset_class = ShiftFilter
    ordering_fields = ["effective_from"]
    read_roles = write_roles = HR


class AssignmentSerializer(ModelSerializer):
    employee = OwnedField(queryset=Employee.objects.select_related("site"))
    shift = OwnedField(queryset=Shift.objects.select_related("site"))
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6),
        allow_null=True,
        required=False,
        help_text="0 is Monday, 6 is Sunday; null is every working day of the site.",
    )
    cycle_days = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=365), allow_null=True, required=False
    )

    class Meta:
        model = Assignment
        fields = [
            "id", "employee", "shift", "from_date", "to_date", "weekdays", "cycle_length", "cycle_days", "cycle_anchor",
        ]  # fmt: skip

    def create(self, data: dict[str, Any]) -> Assignment:
        return assign_shift(assignment=Assignment(**data), at=timezone.now())

    def update(self, instance: Assignment, data: dict[str, Any]) -> Assignment:
        for name, value in data.items():
            setattr(instance, name, value)
        return assign_shift(assignment=instance, at=timezone.now())


class AssignmentFilter(filters.FilterSet):
    on = filters.DateFilter(method="covering", help_text="Those in force on this date.")

    class Meta:
        model = Assignment
        fields = ["employee", "shift"]

    def covering(self, rows: QuerySet, name: str, day: dt.date) -> QuerySet:
        return rows.in_force_between(day, day)


class AssignmentViewSet(SiteScoped, viewsets.ModelViewSet):
    queryset = Assignment.objects.select_related("employee__site", "shift__site")
    serializer_class = AssignmentSerializer
    filterset_class = AssignmentFilter
    ordering_fields = ["from_date", "employee"]
    read_roles = write_roles = HR
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def perform_destroy(self, instance: Assignment) -> None:
        end_assignment(assignment=instance, at=timezone.now())


class HolidaySerializer(ModelSerializer):
    site = SiteField()

    class Meta:
        model = Holiday
        fields = ["id", "site", "date", "name"]


class HolidayFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")
    after = filters.DateFilter("date", "gte")
    before = filters.DateFilter("date", "lte")

    class Meta:
        model = Holiday
        fields = ["site"]


class HolidayViewSet(SiteScoped, viewsets.ModelViewSet):
    queryset = Holiday.objects.select_related("site")
    serializer_class = HolidaySerializer
    filterset_class = HolidayFilter
    ordering_fields = ["date"]
    read_roles = write_roles = HR
    http_method_names = ["get", "post", "delete", "head", "options"]

    @transaction.atomic
    def perform_create(self, serializer: HolidaySerializer) -> None:
        _touch(serializer.save())

    @transaction.atomic
    def perform_destroy(self, instance: Holiday) -> None:
        _touch(instance)
        instance.delete()

    @extend_schema(description="Holidays of your sites; on one nobody is absent, and work is overtime.")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)


def _touch(holiday: Holiday) -> None:
    touch_site(site=holiday.site, first=holiday.date, last=holiday.date, at=timezone.now())
