"""Day records with their flags, HR's decisions, and the grace ledger."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attendance.api.fields import HR
from attendance.models import DayRecord, Flag, SetAside
from attendance.models.days import Kind, Review
from attendance.models.shifts import check_date
from attendance.services.ledger import ledger_of
from attendance.services.review import review_flag
from factoryai.rest import ErrorSerializer, ModelSerializer, NotFound, Refusal
from factoryai.sites.permissions import SiteRole, SiteScoped
from identity.models import Employee


class FlagSerializer(ModelSerializer):
    reviewed_by = serializers.CharField(source="reviewed_by.username", default=None, read_only=True)

    class Meta:
        model = Flag
        fields = ["kind", "minutes", "rule", "why", "review", "reviewed_by", "reviewed_at", "note"]
        read_only_fields = fields


class SuppressedSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    reason = serializers.CharField()


class DayRecordSerializer(ModelSerializer):
    """One shift of one person on one date. Minutes are whole and rounded down."""

    site = serializers.CharField(source="site.slug", read_only=True)
    employee_code = serializers.CharField(source="employee.code", read_only=True)
    employee_name = serializers.CharField(source="employee.name", read_only=True)
    shift = serializers.IntegerField(source="version.shift_id", default=None, allow_null=True, read_only=True)
    shift_name = serializers.CharField(source="version.shift.name", default=None, allow_null=True, read_only=True)
    status = serializers.SerializerMethodField()
    after_start_minutes = serializers.IntegerField(read_only=True)
    flags = FlagSerializer(many=True, read_only=True)
    suppressed = serializers.SerializerMethodField()

    class Meta:
        model = DayRecord
        fields = [
            "id", "site", "employee", "employee_code", "employee_name", "shift", "shift_name", "shift_date", "state",
            "status", "leave", "first_in", "last_out", "worked_minutes", "scheduled_minutes", "after_start_minutes",
            "past_grace_minutes", "grace_used_minutes", "early_exit_minutes", "overtime_minutes", "flags", "suppressed",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=DayRecord.Status.choices, allow_null=True))
    def get_status(self, record: DayRecord) -> str | None:
        """Null when there are punches and no shift that they could belong to."""
        return record.status or None

    @extend_schema_field(SuppressedSerializer(many=True))
    def get_suppressed(self, record: DayRecord) -> list[dict[str, Any]]:
        return SuppressedSerializer(getattr(record, "suppressed", []), many=True).data


def with_suppressed(records: Sequence[DayRecord]) -> Sequence[DayRecord]:
    """Give each record the punches that were kept and do not count, with one query for all."""
    found: dict[tuple[int, str], list[dict[str, Any]]] = defaultdict(list)
    rows = SetAside.objects.filter(
        state=SetAside.State.DUPLICATE,
        punch__employee__in={record.employee_id for record in records},
        slot__in={record.slot for record in records},
    )
    for employee, slot, at, reason in rows.order_by("punch__at").values_list(
        "punch__employee_id", "slot", "punch__at", "reason"
    ):
        found[employee, slot].append({"at": at, "reason": reason})
    for record in records:
        record.suppressed = found[record.employee_id, record.slot]  # type: ignore[attr-defined]
    return records


class DayFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")
    flag = filters.MultipleChoiceFilter(choices=Kind, method="has_flag")
    review = filters.ChoiceFilter(choices=Review, method="has_review")
    department = filters.CharFilter("employee__department")

    class Meta:
        model = DayRecord
        fields = ["employee", "site", "state", "status", "department"]

    @extend_schema_field({"type": "string", "enum": Kind.values})
    def has_flag(self, rows: Any, name: str, kinds: list[str]) -> Any:
        """Together with ``review``, one flag must be both."""
        return rows.filter(self._flags()).distinct() if kinds else rows

    @extend_schema_field({"type": "string", "enum": Review.values})
    def has_review(self, rows: Any, name: str, review: str) -> Any:
        return rows if self.form.cleaned_data.get("flag") else rows.filter(self._flags()).distinct()

    def _flags(self) -> Q:
        found, cleaned = Q(), self.form.cleaned_data
        if kinds := cleaned.get("flag"):
            found &= Q(flags__kind__in=kinds)
        if review := cleaned.get("review"):
            found &= Q(flags__review=review)
        return found

    def filter_queryset(self, rows: Any) -> Any:
        """``from`` and ``to`` are words of Python and so no attributes; both dates are included."""
        rows = super().filter_queryset(rows)
        for name, lookup in (("from", "shift_date__gte"), ("to", "shift_date__lte")):
            if text := self.data.get(name):
                rows = rows.filter(**{lookup: parse_date(name, text)})
        return rows


def parse_date(name: str, text: str) -> dt.date:
    """Return a date from a query parameter; raises ``invalid`` naming the parameter."""
    try:
        day = dt.date.fromisoformat(text)
        check_date(day)
    except (ValueError, ValidationError) as error:
        text = "Write a date like 2026-03-01."
        raise Refusal("invalid", f"{name}: {text}", fields={name: text}) from error
    return day


class ReviewSerializer(serializers.Serializer):
    flag = serializers.ChoiceField(choices=Kind)
    decision = serializers.ChoiceField(choices=[Review.EXCUSED, Review.CONFIRMED])
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class DayViewSet(SiteScoped, viewsets.ReadOnlyModelViewSet):
    queryset = DayRecord.objects.with_names().prefetch_related("flags__reviewed_by")
    serializer_class = DayRecordSerializer
    filterset_class = DayFilter
    ordering_fields = ["shift_date", "employee", "worked_minutes"]
    read_roles = write_roles = HR

    @extend_schema(
        parameters=[
            OpenApiParameter("from", dt.date, description="First date, included."),
            OpenApiParameter("to", dt.date, description="Last date, included."),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Day records, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(with_suppressed(page), many=True).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One day record."""
        return Response(self.get_serializer(with_suppressed([self.get_object()])[0]).data)

    @extend_schema(
        request=ReviewSerializer,
        responses={
            200: DayRecordSerializer,
            403: OpenApiResponse(ErrorSerializer, "`own_record`"),
            409: OpenApiResponse(ErrorSerializer, "`already_reviewed`, `flag_changed` or `period_locked`"),
        },
    )
    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        """Excuse or confirm one flag of a day; an excuse needs a note. Of two people the first decides."""
        day = self.get_object()
        form = ReviewSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fields = form.validated_data
        flag = Flag.objects.select_related("day__employee").filter(day=day, kind=fields["flag"]).first()
        if flag is None:
            raise NotFound("There is no such flag on this day.")
        review_flag(flag=flag, decision=fields["decision"], note=fields["note"], by=request.user, at=timezone.now())
        return self.retrieve(request)


class LedgerSerializer(serializers.Serializer):
    employee = serializers.IntegerField()
    month = serializers.CharField()
    uses = serializers.IntegerField(help_text="Days on which grace was used.")
    minutes = serializers.IntegerField()
    lates = serializers.IntegerField(help_text="Late days that are not excused.")
    remaining = serializers.IntegerField(
        source="remaining_uses", allow_null=True, help_text="Uses that are left; null is without limit."
    )
    remaining_uses = serializers.IntegerField(allow_null=True, help_text="Null is without limit.")
    remaining_minutes = serializers.IntegerField(allow_null=True)


class LedgerView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = HR

    @extend_schema(
        parameters=[
            OpenApiParameter("employee", int, required=True),
            OpenApiParameter("month", str, required=True, description="Like 2026-03."),
        ],
        responses=LedgerSerializer,
    )
    def get(self, request: Request) -> Response:
        """A person's grace in a month: how often, how long, and what is left."""
        month = request.query_params.get("month", "")
        first = parse_date("month", f"{month}-01")
        employee = request.query_params.get("employee", "")
        people = Employee.objects.visible_to(request.user, HR).select_related("site")
        person = people.filter(pk=employee).first() if employee.isdecimal() and len(employee) < 19 else None
        if person is None:
            raise NotFound("There is no such employee.")
        return Response(LedgerSerializer({"month": month, **ledger_of(person, first)}).data)
