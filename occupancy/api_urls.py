"""Addresses under ``/api/v1``."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from occupancy.api.areas import AreasView, TrendsView
from occupancy.api.logs import LogsView
from occupancy.api.now import NowView
from occupancy.api.sums import DayViewSet, HourViewSet, MonthViewSet
from occupancy.api.zones import CorrectView, ZoneViewSet

router = SimpleRouter(trailing_slash=False)
router.register("occupancy/zones", ZoneViewSet)
router.register("occupancy/hourly", HourViewSet)
router.register("occupancy/daily", DayViewSet)
router.register("occupancy/monthly", MonthViewSet)

urlpatterns = [
    path("occupancy/areas", AreasView.as_view(), name="occupancy-areas"),
    path("occupancy/trends", TrendsView.as_view(), name="occupancy-trends-api"),
    path("occupancy/logs", LogsView.as_view(), name="occupancy-logs"),
    path("occupancy/now", NowView.as_view(), name="occupancy-now"),
    path("occupancy/zones/<int:pk>/correct", CorrectView.as_view(), name="zone-correct"),
    *router.urls,
]
