"""`/api/v1/identity/snapshots`, and the address that answers with a picture."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.rest import AwareDateTimeFilter, ErrorSerializer, ModelSerializer, NotFound, Refusal
from factoryai.sites.models import Role, Site
from factoryai.sites.permissions import SiteScoped
from identity.models import Snapshot
from identity.querysets import STRANGER_ROLES
from identity.services.purge import purge_snapshots
from identity.services.snapshots import hold_snapshot, read_snapshot, release_snapshot

PICTURE_HEADERS = {"Cache-Control": "no-store", "Content-Disposition": "inline", "X-Robots-Tag": "noindex"}


def picture_url(snapshot: Snapshot | None) -> str | None:
    """Return the address of a stored picture; whoever opens it is asked for the role again."""
    if snapshot is None or snapshot.state != Snapshot.State.STORED:
        return None
    return reverse("snapshot-picture", args=[snapshot.pk])


class SnapshotSerializer(ModelSerializer):
    site = serializers.SlugRelatedField("slug", read_only=True)
    camera = serializers.SlugRelatedField("slug", read_only=True)
    picture = serializers.SerializerMethodField(help_text="Null once the file is gone.")

    class Meta:
        model = Snapshot
        fields = [
            "id", "site", "camera", "kind", "reason", "captured_at", "state", "size_bytes", "freed_bytes",
            "deleted_at", "is_held", "hold_reason", "picture",
        ]  # fmt: skip
        read_only_fields = fields

    def get_picture(self, snapshot: Snapshot) -> str | None:
        return picture_url(snapshot)


class PurgeSerializer(serializers.Serializer):
    older_than_days = serializers.IntegerField(
        min_value=1, max_value=36_500, required=False, help_text="Stands for every retention rule (90 days)."
    )
    dry_run = serializers.BooleanField(default=False, help_text="The same figures, and nothing is deleted.")
    accept_clock = serializers.BooleanField(default=False, help_text="The clock is right although it jumped.")


class PurgeReportSerializer(serializers.Serializer):
    planned = serializers.IntegerField()
    deleted = serializers.IntegerField()
    freed_bytes = serializers.IntegerField()
    freed_mb = serializers.FloatField(help_text="Of 1,000,000 bytes.")
    held = serializers.IntegerField(help_text="Old enough, but needed: evidence, review, open alert, enrolment.")
    missing = serializers.IntegerField(help_text="Whose file was gone already.")
    failed = serializers.IntegerField(help_text="Whose file could not be removed.")


class HoldSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=150)


class SnapshotFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")
    camera = filters.CharFilter("camera__slug")
    captured_after = AwareDateTimeFilter("captured_at", "gte")
    captured_before = AwareDateTimeFilter("captured_at", "lt")

    class Meta:
        model = Snapshot
        fields = ["site", "camera", "kind", "state"]


class SnapshotViewSet(SiteScoped, viewsets.ReadOnlyModelViewSet):
    """Pictures that are or were kept. Photos of enrolment are for HR; sightings for HR and managers."""

    queryset = Snapshot.objects.select_related("site", "camera")
    serializer_class = SnapshotSerializer
    filterset_class = SnapshotFilter
    ordering_fields = ["captured_at", "size_bytes"]
    read_roles = write_roles = STRANGER_ROLES
    action_roles = {"purge": (Role.MANAGER,)}

    def get_queryset(self):  # type: ignore[no-untyped-def]
        queryset = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return queryset
        return queryset.viewable_by(self.request.user)

    @extend_schema(
        request=PurgeSerializer,
        responses={200: PurgeReportSerializer, 409: OpenApiResponse(ErrorSerializer, "`clock_jumped`")},
    )
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def purge(self, request: Request) -> Response:
        """Delete old snapshots of the sites you manage, now instead of tonight."""
        asked = PurgeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        report = purge_snapshots(
            at=timezone.now(),
            older_than_days=asked.validated_data.get("older_than_days"),
            is_dry_run=asked.validated_data["dry_run"],
            accepts_clock=asked.validated_data["accept_clock"],
            sites=list(Site.objects.visible_to(request.user, (Role.MANAGER,))),
        )
        return Response(PurgeReportSerializer(report.as_dict()).data)

    @extend_schema(
        request=HoldSerializer,
        responses={200: SnapshotSerializer, 409: OpenApiResponse(ErrorSerializer, "`already_deleted`")},
    )
    @action(detail=True, methods=["post"])
    def hold(self, request: Request, pk: str) -> Response:
        """Keep a picture as evidence until it is released."""
        snapshot = self.get_object()
        asked = HoldSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        held = hold_snapshot(snapshot=snapshot, by=request.user, **asked.validated_data)
        return Response(self.get_serializer(held).data)

    @extend_schema(request=None, responses=SnapshotSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """End a hold."""
        return Response(self.get_serializer(release_snapshot(snapshot=self.get_object())).data)


class SnapshotPictureView(APIView):
    """One picture, for whoever holds a role that may see its kind; never stored by a browser or a proxy."""

    @extend_schema(
        operation_id="snapshot_picture",
        tags=["identity"],
        responses={
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            404: OpenApiResponse(ErrorSerializer, "`snapshot_gone`"),
            422: OpenApiResponse(ErrorSerializer, "`snapshot_unreadable`"),
        },
    )
    def get(self, request: Request, pk: uuid.UUID) -> HttpResponse:
        """The picture of a snapshot."""
        snapshot = Snapshot.objects.viewable_by(request.user).filter(pk=pk).first()
        if snapshot is None:
            raise NotFound
        try:
            jpeg = read_snapshot(snapshot)
        except OSError as error:
            raise Refusal("place_unavailable", "The place of the pictures does not answer.", 503) from error
        return HttpResponse(jpeg, content_type="image/jpeg", headers=PICTURE_HEADERS)
