"""Pictures and pages of identity."""

from django.urls import path

from identity import snapshots_api

urlpatterns = [
    path("media/snapshots/<uuid:pk>", snapshots_api.SnapshotPictureView.as_view(), name="snapshot-picture"),
]
