"""Zones that are drawn on cameras: who is in them, and how long people stayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Avg, Count, Max

from factoryai.sites.models import Site
from factoryai.sites.permissions import PEOPLE
from occupancy.models import Presence, Stay
from occupancy.rules.sums import day_bounds
from streaming.frames import Observation
from streaming.models import Camera
from streaming.standing import stand


def record_stay(*, observation: Observation) -> bool:
    """Record that somebody stayed in a zone of a camera, exactly once; False for a repeat or a camera that is gone."""
    camera = Camera.objects.filter(slug=observation.camera).first()
    if camera is None:
        return False
    entered_at, left_at = _at(observation.data["entered_at"]), _at(observation.captured_at)
    dwell = max(left_at - entered_at, timedelta())
    _, is_new = Stay.objects.get_or_create(
        camera=camera,
        event_id=observation.event_id,
        defaults={
            "area": observation.data["area"],
            "entered_at": entered_at,
            "left_at": left_at,
            "dwell_ms": dwell // timedelta(milliseconds=1),
        },
    )
    return is_new


@transaction.atomic
def note_presence(*, observation: Observation) -> None:
    """Note who is in a zone of a camera; what is told late, after something newer, changes nothing."""
    camera = Camera.objects.filter(slug=observation.camera).first()
    if camera is None:
        return
    data, at = observation.data, _at(observation.captured_at)
    since = None if data["since"] is None else _at(data["since"])
    told = {"people": data["people"], "since": since, "at": at}
    rows = Presence.objects.filter(camera=camera, area=data["area"])
    if not rows.filter(at__lt=at).update(**told):
        Presence.objects.get_or_create(camera=camera, area=data["area"], defaults=told)


@dataclass(frozen=True, slots=True)
class AreaNow:
    """One zone of a camera now, and the stays that ended there today.

    ``people`` is None while the camera is not live; durations are None where there were none.
    """

    camera: Camera
    area: str
    people: int | None
    since: datetime | None
    is_stale: bool
    stays: int
    average: timedelta | None
    longest: timedelta | None
    at: datetime

    @property
    def present_for(self) -> str:
        return in_words(self.at - self.since) if self.since else ""

    @property
    def average_text(self) -> str:
        return in_words(self.average)

    @property
    def longest_text(self) -> str:
        return in_words(self.longest)


def in_words(length: timedelta | None) -> str:
    """Return a length of time for people: 45 s, 12 min, 3 h 05 min; nothing for None."""
    if length is None:
        return ""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 100:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def areas_now(user: Any, at: datetime) -> list[AreaNow]:
    """Return every zone drawn on the occupancy cameras that ``user`` may see. Costs three queries, and one a site."""
    visible = Camera.objects.visible_to(user, PEOPLE).select_related("site", "status")
    cameras = [camera for camera in visible if "occupancy" in camera.roles and camera.zones]
    told = {(row.camera_id, row.area): row for row in Presence.objects.filter(camera__in=cameras)}
    stays = _stays_today(cameras, at)
    return [_area(camera, drawn["name"], told, stays, at) for camera in cameras for drawn in camera.zones]


def _area(camera: Camera, name: str, told: dict, stays: dict, at: datetime) -> AreaNow:
    row, (count, mean_ms, most_ms) = told.get((camera.pk, name)), stays.get((camera.pk, name), (0, None, None))
    is_live = stand(camera, at).is_live
    return AreaNow(
        camera=camera,
        area=name,
        people=(row.people if row else 0) if is_live else None,
        since=row.since if row and is_live else None,
        is_stale=not is_live,
        stays=count,
        average=_ms(mean_ms),
        longest=_ms(most_ms),
        at=at,
    )


def _stays_today(cameras: Sequence[Camera], at: datetime) -> dict[tuple[int, str], tuple]:
    by_site: dict[Site, list[Camera]] = {}
    for camera in cameras:
        by_site.setdefault(camera.site, []).append(camera)
    found = {}
    for site, here in by_site.items():
        start = day_bounds(at.astimezone(site.zone).date(), site.zone)[0]
        rows = Stay.objects.filter(camera__in=here, left_at__gte=start).order_by().values_list("camera", "area")
        for camera, area, *figures in rows.annotate(Count("pk"), Avg("dwell_ms"), Max("dwell_ms")):
            found[camera, area] = tuple(figures)
    return found


def _ms(value: float | None) -> timedelta | None:
    return None if value is None else timedelta(milliseconds=round(float(value)))


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
