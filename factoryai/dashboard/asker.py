"""Who asks for a page, at which sites, and when: what every block is gathered for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from factoryai.sites.choice import Choice, choose_site
from factoryai.sites.models import Site
from factoryai.sites.querysets import ScopedQuerySet
from factoryai.sites.role_admin import holds


@dataclass(frozen=True, slots=True)
class Asker:
    """A person, the sites they look at, and the moment. Roles are asked of the database once a request."""

    request: HttpRequest
    choice: Choice
    at: dt.datetime

    @classmethod
    def of(cls, request: HttpRequest) -> Asker:
        return cls(request, choose_site(request), timezone.now())

    @property
    def user(self) -> Any:
        return self.request.user

    def may(self, roles: Iterable[str]) -> bool:
        """Whether the person holds one of ``roles`` at a site that is shown."""
        return any(holds(self.request, roles, site) for site in self.choice.sites)

    def sites_as(self, roles: Iterable[str]) -> list[Site]:
        """Return the shown sites at which the person holds one of ``roles``."""
        return [site for site in self.choice.sites if holds(self.request, roles, site)]

    def rows(self, rows: ScopedQuerySet, roles: Iterable[str] | None = None) -> Any:
        """Keep what the person may see in one of ``roles``, at the shown sites."""
        return self.choice.narrow(rows.visible_to(self.user, roles))
