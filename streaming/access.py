"""Who may watch a camera: the one question the feed, the wall, snapshots, tickets and pages ask."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async

from streaming.models import Camera


def can_watch(user: Any, camera: Camera) -> bool:
    """Whether ``user`` may see the picture of ``camera`` now: the account, the role and the site are read anew."""
    if user.is_anonymous:
        return False
    fresh = type(user)._default_manager.filter(pk=user.pk, is_active=True).first()
    return fresh is not None and Camera.objects.watchable_by(fresh).filter(pk=camera.pk).exists()


acan_watch = sync_to_async(can_watch)
