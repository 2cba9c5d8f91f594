"""Addresses under ``/api/v1``: the outside contract has them beside the sums that jobs make."""

from django.urls import path

from factoryai.jobs.api import RunJobView, SchedulerStatusView

urlpatterns = [
    path("occupancy/scheduler-status", SchedulerStatusView.as_view(), name="scheduler-status"),
    path("occupancy/jobs/<str:name>/run", RunJobView.as_view(), name="job-run"),
]
