"""Addresses below `/api/v1` of vehicles."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from vehicles.api import lists, plates, reads

router = SimpleRouter(trailing_slash=False)
router.register("vehicles/logs", reads.PlateReadViewSet, basename="vehicle-log")
router.register("vehicles/visits", reads.VisitViewSet, basename="visit")
router.register("vehicles/blocked-plates", lists.BlockedPlateViewSet, basename="blocked-plate")
router.register("vehicles/allowed-plates", lists.AllowedPlateViewSet, basename="allowed-plate")
router.register("vehicles/watched-plates", lists.WatchedPlateViewSet, basename="watched-plate")

urlpatterns = [
    path("vehicles/validate-plate", plates.ValidatePlateView.as_view(), name="validate-plate"),
    path("vehicle/validate-plate", plates.ValidatePlateView.as_view(), name="validate-plate-too"),
    path("vehicles/same-plate", plates.SamePlateView.as_view(), name="same-plate"),
    path("vehicles/reads", reads.ReadsView.as_view(), name="vehicle-reads"),
    *router.urls,
]
