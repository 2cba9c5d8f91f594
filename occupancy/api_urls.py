from django.urls import path
from rest_framework.routers import SimpleRouter

from occupancy.api import LogsView, ZoneViewSet

router = SimpleRouter(trailing_slash=False)
router.register("occupancy/zones", ZoneViewSet)

urlpatterns = [*router.urls, path("occupancy/logs", LogsView.as_view(), name="occupancy-logs")]
