"""Questions about cameras: who may watch which, and which a camera process may take."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import connections, models
from django.db.models import Q

from factoryai.sites.models import Role
from factoryai.sites.querysets import ScopedQuerySet

WATCHERS = (Role.SECURITY, Role.MANAGER)
"""Roles that may watch every camera of their site; HR watches the attendance cameras only, devices none."""


FAR_AHEAD = timedelta(minutes=10)
"""A lease that ends later than this was written by a clock that was wrong, and holds nobody off."""


class CameraQuerySet(ScopedQuerySet):
    def watchable_by(self, user: Any) -> Self:
        """Cameras whose picture the user may see."""
        everywhere = self.visible_to(user, WATCHERS).values("pk")
        attendance = self.with_role("attendance").visible_to(user, (Role.HR,)).values("pk")
        return self.filter(Q(pk__in=everywhere) | Q(pk__in=attendance))

    def with_role(self, role: str) -> Self:
        """Cameras that serve ``role``. SQLite cannot look into a JSON list, so the text of the list is searched."""
        if connections[self.db].features.supports_json_field_contains:
            return self.filter(roles__contains=[role])
        return self.filter(roles__icontains=f'"{role}"')

    def enabled(self) -> Self:
        return self.filter(is_enabled=True, site__is_active=True)

    def takeable(self, worker: str, at: datetime) -> Self:
        """Enabled cameras that ``worker`` may lease now: nobody's, its own, or with a lease that ran out.

        One that ends absurdly late counts as run out.
        """
        free = Q(status__isnull=True) | Q(status__leased_until__isnull=True) | Q(status__leased_until__lt=at)
        free |= Q(status__leased_until__gt=at + FAR_AHEAD)
        return self.enabled().filter(free | Q(status__worker=worker))


class CameraStatusQuerySet(models.QuerySet):
    def held_by(self, worker: str, at: datetime) -> Self:
        return self.filter(worker=worker, leased_until__gte=at)
