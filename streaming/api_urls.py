"""Addresses under ``/api/v1``."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from streaming import pictures
from streaming.api import CameraViewSet

router = SimpleRouter(trailing_slash=False)
router.register("cameras", CameraViewSet)

urlpatterns = [
    path("cameras/<slug:slug>/snapshot.jpg", pictures.snapshot, name="snapshot"),
    path("cameras/<slug:slug>/stream-ticket", pictures.StreamTicketView.as_view(), name="stream-ticket"),
    *router.urls,
]
