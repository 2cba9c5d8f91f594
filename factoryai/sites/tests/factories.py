"""People with names, for every app's tests: each has a site, a role, and a stranger beside them.

>>> people = make_people()
>>> people.meena          # HR at the plant
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from rest_framework.test import APIClient

from factoryai.sites.models import Membership, Role, Site

PASSWORD = "a long sentence to log in with"


@cache
def _hashed() -> str:
    """Hash once a run: it is slow on purpose, and a test makes eight people."""
    return make_password(PASSWORD)


def make_site(slug: str = "pune", **fields: Any) -> Site:
    """Return the site ``slug``, made when it is missing."""
    defaults = {"name": slug.replace("-", " ").title(), "timezone": "Asia/Kolkata", **fields}
    return Site.objects.get_or_create(slug=slug, defaults=defaults)[0]


def make_user(username: str, *, site: Site | None = None, roles: tuple[str, ...] = (), **fields: Any) -> Any:
    """Return a login with ``roles`` at ``site``; the password is `PASSWORD`."""
    user = get_user_model().objects.create(username=username, password=_hashed(), **fields)
    for role in roles:
        Membership.objects.create(user=user, site=site, role=role)
    return user


@dataclass
class People:
    """Everybody of a test, by name."""

    site: Site
    other_site: Site
    asha: Any
    """Works the day shift; has a login and no role."""
    ravi: Any
    """Works the night shift; has a login and no role."""
    meena: Any
    """HR at `site`."""
    farid: Any
    """Security at `site`."""
    kavita: Any
    """Manager at `site`."""
    gate: Any
    """A device at `site`."""
    stranger: Any
    """Every role, at `other_site` only."""
    root: Any
    """The superuser."""


def make_people() -> People:
    """Make two sites and everybody who is in them."""
    site, other = make_site("pune"), make_site("chennai")
    return People(
        site=site,
        other_site=other,
        asha=make_user("asha"),
        ravi=make_user("ravi"),
        meena=make_user("meena", site=site, roles=(Role.HR,)),
        farid=make_user("farid", site=site, roles=(Role.SECURITY,)),
        kavita=make_user("kavita", site=site, roles=(Role.MANAGER,)),
        gate=make_user("gate", site=site, roles=(Role.DEVICE,)),
        stranger=make_user("stranger", site=other, roles=tuple(Role.values)),
        root=make_user("root", is_superuser=True, is_staff=True),
    )


def api_client(user: Any = None) -> APIClient:
    """Return a client that speaks JSON, logged in as ``user`` (nobody when None)."""
    client = APIClient()
    client.default_format = "json"
    if user is not None:
        client.force_authenticate(user)
    return client
