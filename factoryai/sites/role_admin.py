"""The admin asks the same question as the API: which role at the row's site. Model permissions play no part."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from factoryai.sites.access import held_roles, site_of
from factoryai.sites.models import Role, Site
from factoryai.sites.querysets import ScopedQuerySet


def holds(request: HttpRequest, roles: Iterable[str], site: Site | None = None) -> bool:
    """Whether the person of a request holds one of ``roles`` at ``site``, or anywhere when it is None.

    A page of the admin asks this a hundred times; the database is asked once a request.
    """
    if request.user.is_active and request.user.is_superuser:
        return True
    held = _held(request)
    sites = held.values() if site is None else [held.get(site.pk, frozenset())]
    return any(not found.isdisjoint(roles) for found in sites)


def sites_of(request: HttpRequest, roles: Iterable[str]) -> list[int]:
    """Return the ids of the sites at which the person of a request holds one of ``roles``; not for superusers."""
    return [site for site, found in _held(request).items() if not found.isdisjoint(roles)]


def _held(request: HttpRequest) -> dict[int, frozenset[str]]:
    """Return the person's roles by site, asked once a request and person."""
    asked_for, held = getattr(request, "_held_roles", (None, {}))
    if asked_for != request.user.pk:
        held = held_roles(request.user)
        request._held_roles = request.user.pk, held  # type: ignore[attr-defined]
    return held


class VisibleChoices(RelatedFieldListFilter):
    """Offers only rows that the person may see: a filter is no list of everybody's sites, cameras and shifts."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        seen = field.remote_field.model._default_manager.visible_to(request.user, model_admin.view_roles)
        ordering = self.field_admin_ordering(field, request, model_admin)
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to={"pk__in": seen.values("pk")})


class RoleAdmin:
    """Mix in before ``ModelAdmin`` for a model whose queryset is a `ScopedQuerySet`.

    An empty tuple of roles means nobody, not even a superuser: what a camera wrote stays as it was written.
    """

    view_roles: tuple[str, ...] = (Role.MANAGER,)
    add_roles: tuple[str, ...] = ()
    change_roles: tuple[str, ...] = ()
    delete_roles: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request)  # type: ignore[misc]
        if type(rows).visible_to is not ScopedQuerySet.visible_to:
            return rows.visible_to(request.user, self.view_roles)
        return rows if request.user.is_superuser else rows.at_sites(sites_of(request, self.view_roles))

    def get_list_filter(self, request: HttpRequest) -> list:
        """Narrow every filter by related rows that belong to a site to the rows the person may see."""
        found = super().get_list_filter(request)  # type: ignore[misc]
        return [(one, VisibleChoices) if self._is_by_site(one) else one for one in found]

    def _is_by_site(self, name: Any) -> bool:
        if not isinstance(name, str):
            return False
        field = get_fields_from_path(self.model, name)[-1]  # type: ignore[attr-defined]
        return bool(field.remote_field) and isinstance(field.remote_field.model._default_manager.all(), ScopedQuerySet)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.view_roles)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.view_roles, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.add_roles, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.change_roles, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.delete_roles, obj)

    def _may(self, request: HttpRequest, roles: tuple[str, ...], row: Any = None) -> bool:
        if not roles:
            return False
        site = site_of(row) if isinstance(row, Model) and row.pk else None
        return holds(request, roles, site)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only rows of the sites at which the person may write."""
        rows = kwargs.get("queryset", db_field.remote_field.model._default_manager.all())
        if isinstance(rows, ScopedQuerySet):
            kwargs["queryset"] = rows.visible_to(request.user, (*self.add_roles, *self.change_roles))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


class ReadOnly:
    """Mix in before an inline: lines that only the program writes; whoever may see the row sees them."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
