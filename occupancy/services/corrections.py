"""Correcting the count by a person's word."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from factoryai.alerts.services import close_alert
from factoryai.rest import Refusal
from factoryai.sites.models import Role
from occupancy.models import Log, Zone
from occupancy.rules.sums import Kind
from occupancy.services.capacity import judge_zones
from occupancy.services.logs import NewLog, after_all, lock_zones, log_of, reopen_for_rows
from occupancy.services.resets import missed_key

CORRECTORS = (Role.MANAGER, Role.SECURITY)
"""Who may say that the count is another."""


@transaction.atomic
def correct_zone(*, zone: Zone, count: int, reason: str, by: Any, event_id: str, at: datetime) -> Log:
    """Set the count by a person's word; the row keeps what the count was wrong by (seen minus true)."""
    if count < 0 or not reason.strip():
        raise Refusal("bad_correction", "A correction needs a count of 0 or more and a reason.")
    known = lock_zones([zone])
    if repeat := Log.objects.filter(zone=zone, source="people", event_id=event_id).first():
        return repeat
    seen = Zone.objects.with_counts().get(pk=zone.pk).raw_count
    row = NewLog(event_id, zone.pk, after_all(zone, at), Kind.CORRECTION, count)
    log = log_of(row, "people", at)
    log.drift, log.reason, log.by = seen - count, reason.strip()[:200], by
    log.save()
    reopen_for_rows(known, [row])
    close_alert(site=zone.site, key=missed_key(zone), at=at, by=by, note=f"The count was corrected to {count}.")
    judge_zones(ids=[zone.pk], at=at)
    return log
