"""The manager's overview: one row a site, in a number of queries that does not grow with sites, people or cameras."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from attendance.services.today import Today, today_at
from factoryai.alerts.models import Severity
from factoryai.dashboard.asker import Asker
from factoryai.dashboard.reading import DESK, open_alerts, standings, zones_inside
from factoryai.sites.models import Site
from occupancy.services.present import Present
from streaming import bus

MOST_ZONES = 3


@dataclass(frozen=True, slots=True)
class SiteRow:
    """What stands in one line of the overview; ``today`` is None where the person may not see attendance."""

    site: Site
    clock: str
    critical: int
    other: int
    cameras: int
    away: int
    zones: Sequence[Present]
    more_zones: int
    today: Today | None


def site_rows(asker: Asker) -> list[SiteRow]:
    """Return a row for each shown site, those with something critical or away first."""
    sites = asker.choice.sites
    alerts = open_alerts(asker).unanswered().order_by().values_list("site_id", "severity").annotate(Count("pk"))
    waiting = {(site, severity): count for site, severity, count in alerts}
    cameras, away = Counter[int](), Counter[int]()
    for one in standings(asker):
        cameras[one.camera.site_id] += one.state != bus.DISABLED
        away[one.camera.site_id] += one.state not in (bus.LIVE, bus.DISABLED)
    zones: dict[int, list[Present]] = defaultdict(list)
    for present in zones_inside(asker):
        zones[present.zone.site_id].append(present)
    days = today_at(asker.sites_as(DESK), asker.at)
    rows = [
        SiteRow(
            site=site,
            clock=f"{asker.at.astimezone(site.zone):%H:%M}, {site.timezone}",
            critical=waiting.get((site.pk, Severity.CRITICAL), 0),
            other=sum(waiting.get((site.pk, severity), 0) for severity in (Severity.WARNING, Severity.INFO)),
            cameras=cameras[site.pk],
            away=away[site.pk],
            zones=zones[site.pk][:MOST_ZONES],
            more_zones=max(0, len(zones[site.pk]) - MOST_ZONES),
            today=days.get(site.pk),
        )
        for site in sites
    ]
    return sorted(rows, key=lambda row: (-row.critical, -row.away, row.site.name))
