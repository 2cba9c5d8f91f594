"""How far a zone is summed, and how a late log moves that back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from occupancy.models import Log, Zone
from occupancy.rules.sums import day_bounds, hour_of


def reopen_for(zone: Zone, first: datetime) -> None:
    """Move the watermarks of a locked zone back to the hour, day and month that hold ``first``."""
    if zone.summed_until is not None and first >= zone.summed_until:
        return
    day = first.astimezone(zone.site.zone).date()
    zone.summed_until = hour_start(zone, first)
    zone.days_until = min(day, zone.days_until or day)
    zone.months_until = min(day.replace(day=1), zone.months_until or day)
    zone.save(update_fields=["summed_until", "days_until", "months_until"])


def hour_start(zone: Zone, at: datetime) -> datetime:
    """Return the start of the hour bucket that holds ``at``."""
    return hour_of(at, zone.site.zone)[0]


def reopen(*, zones: Sequence[Zone], first: date) -> None:
    """Move watermarks back so that all from the local day ``first`` on is summed anew, but for thinned time."""
    for zone in zones:
        _reopen(zone.pk, first)


@transaction.atomic
def _reopen(pk: int, first: date) -> None:
    zone = Zone.objects.select_for_update(of=("self",)).select_related("site").get(pk=pk)
    earliest = Log.objects.filter(zone=zone, at_us__gte=zone.kept_from_us).order_by("at_us", "pk").first()
    if zone.summed_until is None or earliest is None:
        return
    start = max(day_bounds(first, zone.site.zone)[0], hour_of(earliest.at, zone.site.zone)[0])
    if start >= zone.summed_until:
        return
    day = start.astimezone(zone.site.zone).date()
    zone.summed_until = start
    zone.days_until = min(day, zone.days_until or day)
    zone.months_until = min(day.replace(day=1), zone.months_until or day)
    zone.save(update_fields=["summed_until", "days_until", "months_until"])
