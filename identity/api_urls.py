"""Addresses below `/api/v1` of people and faces."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from identity import api, faces_api, sightings_api, snapshots_api

router = SimpleRouter(trailing_slash=False)
router.register("employees", api.EmployeeViewSet)
router.register("identity/sightings", sightings_api.SightingViewSet)
router.register("identity/unknown-faces", sightings_api.UnknownFaceViewSet)
router.register("identity/snapshots", snapshots_api.SnapshotViewSet)

urlpatterns = [
    path("employees/<int:employee>/faces", faces_api.EmployeeFacesView.as_view(), name="employee-faces"),
    path("employees/<int:employee>/faces/<int:face>", faces_api.EmployeeFaceView.as_view(), name="employee-face"),
    path("employees/<int:employee>/consent", faces_api.ConsentView.as_view(), name="employee-consent"),
    path("employees/<int:employee>/opt-out", faces_api.OptOutView.as_view(), name="employee-opt-out"),
    path("employees/<int:employee>/erase-biometrics", faces_api.EraseView.as_view(), name="employee-erase"),
    path("identity/search", sightings_api.SearchView.as_view(), name="identity-search"),
    *router.urls,
]
