"""Recording what happened: rows of devices, and the crossings that cameras see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Count, F

from factoryai.bulk import Received, refuse_too_many, sort_out
from occupancy.models import Log, Zone, ZoneLine, microseconds
from occupancy.rules.sums import SETTING, Kind
from occupancy.services.capacity import judge_zones
from occupancy.services.watermarks import reopen_for
from streaming.frames import Observation
from streaming.models import Camera

CLOCK_SLACK = timedelta(minutes=5)
"""How far ahead of the server a device's clock may be."""

OLDEST = timedelta(days=5 * 366)
"""A clock that lost its battery says 1970 or 2000; every hour from there on would be summed, empty as it is."""

STEPS = {Kind.IN: 1, Kind.OUT: -1}


@dataclass(frozen=True, slots=True)
class NewLog:
    """One row as a device sent it; ``at`` is aware, ``count`` is given for the kind count only."""

    event_id: str
    zone: int
    at: datetime
    kind: str
    count: int | None = None
    line: str = ""


def judge_log(row: NewLog, zones: Mapping[int, Zone], at: datetime) -> tuple[str, str] | None:
    """Return why a row is refused at ``at``, as code and message; None for a good one."""
    if row.zone not in zones:
        return "unknown_zone", "There is no such zone."
    if not 0 < len(row.event_id) <= 100:
        return "bad_event_id", "An event id has 1 to 100 characters."
    if row.kind not in (Kind.IN, Kind.OUT, Kind.COUNT):
        return "bad_kind", "The kind is in, out or count."
    if (row.kind == Kind.COUNT) != (row.count is not None) or (row.count or 0) < 0:
        return "bad_count", "A count of 0 or more belongs to the kind count, and only to it."
    if row.at > at + CLOCK_SLACK:
        return "in_future", "This time has not come yet; check the device's clock."
    if row.at < at - OLDEST:
        return "too_old", "This time is more than five years ago; check the device's clock."
    if microseconds(row.at) < zones[row.zone].kept_from_us:
        return "too_old", "The logs of this time are summed and thinned out; it cannot be changed any more."
    return None


@transaction.atomic
def record_logs(*, rows: Sequence[NewLog], zones: Sequence[Zone], source: str, at: datetime) -> Received:
    """Record up to 1,000 rows of ``source`` for the ``zones`` it may write to; a bad row never spoils its neighbours.

    An event id that the source used for the zone before changes nothing. Raises `Refusal` for too many rows.
    """
    refuse_too_many(rows)
    known = lock_zones(zones)
    good, rejected = sort_out(rows, lambda row: judge_log(row, known, at))
    fresh = _without_repeats(good, source)
    Log.objects.bulk_create([log_of(row, source, at) for row in fresh])
    reopen_for_rows(known, fresh)
    judge_zones(ids={row.zone for row in fresh}, at=at)
    return Received(len(fresh), len(good) - len(fresh), rejected)


def record_crossing(*, observation: Observation, at: datetime) -> Received:
    """Record one crossing of a camera's line for every zone of the camera's site that counts by it, exactly once."""
    name, line = observation.camera, observation.data["line"]
    ways = ZoneLine.objects.filter(camera__slug=name, line=line, zone__site=F("camera__site")).select_related("zone")
    seen_at = datetime.fromtimestamp(observation.captured_at, UTC)
    rows = [
        NewLog(
            observation.event_id,
            way.zone_id,
            seen_at,
            Kind.IN if observation.data["is_in"] != way.is_reversed else Kind.OUT,
            line=line,
        )
        for way in ways
    ]
    return record_logs(rows=rows, zones=[way.zone for way in ways], source=source_of(name), at=at)


def source_of(camera: str) -> str:
    """Return the source under which the crossings of a camera are recorded."""
    return f"camera:{camera}"[:60]


def tally_lines(*, camera: Camera, since: datetime) -> dict[str, tuple[int, int]]:
    """Return entries and exits over each line of a camera from ``since`` on, as walked over the line itself."""
    tallies: dict[str, tuple[int, int]] = {}
    for way in ZoneLine.objects.filter(camera=camera, zone__site=camera.site_id):
        logs = Log.objects.filter(
            zone=way.zone_id, source=source_of(camera.slug), line=way.line, at_us__gte=microseconds(since)
        )
        ways = dict(logs.order_by().values_list("kind").annotate(Count("pk")))
        entries, exits = ways.get(Kind.IN, 0), ways.get(Kind.OUT, 0)
        tallies[way.line] = (exits, entries) if way.is_reversed else (entries, exits)
    return tallies


def lock_zones(zones: Sequence[Zone]) -> dict[int, Zone]:
    """Lock in one order, so that two senders wait for each other and never in a ring."""
    rows = Zone.objects.select_for_update(of=("self",)).select_related("site").order_by("pk")
    return {zone.pk: zone for zone in rows.filter(pk__in=[zone.pk for zone in zones])}


def after_all(zone: Zone, at: datetime) -> datetime:
    """Return ``at``, or the newest log of a locked zone when that is from a clock ahead by up to `CLOCK_SLACK`.

    Who sets the count has seen those logs: set before them, they would be counted a second time.
    """
    newest = Log.objects.filter(zone=zone).order_by("-at_us").values_list("at", flat=True).first()
    return newest if newest and at < newest <= at + CLOCK_SLACK else at


def _without_repeats(rows: Sequence[NewLog], source: str) -> list[NewLog]:
    first = {(row.zone, row.event_id): row for row in reversed(rows)}
    ids = {event_id for _, event_id in first}
    used = set(Log.objects.filter(source=source, event_id__in=ids).values_list("zone_id", "event_id"))
    return [row for key, row in reversed(first.items()) if key not in used]


def log_of(row: NewLog, source: str, at: datetime) -> Log:
    count = row.count if row.kind in SETTING else None
    return Log(
        zone_id=row.zone, source=source, event_id=row.event_id, at=row.at, at_us=microseconds(row.at),
        received_at=at, kind=row.kind, step=STEPS.get(Kind(row.kind), 0), count=count, line=row.line,
    )  # fmt: skip


def reopen_for_rows(zones: Mapping[int, Zone], rows: Sequence[NewLog]) -> None:
    """Move each watermark back to the start of the earliest touched hour, day and month, in the site's zone."""
    earliest: dict[int, datetime] = {}
    for row in rows:
        earliest[row.zone] = min(row.at, earliest.get(row.zone, row.at))
    for pk, first in earliest.items():
        reopen_for(zones[pk], first)
