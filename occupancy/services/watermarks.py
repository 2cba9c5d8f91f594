"""How far a zone is summed, and how a late log moves that back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from occupancy.models import EPOCH, Hour, Log, Zone
from occupancy.rules.sums import day_bounds, hour_of


def reopen_for(zone: Zone, first: datetime) -> None:
    """Move the watermarks of a locked zone back to the hour, day and month that hold ``first``."""
    if zone.summed_until is None or first < zone.summed_until:
        _move_back(zone, hour_start(zone, first))


def _move_back(zone: Zone, start: datetime) -> None:
    """Set the watermarks of a locked zone so that all from ``start`` on is summed anew.

    An hour that reaches over ``start`` was cut in another time zone of the site: it is begun with, and cut shorter.
    Time whose logs are thinned out is never summed anew.
    The local day that it stood under loses it, and is summed anew as well.
    """
    before = Hour.objects.filter(zone=zone, start__lt=start).order_by("-start").first()
    if before and before.start + timedelta(microseconds=before.length_us) > start:
        start = before.start
    start = max(start, EPOCH + timedelta(microseconds=zone.kept_from_us))
    stood_under = Hour.objects.filter(zone=zone, start__gte=start).order_by("start").values_list("date", flat=True)[:1]
    day = min([start.astimezone(zone.site.zone).date(), *stood_under])
    zone.summed_until = start
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
    if start < zone.summed_until:
        _move_back(zone, start)
