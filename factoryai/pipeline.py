"""Who hears of what: which analysers look at a camera's frames, and what happens with what they observe.

Neither the cameras nor the features know each other; what joins them is written here, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.db import close_old_connections
from django.utils import timezone

from identity.analyser import FaceAnalyser, FacePolicy
from identity.confidential import ConfidentialAnalyser
from identity.engines import recogniser_for
from identity.gallery import Names, gallery_for
from identity.models import CameraFaces, Sighting
from identity.sightings import record_sighting
from occupancy.analyser import CrossingAnalyser
from occupancy.services import record_crossing
from streaming.frames import Analyser, Observation
from streaming.models import Camera

Consumer = Callable[[Observation], None]


def analysers_for(camera: Camera) -> Sequence[Analyser]:
    """Return the analysers of one camera by its roles, in the order in which they look."""
    analysers: list[Analyser] = []
    if "attendance" in camera.roles:
        analysers.append(_face_analyser(camera))
    if "occupancy" in camera.roles and camera.lines:
        lines = [(line["name"], line["points"], line.get("in", "right") == "right") for line in camera.lines]
        analysers.append(CrossingAnalyser(lines))
    return analysers


def _count(observation: Observation) -> None:
    record_crossing(observation=observation, at=timezone.now())


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
    """Do what follows from knowing who a sighting is, whether a camera knew or a person said so (``review``).

    It may be called again for the same sighting: its ``event_id`` makes that one fact.
    """


CONSUMERS: dict[str, Consumer] = {"crossing": _count, "face": _sight}
"""Kind of observation → the service that records it as a fact."""


def record(observation: Observation) -> None:
    """Hand an observation to the service for its kind; raises KeyError for a kind that nobody records.

    Called in a thread that lives as long as the process: a connection that broke is replaced by a good one first.
    """
    close_old_connections()
    CONSUMERS[observation.kind](observation)
