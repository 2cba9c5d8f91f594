"""`/api/v1/occupancy/scheduler-status`, and running a job by hand."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.jobs.runs import MANAGERS, ask_run, perform_run, sees_all
from factoryai.jobs.services import scheduler_status
from factoryai.rest import AwareDateTimeField
from factoryai.sites.permissions import PEOPLE, SiteRole


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
        return Response(SchedulerSerializer(scheduler_status(at=timezone.now(), tells_all=sees_all(request.user))).data)


class RunSerializer(serializers.Serializer):
    site = serializers.SlugField(required=False, help_text="All sites where you are a manager without it.")

    def get_fields(self) -> dict[str, Any]:
        text = "A local day: sums are made anew from it on; a drift reset is that of this night."
        return {**super().get_fields(), "for": serializers.DateField(required=False, help_text=text)}


class RunJobView(APIView):
    permission_classes = [SiteRole]
    read_roles = write_roles = MANAGERS

    @extend_schema(request=RunSerializer, responses={200: OpenApiTypes.OBJECT})
    def post(self, request: Request, name: str) -> Response:
        """Run a job by hand and return what it did; running it twice gives the same sums."""
        body = RunSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted, at = body.validated_data, timezone.now()
        run = ask_run(name=name, by=request.user, slug=wanted.get("site"), day=wanted.get("for"), at=at)
        outcome = perform_run(run=run, at=at)
        return Response({"result": outcome} if isinstance(outcome, str) else outcome or {})
