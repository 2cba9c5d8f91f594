"""Addresses under ``/api/v1``."""

from django.urls import path

from streaming import pictures

urlpatterns = [
    path("cameras/<slug:slug>/snapshot.jpg", pictures.snapshot, name="snapshot"),
    path("cameras/<slug:slug>/stream-ticket", pictures.StreamTicketView.as_view(), name="stream-ticket"),
]
