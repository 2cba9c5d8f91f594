"""The links of the page header: those whose page exists and whose role the person holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse

from factoryai.sites.models import Role
from factoryai.sites.permissions import PEOPLE
from factoryai.sites.role_admin import holds

register = template.Library()

GUARDS = (Role.SECURITY, Role.MANAGER)
DESK = (Role.HR, Role.MANAGER)

PAGES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("Now", "home", PEOPLE, "n"),
    ("Cameras", "wall", PEOPLE, "c"),
    ("Alerts", "alerts", PEOPLE, "a"),
    ("Gate", "gate-log", GUARDS, "v"),
    ("Inside", "occupancy", PEOPLE, "i"),
    ("Faces", "faces-review", PEOPLE, "f"),
    ("Attendance", "admin:attendance_flag_changelist", DESK, "t"),
    ("Scheduler", "scheduler", (Role.MANAGER,), "s"),
    ("Administration", "admin:index", PEOPLE, "d"),
)
"""Label, page, who it is for, and the letter that leads there after ``g``."""


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    url: str
    is_current: bool
    key: str = ""


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> list[Entry]:
    """Return the entries for the person of this page; none when nobody is logged in. Costs one query a request."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    found = [(label, _url(name), key) for label, name, roles, key in PAGES if holds(request, roles)]
    return [Entry(label, url, _is_at(request, url), key) for label, url, key in found if url]


def _is_at(request: Any, url: str) -> bool:
    """Whether the page is the entry's or lies below it."""
    return request.path == url or (url != "/" and url.endswith("/") and request.path.startswith(url))


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
