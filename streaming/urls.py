"""Pages, and the feed, whose address is not under ``/api/v1``."""

from django.urls import path

from streaming import pictures, views

urlpatterns = [
    path("wall/", views.wall, name="wall"),
    path("wall/counts", views.wall_counts, name="wall-counts"),
    path("cameras/<slug:slug>/", views.camera, name="camera"),
    path("cameras/<slug:slug>/state", views.camera_state, name="camera-state"),
    path("api/video_feed", pictures.video_feed, name="video_feed"),
]
