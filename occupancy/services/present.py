"""How many people are inside now, and whether the number can be believed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from factoryai.sites.permissions import PEOPLE
from occupancy.models import Log, Zone, ZoneLine
from occupancy.rules.sums import shown
from streaming.standing import stand


@dataclass(frozen=True, slots=True)
class Present:
    """One zone now; ``drift`` is how far below zero the raw count is, ``undrawn`` the lines it counts by in vain."""

    zone: Zone
    count: int
    drift: int
    since: datetime | None
    is_stale: bool
    undrawn: list[str]

    @property
    def share(self) -> int | None:
        """Per cent of the capacity, at most 100 for a bar."""
        return min(100, round(100 * self.count / self.zone.capacity)) if self.zone.capacity else None

    @property
    def local_since(self) -> str:
        """When something was last recorded, on the clocks of the site."""
        return f"{self.since.astimezone(self.zone.site.zone):%Y-%m-%d %H:%M}" if self.since else ""

    def as_dict(self) -> dict[str, Any]:
        zone = self.zone
        return {
            "zone": zone.pk, "name": zone.name, "site": zone.site.slug, "count": self.count, "since": self.since,
            "capacity": zone.capacity, "level": zone.level, "stale": self.is_stale,
        }  # fmt: skip


def present_zones(user: Any, at: datetime) -> list[Present]:
    """Return every zone that ``user`` may see, in four queries however many there are."""
    return _present(list(Zone.objects.visible_to(user, PEOPLE).with_counts().select_related("site")), at)


def present_zone(zone: Zone, at: datetime) -> Present:
    """Return one zone that was read with its count."""
    return _present([zone], at)[0]


def _present(zones: list[Zone], at: datetime) -> list[Present]:
    newest = Log.objects.filter(zone=OuterRef("pk")).order_by("-at_us").values("at_us")[:1]
    logged = Zone.objects.filter(pk__in=[zone.pk for zone in zones]).order_by().annotate(newest=Subquery(newest))
    latest = dict(logged.filter(newest__isnull=False).values_list("pk", "newest"))
    lines = list(ZoneLine.objects.filter(zone__in=zones).select_related("camera__site", "camera__status"))
    stale = {line.zone_id for line in lines if not stand(line.camera, at).is_live}
    return [
        Present(
            zone=zone,
            count=shown(zone.raw_count),
            drift=min(zone.raw_count, 0),
            since=datetime.fromtimestamp(latest[zone.pk] / 1e6, UTC) if zone.pk in latest else None,
            is_stale=zone.pk in stale,
            undrawn=[str(line) for line in lines if line.zone_id == zone.pk and not line.is_drawn],
        )
        for zone in zones
    ]
