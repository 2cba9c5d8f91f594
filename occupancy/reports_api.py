"""`/api/v1/occupancy`: the count now, the sums, a correction, and the scheduler."""

from __future__ import annotations

import uuid
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.jobs.services import run_job, scheduler_status
from factoryai.rest import AwareDateTimeField, AwareDateTimeFilter, ModelSerializer, NotFound, Refusal
from factoryai.sites.models import Role, Site
from factoryai.sites.permissions import PEOPLE, SiteRole, SiteScoped
from occupancy.models import Day, Hour, Month, Zone
from occupancy.present import present_zones
from occupancy.running import JOBS, Wish
from occupancy.services import correct_zone


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


class _Sum(ModelSerializer):
    average = serializers.FloatField(help_text="People inside, weighted by time.")
    complete = serializers.BooleanField(
        source="is_complete", help_text="Whether every camera of the zone was live throughout."
    )


FIGURES = ["average", "peak", "low", "entries", "exits", "logs", "complete"]


class HourSerializer(_Sum):
    hour = AwareDateTimeField(source="start")

    class Meta:
        model = Hour
        fields = ["zone", "hour", *FIGURES]


class DaySerializer(_Sum):
    class Meta:
        model = Day
        fields = ["zone", "date", *FIGURES]


class MonthSerializer(_Sum):
    month = serializers.DateField(source="date", format="%Y-%m")

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

    queryset = Hour.objects.all()
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


class CorrectSerializer(serializers.Serializer):
    count = serializers.IntegerField(min_value=0, max_value=1_000_000)
    reason = serializers.CharField(max_length=200)


class CorrectedSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    drift = serializers.IntegerField(help_text="What the count was wrong by: seen minus true.")


class CorrectView(APIView):
    permission_classes = [SiteRole]
    read_roles = PEOPLE
    write_roles = (Role.MANAGER, Role.SECURITY)

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


class JobSerializer(serializers.Serializer):
    name = serializers.CharField()
    schedule = serializers.CharField()
    last_started_at = AwareDateTimeField(allow_null=True)
    last_finished_at = AwareDateTimeField(allow_null=True)
    last_result = serializers.CharField(allow_blank=True)
    last_error = serializers.CharField(allow_blank=True)
    next_due_at = AwareDateTimeField(allow_null=True)
    missed = serializers.IntegerField()


class SchedulerSerializer(serializers.Serializer):
    running = serializers.BooleanField()
    jobs = JobSerializer(many=True)


class SchedulerStatusView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = PEOPLE

    @extend_schema(responses=SchedulerSerializer)
    def get(self, request: Request) -> Response:
        """Return whether the scheduler runs, and how each job last went."""
        return Response(SchedulerSerializer(scheduler_status(at=timezone.now())).data)


class RunSerializer(serializers.Serializer):
    site = serializers.SlugField(required=False, help_text="All sites where you are a manager without it.")

    def get_fields(self) -> dict[str, Any]:
        text = "A local day: sums are made anew from it on; a drift reset is that of this night."
        return {**super().get_fields(), "for": serializers.DateField(required=False, help_text=text)}


class RunJobView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = (Role.MANAGER,)

    @extend_schema(
        request=RunSerializer,
        responses={200: OpenApiTypes.OBJECT},
        parameters=[OpenApiParameter("name", str, "path", enum=sorted(JOBS))],
    )
    def post(self, request: Request, name: str) -> Response:
        """Run a job by hand and return what it did; running it twice gives the same sums."""
        if name not in JOBS:
            raise NotFound(f"There is no job {name} that is run by hand.")
        body = RunSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        sites = self._sites(request, body.validated_data.get("site"))
        wish = Wish(list(sites), timezone.now(), request.user, body.validated_data.get("for"))
        return Response(run_job(name, lambda: JOBS[name](wish)))

    def _sites(self, request: Request, slug: str | None) -> QuerySet[Site]:
        mine = Site.objects.visible_to(request.user, self.write_roles)
        if slug is None:
            return mine
        if not Site.objects.visible_to(request.user).filter(slug=slug).exists():
            raise Refusal("does_not_exist", f"There is no site {slug}.", 400, {"site": "Unknown."})
        if not mine.filter(slug=slug).exists():
            raise Refusal("permission_denied", "Your role at this site does not allow it.", 403)
        return mine.filter(slug=slug)
