"""Who hears of what: which analysers look at a camera's frames, and what happens with what they observe.

Neither the cameras nor the features know each other; what joins them is written here, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import close_old_connections
from django.utils import timezone

from factoryai.sites.models import Site
from occupancy.analyser import CrossingAnalyser
from occupancy.services import record_crossing
from streaming.frames import Analyser, Observation
from streaming.models import Camera

Consumer = Callable[[Observation], None]


def analysers_for(camera: Camera) -> Sequence[Analyser]:
    """Return the analysers of one camera by its roles, in the order in which they look."""
    analysers: list[Analyser] = []
    if "occupancy" in camera.roles and camera.lines:
        lines = [(line["name"], line["points"], line.get("in", "right") == "right") for line in camera.lines]
        analysers.append(CrossingAnalyser(lines))
    return analysers


def _count(observation: Observation) -> None:
    record_crossing(observation=observation, at=timezone.now())


PEOPLE_ON_SHIFT: Callable[[Site, datetime], int] | None = None
"""Counts the people with an open attendance session, for zones that are reset to them; None asks a person instead."""

CONSUMERS: dict[str, Consumer] = {"crossing": _count}
"""Kind of observation → the service that records it as a fact."""


def record(observation: Observation) -> None:
    """Hand an observation to the service for its kind; raises KeyError for a kind that nobody records.

    Called in a thread that lives as long as the process: a connection that broke is replaced by a good one first.
    """
    close_old_connections()
    CONSUMERS[observation.kind](observation)
