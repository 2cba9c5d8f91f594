"""Pay periods, their lock, and the payroll export."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpResponseBase, HttpResponseNotModified, StreamingHttpResponse
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attendance.api.fields import HR
from attendance.export import content_hash, export_csv, export_xlsx, file_name
from attendance.models import Adjustment, PayPeriod
from attendance.services.periods import add_period, lock_period, unlock_period
from factoryai.rest import ErrorSerializer, ModelSerializer, NotFound, Refusal
from factoryai.sites.models import Role
from factoryai.sites.permissions import SiteField, SiteRole, SiteScoped

PIECE_BYTES = 64 * 1024
TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class AdjustmentSerializer(ModelSerializer):
    employee_code = serializers.CharField(source="employee.code", read_only=True)

    class Meta:
        model = Adjustment
        fields = [
            "id", "employee", "employee_code", "shift_date", "period", "before", "after", "worked_minutes",
            "overtime_minutes", "found_at", "settled_in",
        ]  # fmt: skip
        read_only_fields = fields


class PeriodSerializer(ModelSerializer):
    site = SiteField()
    locked_by = serializers.CharField(source="locked_by.username", default=None, read_only=True)

    class Meta:
        model = PayPeriod
        fields = [
            "id", "site", "department", "first_date", "last_date", "state", "locked_at", "locked_by", "content_hash",
        ]  # fmt: skip
        read_only_fields = ["state", "locked_at", "content_hash"]
        validators: list = []

    def create(self, data: dict[str, Any]) -> PayPeriod:
        return add_period(
            site=data["site"],
            first=data["first_date"],
            last=data["last_date"],
            department=data.get("department", ""),
        )


class LockSerializer(serializers.Serializer):
    accept_unreviewed = serializers.BooleanField(default=False, help_text="Lock although flags wait for a decision.")


class UnlockSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=500)


class PeriodFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")

    class Meta:
        model = PayPeriod
        fields = ["site", "state"]


class PeriodViewSet(
    SiteScoped, mixins.CreateModelMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet
):
    queryset = PayPeriod.objects.select_related("site", "locked_by")
    serializer_class = PeriodSerializer
    filterset_class = PeriodFilter
    ordering_fields = ["first_date"]
    read_roles = write_roles = HR
    action_roles = {"unlock": (Role.MANAGER,)}

    @extend_schema(
        request=LockSerializer,
        responses={
            200: PeriodSerializer,
            409: OpenApiResponse(ErrorSerializer, "`already_locked`, `days_not_final` or `flags_unreviewed`"),
        },
    )
    @action(detail=True, methods=["post"])
    def lock(self, request: Request, pk: str) -> Response:
        """Freeze the period: its days never change, and what arrives late becomes an adjustment of the next one."""
        form = LockSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        period = lock_period(period=self.get_object(), by=request.user, at=timezone.now(), **form.validated_data)
        return Response(self.get_serializer(period).data)

    @extend_schema(
        request=UnlockSerializer,
        responses={
            200: PeriodSerializer,
            409: OpenApiResponse(ErrorSerializer, "`not_locked` or `later_period_locked`"),
        },
    )
    @action(detail=True, methods=["post"])
    def unlock(self, request: Request, pk: str) -> Response:
        """Open a period again; managers only, with a reason that is kept."""
        form = UnlockSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        period = unlock_period(period=self.get_object(), by=request.user, at=timezone.now(), **form.validated_data)
        return Response(self.get_serializer(period).data)

    @extend_schema(responses=AdjustmentSerializer(many=True))
    @action(detail=True, pagination_class=None, filter_backends=[])
    def adjustments(self, request: Request, pk: str) -> Response:
        """What facts that came after the lock would have changed."""
        rows = Adjustment.objects.filter(period=self.get_object()).select_related("employee")
        return Response(AdjustmentSerializer(rows, many=True).data)


class PayrollExportView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = HR

    @extend_schema(
        parameters=[
            OpenApiParameter("period", int, required=True),
            OpenApiParameter("format", str, enum=list(TYPES), default="csv"),
        ],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, TYPES["xlsx"]): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        """The payroll of a period: a row per person and day, totals, adjustments. The same period, the same bytes."""
        kind = request.query_params.get("format", "csv")
        if kind not in TYPES:
            raise Refusal("invalid", "format: csv or xlsx.", fields={"format": "csv or xlsx."})
        period = find_period(request)
        return export_answer(request, period, kind)


def find_period(request: Request) -> PayPeriod:
    """Return the period that is asked for; one of another site does not exist."""
    text = request.query_params.get("period", "")
    rows = PayPeriod.objects.visible_to(request.user, HR).select_related("site")
    period = rows.filter(pk=text).first() if text.isdecimal() and len(text) < 19 else None
    if period is None:
        raise NotFound("There is no such period.")
    return period


def export_answer(request: Any, period: PayPeriod, kind: str) -> HttpResponseBase:
    """Answer with the file, written to disk first: what is half-made is never sent, and memory stays small."""
    digest = content_hash(period)
    etag = f'"{digest}-{kind}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if etag in request.headers.get("If-None-Match", ""):
        return HttpResponseNotModified(headers=headers)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by whoever reads it out
    write = export_xlsx if kind == "xlsx" else export_csv
    write(period, digest, file)
    file.seek(0, os.SEEK_END)
    headers["Content-Length"] = str(file.tell())
    headers["Content-Disposition"] = f'attachment; filename="{file_name(period, kind)}"'
    file.seek(0)
    is_async = isinstance(getattr(request, "_request", request), ASGIRequest)
    pieces = _apieces(file) if is_async else _pieces(file)
    return StreamingHttpResponse(pieces, content_type=TYPES[kind], headers=headers)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE_BYTES):
            yield piece


async def _apieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await sync_to_async(file.read, thread_sensitive=False)(PIECE_BYTES):
            yield piece
