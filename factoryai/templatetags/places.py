"""Where an alert leads: to the camera, zone or page that it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

register = template.Library()

PLACES: tuple[tuple[str, re.Pattern[str], str, str], ...] = (
    ("camera_offline", re.compile(r"camera-offline:([-\w]+)$"), "camera", "The camera"),
    ("camera_back", re.compile(r"camera-back:([-\w]+):\d+$"), "camera", "The camera"),
    ("capacity", re.compile(r"capacity:(\d+):\w+$"), "occupancy-zone", "The zone over time"),
    ("drift_reset", re.compile(r".*?(\d+)"), "occupancy-zone", "The zone over time"),
    ("blocked_plate", re.compile(r"visit-(\d+)$"), "visit", "The visit"),
    ("watched_plate", re.compile(r"watched-visit-(\d+)$"), "visit", "The visit"),
    ("gate_failed", re.compile(r""), "gate-log", "The gate log"),
    ("job_missed", re.compile(r""), "scheduler", "The scheduler"),
)
"""Kind of alert, what its key looks like, the page, and what the link says; groups are the page's arguments."""


@dataclass(frozen=True, slots=True)
class Place:
    url: str
    label: str


@register.simple_tag
def place_of(alert: Any) -> Place | None:
    """Return the page about the cause of an alert; None when there is none of its own."""
    for kind, key, page, label in PLACES:
        if kind == alert.kind and (found := key.match(alert.key)):
            try:
                return Place(reverse(page, args=found.groups()), label)
            except NoReverseMatch:
                return None
    return None
