"""Which rows a person may see. Every list, page, stream, file and export starts from `visible_to`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from django.db import models
from django.db.models import Q


def membership_filter(user: Any, roles: Iterable[str] | None, path: str) -> Q:
    """Match rows whose site, reached by ``path`` (empty for Site itself), the user belongs to in one of ``roles``.

    ``roles`` None means any role. A superuser matches everything, an anonymous or disabled account nothing.
    """
    if not user.is_active or not user.is_authenticated:
        return Q(pk__in=())
    if user.is_superuser:
        return Q()
    from factoryai.sites.models import Membership

    memberships = Membership.objects.filter(user=user, site__is_active=True)
    if roles is not None:
        memberships = memberships.filter(role__in=list(roles))
    return Q(**{f"{path}__in" if path else "pk__in": memberships.values("site_id")})


class ScopedQuerySet(models.QuerySet):
    """A queryset of a model that belongs to a site; ``site_path`` leads to it (``"site"``, ``"camera__site"``)."""

    site_path = "site"

    def visible_to(self, user: Any, roles: Iterable[str] | None = None) -> Self:
        return self.filter(membership_filter(user, roles, self.site_path))

    def at_sites(self, sites: Iterable[int]) -> Self:
        """Keep rows of sites by id. Ids that are written out let the database use an index in order."""
        return self.filter(**{f"{self.site_path}__in" if self.site_path else "pk__in": list(sites)})

    def for_site(self, site: Any) -> Self:
        return self.filter(**{self.site_path: site}) if self.site_path else self.filter(pk=site.pk)


class SiteQuerySet(ScopedQuerySet):
    site_path = ""
