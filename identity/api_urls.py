"""Addresses below `/api/v1` of people and faces."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from identity.api import faces, people, sightings, snapshots

router = SimpleRouter(trailing_slash=False)
router.register("employees", people.EmployeeViewSet)
router.register("identity/sightings", sightings.SightingViewSet)
router.register("identity/unknown-faces", sightings.UnknownFaceViewSet)
router.register("identity/snapshots", snapshots.SnapshotViewSet)

urlpatterns = [
    path("employees/<int:employee>/faces", faces.EmployeeFacesView.as_view(), name="employee-faces"),
    path("employees/<int:employee>/faces/<int:face>", faces.EmployeeFaceView.as_view(), name="employee-face"),
    path("employees/<int:employee>/consent", faces.ConsentView.as_view(), name="employee-consent"),
    path("employees/<int:employee>/opt-out", faces.OptOutView.as_view(), name="employee-opt-out"),
    path("employees/<int:employee>/erase-biometrics", faces.EraseView.as_view(), name="employee-erase"),
    path("identity/search", sightings.SearchView.as_view(), name="identity-search"),
    *router.urls,
]
