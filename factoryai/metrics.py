"""`/metrics` in Prometheus' text form: totals for anybody, figures by camera for who may see the cameras."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from factoryai.alerts.models import Alert, Delivery
from factoryai.figures import camera_states
from factoryai.jobs.models import Job
from factoryai.jobs.services import is_scheduler_running
from streaming.models import Camera


class Figures:
    """A Prometheus collector over the database: every process answers the same."""

    def __init__(self, user: Any) -> None:
        self.user = user

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        cameras = GaugeMetricFamily("factoryai_cameras", "Cameras by state.", labels=["state"])
        states = camera_states()
        for state in ("live", "stale", "offline", "disabled"):
            cameras.add_metric([state], states[state])
        yield cameras
        alerts = GaugeMetricFamily("factoryai_open_alerts", "Open alerts by severity.", labels=["severity"])
        for severity in ("info", "warning", "critical"):
            alerts.add_metric([severity], Alert.objects.still_open().filter(severity=severity).count())
        yield alerts
        yield GaugeMetricFamily(
            "factoryai_deliveries_waiting", "Alert messages not sent yet.", Delivery.objects.claimable(now).count()
        )
        yield GaugeMetricFamily("factoryai_scheduler_running", "1 while beat ticks.", is_scheduler_running(now))
        yield GaugeMetricFamily("factoryai_jobs_late", "Jobs that should have begun.", Job.objects.late(now).count())
        yield from self._by_camera()

    def _by_camera(self) -> Iterator[Metric]:
        """One sample a camera that the user may watch; nobody anonymous learns a name."""
        if not self.user.is_authenticated:
            return
        labels = ["site", "camera"]
        columns = {
            name: GaugeMetricFamily(f"factoryai_camera_{name}", text, labels=labels)
            for name, text in (
                ("source_fps", "Frames a second the camera gives."),
                ("shown_fps", "Frames a second shown."),
                ("detect_fps", "Frames a second looked at."),
                ("reconnects", "Times the camera was connected again."),
                ("people", "People in the newest picture."),
                ("vehicles", "Vehicles in the newest picture."),
            )
        }
        for camera in Camera.objects.watchable_by(self.user).select_related("site", "status"):
            if status := getattr(camera, "status", None):
                for name, column in columns.items():
                    column.add_metric([camera.site.slug, camera.slug], getattr(status, name) or 0)
        yield from columns.values()


def metrics(request: HttpRequest) -> HttpResponse:
    registry = CollectorRegistry()
    registry.register(Figures(_user_of(request)))
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _user_of(request: HttpRequest) -> Any:
    """Return who asks, by bearer token or by session."""
    from factoryai.tokens import user_of_token

    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return user_of_token(token)
    return getattr(request, "user", AnonymousUser())
