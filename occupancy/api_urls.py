"""Addresses under ``/api/v1``."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from occupancy import reports_api
from occupancy.api import LogsView, ZoneViewSet

router = SimpleRouter(trailing_slash=False)
router.register("occupancy/zones", ZoneViewSet)
router.register("occupancy/hourly", reports_api.HourViewSet)
router.register("occupancy/daily", reports_api.DayViewSet)
router.register("occupancy/monthly", reports_api.MonthViewSet)

urlpatterns = [
    path("occupancy/logs", LogsView.as_view(), name="occupancy-logs"),
    path("occupancy/now", reports_api.NowView.as_view(), name="occupancy-now"),
    path("occupancy/zones/<int:pk>/correct", reports_api.CorrectView.as_view(), name="zone-correct"),
    path("occupancy/scheduler-status", reports_api.SchedulerStatusView.as_view(), name="scheduler-status"),
    path("occupancy/jobs/<str:name>/run", reports_api.RunJobView.as_view(), name="job-run"),
    *router.urls,
]
