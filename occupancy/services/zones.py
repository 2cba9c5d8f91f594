"""What people set about a zone: its name, its capacity, and when its count is reset."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from occupancy.models import Zone
from occupancy.services.capacity import judge_zones
from occupancy.services.resets import Outlook, judge_new_time

SET_BY_PEOPLE = ("site", "name", "capacity", "reset_at", "reset_policy")
"""All else of a zone is kept by jobs and logs: what a form was opened with must not be written over it."""


@transaction.atomic
def save_zone(*, zone: Zone, at: datetime) -> Outlook | None:
    """Write what a person set of a new or a known zone; return what it means for the drift reset.

    None when nothing about the reset has changed.
    """
    known = Zone.objects.select_for_update(of=("self",)).filter(pk=zone.pk).first() if zone.pk else None
    zone.save(update_fields=SET_BY_PEOPLE if known else None)
    zone.refresh_from_db()
    judge_zones(ids=[zone.pk], at=at)
    if known and (known.reset_at, known.reset_policy) == (zone.reset_at, zone.reset_policy):
        return None
    return judge_new_time(zone=zone, at=at)
