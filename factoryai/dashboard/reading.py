"""The questions that several blocks ask of the apps, kept to the shown sites."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from factoryai.alerts.models import Alert
from factoryai.dashboard.asker import Asker
from factoryai.sites.models import Role
from occupancy.services.present import Present, present_zones
from streaming.standing import Standing, standings_for

DESK = (Role.HR, Role.MANAGER)
"""Who sees attendance."""


def open_alerts(asker: Asker) -> Any:
    """Return the open alerts that the person is the audience of."""
    return asker.choice.narrow(Alert.objects.visible_to(asker.user)).still_open()


def standings(asker: Asker) -> Sequence[Standing]:
    """Return how every camera stands, live ones first: one query."""
    return [one for one in standings_for(asker.user, asker.at) if _is_shown(asker, one.camera.site_id)]


def zones_inside(asker: Asker) -> list[Present]:
    """Return the people inside every zone, the fullest first: four queries."""
    zones = [one for one in present_zones(asker.user, asker.at) if _is_shown(asker, one.zone.site_id)]
    return sorted(zones, key=lambda one: (one.share is None, -(one.share or 0), one.zone.name))


def _is_shown(asker: Asker, site: int) -> bool:
    return asker.choice.site is None or asker.choice.site.pk == site
