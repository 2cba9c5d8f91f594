"""The few figures about everything that health and metrics share."""

from __future__ import annotations

from collections import Counter

from django.utils import timezone

from streaming.models import Camera
from streaming.standing import stand


def camera_states() -> Counter[str]:
    """Return how many cameras of active sites are in which state, judged as pages and the API judge them."""
    now = timezone.now()
    cameras = Camera.objects.filter(site__is_active=True).select_related("site", "status")
    return Counter(stand(camera, now).state for camera in cameras)
