"""Who holds which role where: the one question that pages, the API, sockets, streams and exports ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asgiref.sync import sync_to_async

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


ahas_role = sync_to_async(has_role)


def has_role_anywhere(user: Any, roles: Iterable[str]) -> bool:
    """Whether ``user`` holds one of ``roles`` at any site."""
    if user.is_superuser and user.is_active:
        return True
    return Site.objects.visible_to(user, roles).exists()


def roles_anywhere(user: Any) -> frozenset[str]:
    """Return every role that ``user`` holds at any open site; a superuser holds all."""
    if not (user.is_authenticated and user.is_active):
        return frozenset()
    if user.is_superuser:
        return frozenset(Role.values)
    return frozenset(Membership.objects.filter(user=user, site__is_active=True).values_list("role", flat=True))


def site_of(thing: Any) -> Site:
    """Return the site that ``thing`` belongs to, along the ``site_path`` of its queryset."""
    if isinstance(thing, Site):
        return thing
    for name in type(thing)._default_manager.all().site_path.split("__"):
        thing = getattr(thing, name)
    return thing
