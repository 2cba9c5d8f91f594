"""Alerts about how full a zone is, raised and closed in the transaction that changes its count."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from factoryai.alerts.models import Severity
from factoryai.alerts.services import close_alert, raise_alert
from occupancy.models import Zone
from occupancy.rules.capacity import Level, judge_level
from occupancy.rules.sums import shown


def judge_zones(*, ids: Iterable[int], at: datetime) -> None:
    """Judge the level of zones whose rows the caller has locked, and raise or close their alerts when it changed."""
    judged = Zone.objects.filter(Q(capacity__isnull=False) | ~Q(level=Level.OK.value), pk__in=list(ids))
    for zone in judged.with_counts().select_related("site"):
        count = shown(zone.raw_count)
        level = judge_level(count, zone.capacity, Level(zone.level))
        if level != zone.level:
            Zone.objects.filter(pk=zone.pk).update(level=level.value)
            _tell(zone, level, count, at)


def _tell(zone: Zone, level: Level, count: int, at: datetime) -> None:
    for other, severity, words in (
        (Level.WARN, Severity.WARNING, "is nearly full"),
        (Level.FULL, Severity.CRITICAL, "is full"),
    ):
        key = f"capacity:{zone.pk}:{other}"
        if other is not level:
            close_alert(site=zone.site, key=key, at=at, note=f"{count} people inside.")
            continue
        raise_alert(
            site=zone.site, kind="capacity", severity=severity, key=key, at=at, title=f"{zone.name} {words}",
            detail=f"{count} people inside, room for {zone.capacity}. Let nobody in until it empties, "
            "or correct the count if it is wrong.",
        )  # fmt: skip
