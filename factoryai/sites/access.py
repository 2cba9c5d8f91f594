"""Who holds which role where: the one question that pages, the API, sockets, streams and exports ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from factoryai.sites.models import Membership, Role, Site


def roles_at(user: Any, site: Site) -> frozenset[str]:
    """Return the roles that ``user`` holds at ``site``; a superuser holds all, a closed site gives none."""
    if not (user.is_authenticated and user.is_active):
        return frozenset()
    if user.is_superuser:
        return frozenset(Role.values)
    held = Membership.objects.filter(user=user, site=site, site__is_active=True)
    return frozenset(held.values_list("role", flat=True))


def has_role(user: Any, site: Site, roles: Iterable[str]) -> bool:
    """Whether ``user`` holds one of ``roles`` at ``site``."""
    return not roles_at(user, site).isdisjoint(roles)


def held_roles(user: Any) -> dict[int, frozenset[str]]:
    """Return the roles that ``user`` holds by site, open sites only: one query for many questions about one request.

    A superuser is not asked here; see `has_role` for a single question.
    """
    held: dict[int, set[str]] = {}
    if user.is_authenticated and user.is_active:
        rows = Membership.objects.filter(user=user, site__is_active=True)
        for site, role in rows.values_list("site_id", "role"):
            held.setdefault(site, set()).add(role)
    return {site: frozenset(roles) for site, roles in held.items()}


def has_role_anywhere(user: Any, roles: Iterable[str]) -> bool:
    """Whether ``user`` holds one of ``roles`` at any site."""
    if user.is_superuser and user.is_active:
        return True
    return Site.objects.visible_to(user, roles).exists()


def site_of(thing: Any) -> Site:
    """Return the site that ``thing`` belongs to, along the ``site_path`` of its queryset."""
    if isinstance(thing, Site):
        return thing
    for name in type(thing)._default_manager.all().site_path.split("__"):
        thing = getattr(thing, name)
    return thing
