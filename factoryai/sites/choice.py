"""Which site a person of several looks at: chosen in the header or by ``?site=``, kept with the login."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest

from factoryai.sites.models import Site
from factoryai.sites.permissions import PEOPLE
from factoryai.sites.querysets import ScopedQuerySet

PARAMETER = "site"


@dataclass(frozen=True, slots=True)
class Choice:
    """The sites a person may look at, and the one that was chosen; None is all of them."""

    offered: tuple[Site, ...]
    site: Site | None = None

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to choose."""
        return len(self.offered) > 1

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites whose rows are shown."""
        return (self.site,) if self.site else self.offered

    @property
    def name(self) -> str:
        """What the shown place is called in a heading; empty when there is no site at all."""
        if self.site:
            return self.site.name
        return self.offered[0].name if len(self.offered) == 1 else "all sites" * self.is_needed

    @property
    def slug(self) -> str:
        return self.site.slug if self.site else ""

    def shows(self, site_id: int) -> bool:
        """Whether rows of a site are shown; asked of what the person may see anyway."""
        return self.site is None or self.site.pk == site_id

    def narrow(self, rows: ScopedQuerySet) -> Any:
        """Keep the rows of the chosen site; ``rows`` are already those that the person may see."""
        return rows.for_site(self.site) if self.site else rows


def choose_site(request: HttpRequest) -> Choice:
    """Return what the person of a request has chosen, asked once a request; ``?site=`` chooses, empty means all.

    A page that asks shows the switcher in its header. A site that is not the person's is no page (404). A fragment
    names the site of its page and changes nothing: another window may look at another site.
    """
    if (asked := getattr(request, "site_choice", None)) is not None:
        return asked
    offered = tuple(Site.objects.visible_to(request.user, PEOPLE).filter(is_active=True))
    choice = Choice(offered, _chosen(request, offered))
    request.site_choice = choice  # type: ignore[attr-defined]
    return choice


def _chosen(request: HttpRequest, offered: tuple[Site, ...]) -> Site | None:
    by_slug = {site.slug: site for site in offered}
    wanted = request.GET.get(PARAMETER)
    if wanted is None:
        return by_slug.get(request.session.get(PARAMETER, ""))
    if wanted and wanted not in by_slug:
        raise Http404
    if "HX-Request" not in request.headers and request.session.get(PARAMETER, "") != wanted:
        request.session[PARAMETER] = wanted
    return by_slug.get(wanted)
