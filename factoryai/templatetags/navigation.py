"""The links of the page header: those whose page exists and whose role the person holds."""

from __future__ import annotations

from dataclasses import dataclass

from django import template
from django.urls import NoReverseMatch, reverse

from factoryai.sites.access import held_roles
from factoryai.sites.models import Role
from factoryai.sites.permissions import PEOPLE

register = template.Library()

PAGES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Cameras", "wall", PEOPLE),
    ("Faces", "faces-review", PEOPLE),
    ("Gate", "vehicle-log", (Role.SECURITY, Role.MANAGER)),
    ("People inside", "occupancy", PEOPLE),
    ("Scheduler", "scheduler", PEOPLE),
    ("Administration", "admin:index", PEOPLE),
)


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    url: str
    is_current: bool


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> list[Entry]:
    """Return the entries for the person of this page; none when nobody is logged in. Costs one query."""
    user = context.get("user")
    if user is None or not user.is_authenticated:
        return []
    path = getattr(context.get("request"), "path", "")
    held = frozenset().union(*held_roles(user).values())
    found = [(label, _url(name)) for label, name, roles in PAGES if user.is_superuser or not held.isdisjoint(roles)]
    return [Entry(label, url, is_current=url == path) for label, url in found if url]


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
