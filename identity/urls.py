"""Pictures and pages of identity."""

from django.urls import path

from identity import views
from identity.api import snapshots

urlpatterns = [
    path("faces/review", views.review, name="faces-review"),
    path("faces/unknown/<int:pk>/decide", views.decide_unknown, name="face-decide"),
    path("faces/doubtful/<int:pk>/decide", views.decide_doubtful, name="sighting-decide"),
    path("media/snapshots/<uuid:pk>", snapshots.SnapshotPictureView.as_view(), name="snapshot-picture"),
]
