"""Who hears of what: which analysers look at a camera's frames, and what happens with what they observe.

Neither the cameras nor the features know each other; what joins them is written here, in order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime

from django.db import close_old_connections
from django.utils import timezone

from attendance.models import Punch, Source
from attendance.rules.matching import Direction
from attendance.services.presence import people_on_shift
from attendance.services.punches import NewPunch, record_punch, source_at
from attendance.services.rosters import touch_person
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from identity.analyser import FaceAnalyser, FacePolicy
from identity.confidential import ConfidentialAnalyser
from identity.models import CameraFaces, Employee, Sighting
from identity.services.engines import recogniser_for
from identity.services.gallery import Names, gallery_for
from identity.services.sightings import record_sighting
from occupancy.analyser import CountingAnalyser, Drawn, Tally
from occupancy.rules.sums import day_bounds
from occupancy.services.areas import note_presence, record_stay
from occupancy.services.logs import record_crossing, tally_lines
from streaming.frames import Analyser, Observation
from streaming.models import Camera
from vehicles.analyser import PlateAnalyser, PlatePolicy
from vehicles.confidential import ConfidentialPlates
from vehicles.passage import Ruling
from vehicles.readers import load_reader
from vehicles.services.incoming import way_of
from vehicles.services.policies import rules_of
from vehicles.services.reads import record_plate

log = logging.getLogger(__name__)

Consumer = Callable[[Observation], None]


def analysers_for(camera: Camera) -> Sequence[Analyser]:
    """Return the analysers of one camera by its roles, in the order in which they look."""
    analysers: list[Analyser] = []
    if "attendance" in camera.roles:
        analysers.append(_face_analyser(camera))
    if "gate" in camera.roles:
        analysers.append(_plate_analyser(camera))
    if "occupancy" in camera.roles and (camera.lines or camera.zones):
        analysers.append(_counting_analyser(camera))
    return analysers


def _counting_analyser(camera: Camera) -> Analyser:
    lines = [(line["name"], line["points"], line.get("in", "right") == "right") for line in camera.lines]
    zones = [(zone["name"], zone["points"]) for zone in camera.zones]
    today = timezone.now().astimezone(camera.site.zone).date()
    counted = tally_lines(camera=camera, since=day_bounds(today, camera.site.zone)[0])
    return CountingAnalyser(Drawn(lines, zones), Tally(camera.site.zone, today, counted))


def _count(observation: Observation) -> None:
    record_crossing(observation=observation, at=timezone.now())


def _plate_analyser(camera: Camera) -> Analyser:
    profile, formats = rules_of(camera.site)
    lines = [(line["points"], line.get("in", "right") == "right") for line in camera.lines]
    zones = [zone["points"] for zone in camera.zones]
    policy = PlatePolicy(way_of(camera), zones, lines, Ruling(profile, formats))
    return ConfidentialPlates(PlateAnalyser(load_reader(formats), policy))


def _read_plate(observation: Observation) -> None:
    record_plate(observation=observation, at=timezone.now())


def _stay(observation: Observation) -> None:
    record_stay(observation=observation)


def _presence(observation: Observation) -> None:
    note_presence(observation=observation)


def _face_analyser(camera: Camera) -> Analyser:
    rule = CameraFaces.objects.filter(camera=camera).first() or CameraFaces(camera=camera)
    checks_liveness = rule.liveness == CameraFaces.Liveness.REVIEW
    policy = FacePolicy(rule.min_width_px, rule.resight_s, checks_liveness)
    names = Names(gallery_for(camera.site_id))
    return ConfidentialAnalyser(FaceAnalyser(recogniser_for(camera.site), names, policy))


def _sight(observation: Observation) -> None:
    sighting = record_sighting(observation=observation, at=timezone.now())
    if sighting is not None and sighting.outcome == Sighting.Outcome.KNOWN:
        person_identified(sighting)


def person_identified(sighting: Sighting) -> None:
    """Make a punch of a sighting whose person is known, whether a camera knew or a person said so (``review``).

    What a camera was not sure of is marked for HR, who see the picture: pay does not rest on one person's eye.
    It may be called again for the same sighting: its id makes that one fact. A camera that does not keep attendance, or
    is gone, makes none.
    """
    camera, employee = sighting.camera, sighting.employee
    if camera is None or employee is None or "attendance" not in camera.roles:
        return
    row = NewPunch(
        employee=employee.pk,
        at=sighting.captured_at,
        direction=PUNCH_DIRECTIONS.get(camera.direction, Direction.UNKNOWN),
        event_id=f"{SIGHTING}{sighting.pk}",
        confidence=sighting.similarity,
        is_doubtful=sighting.outcome != Sighting.Outcome.KNOWN,
        snapshot=sighting.snapshot_id,
        place=camera.name,
    )
    source = source_at(site=camera.site, name=f"camera:{camera.slug}", kind=Source.Kind.CAMERA)
    try:
        record_punch(row=row, employee=employee, source=source, at=timezone.now(), by=sighting.reviewed_by)
    except Refusal as refusal:
        log.warning("The sighting %s of camera %s makes no punch: %s", sighting.pk, camera.slug, refusal)


def employment_changed(employee: Employee) -> None:
    """Have a person's days derived again: from when to when they work here, or whether, has changed."""
    at = timezone.now()
    touch_person(employee=employee, first=date.min, last=date.max, at=at)


def catch_up_punches(*, since: datetime) -> int:
    """Make the punches of identified sightings that have none: a process may die between the two facts."""
    punched = Punch.objects.filter(event_id__startswith=SIGHTING, received_at__gte=since)
    known = {int(event.removeprefix(SIGHTING)) for event in punched.values_list("event_id", flat=True)}
    rows = Sighting.objects.identified().filter(recorded_at__gte=since).exclude(pk__in=known)
    missing = [one for one in rows.select_related("camera__site", "employee__site") if _keeps_attendance(one)]
    for sighting in missing:
        person_identified(sighting)
    return len(missing)


def _keeps_attendance(sighting: Sighting) -> bool:
    return sighting.camera is not None and "attendance" in sighting.camera.roles


SIGHTING = "sighting:"
PUNCH_DIRECTIONS = {Camera.Direction.IN: Direction.IN, Camera.Direction.OUT: Direction.OUT}
"""A camera that sees both ways leaves the direction to the session: first in, then out."""

PEOPLE_ON_SHIFT: Callable[[Site, datetime], int] | None = people_on_shift
"""Counts the people with an open attendance session, for zones that are reset to them; None asks a person instead."""

CONSUMERS: dict[str, Consumer] = {
    "crossing": _count,
    "face": _sight,
    "plate": _read_plate,
    "presence": _presence,
    "stay": _stay,
}
"""Kind of observation → the service that records it as a fact."""


def record(observation: Observation) -> None:
    """Hand an observation to the service for its kind; raises KeyError for a kind that nobody records.

    Called in a thread that lives as long as the process: a connection that broke is replaced by a good one first.
    """
    close_old_connections()
    CONSUMERS[observation.kind](observation)
