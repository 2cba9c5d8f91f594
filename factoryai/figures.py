"""The few figures about everything that health and metrics share."""

from __future__ import annotations

from collections import Counter

from django.utils import timezone

from streaming.models import Camera


def camera_states() -> Counter[str]:
    """Return how many cameras are in which state; one without a living camera process is offline."""
    now = timezone.now()
    states: Counter[str] = Counter()
    for camera in Camera.objects.select_related("status"):
        status = getattr(camera, "status", None)
        leased = status is not None and status.leased_until is not None and status.leased_until > now
        states["disabled" if not camera.is_enabled else status.state if leased else "offline"] += 1
    return states
