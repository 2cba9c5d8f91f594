"""Deleting raw logs whose time is over, never before they are summed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from occupancy.models import Hour, Log, Stay, Zone, microseconds
from occupancy.rules.sums import day_bounds
from occupancy.services.sums import Progress, Sites, zones_of


def thin_logs(*, at: datetime, keep: timedelta, sites: Sites = None, progress: Progress | None = None) -> int:
    """Delete raw entries, exits and counts older than ``keep`` whose month is summed; return how many.

    Corrections and resets stay: they say how well the cameras count. The count is carried over in ``kept_count``.
    """
    zones, gone = zones_of(sites), 0
    for number, zone in enumerate(zones, 1):
        gone += _thin(zone.pk, at - keep)
        if progress:
            progress(number, len(zones))
    return gone


def thin_stays(*, at: datetime, keep: timedelta) -> int:
    """Delete stays in zones of cameras that ended longer ago than ``keep``; return how many."""
    return Stay.objects.filter(left_at__lt=at - keep).delete()[0]


@transaction.atomic
def _thin(pk: int, before: datetime) -> int:
    zone = Zone.objects.select_for_update(of=("self",)).select_related("site").get(pk=pk)
    if zone.summed_until is None or zone.months_until is None:
        return 0
    sure = day_bounds(zone.months_until, zone.site.zone)[0]
    last = Hour.objects.filter(zone=zone, start__lt=min(before, sure, zone.summed_until)).order_by("-start").first()
    if last is None or microseconds(last.start) <= zone.kept_from_us:
        return 0
    opening = Hour.objects.filter(zone=zone, start__lt=last.start).order_by("-start").first()
    edge = microseconds(last.start)
    gone = Log.objects.filter(zone=zone, at_us__lt=edge, kind__in=["in", "out", "count"]).order_by().delete()[0]
    zone.kept_from_us, zone.kept_count = edge, opening.closing if opening else 0
    zone.save(update_fields=["kept_from_us", "kept_count"])
    return gone
