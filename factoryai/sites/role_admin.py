"""The admin asks the same question as the API: which role at the row's site. Model permissions play no part."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from factoryai.sites.access import has_role, roles_anywhere, site_of
from factoryai.sites.models import Role
from factoryai.sites.querysets import ScopedQuerySet


class RoleAdmin:
    """Mix in before ``ModelAdmin`` for a model whose queryset is a `ScopedQuerySet`.

    An empty tuple of roles means nobody, not even a superuser: what a camera wrote stays as it was written.
    """

    view_roles: tuple[str, ...] = (Role.MANAGER,)
    add_roles: tuple[str, ...] = ()
    change_roles: tuple[str, ...] = ()
    delete_roles: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).visible_to(request.user, self.view_roles)  # type: ignore[misc]

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
        if not roles or not request.user.is_authenticated:
            return False
        if isinstance(row, Model) and row.pk and (site := site_of(row)) is not None:
            return has_role(request.user, site, roles)
        return not _roles_anywhere(request).isdisjoint(roles)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only rows of the sites at which the person may write."""
        rows = kwargs.get("queryset", db_field.remote_field.model._default_manager.all())
        if isinstance(rows, ScopedQuerySet):
            kwargs["queryset"] = rows.visible_to(request.user, (*self.add_roles, *self.change_roles))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]


def _roles_anywhere(request: HttpRequest) -> frozenset[str]:
    """Ask once a request: the index and every list ask it of each model, four times."""
    asked_for, roles = getattr(request, "_roles_anywhere", (None, frozenset()))
    if asked_for != request.user.pk:
        roles = roles_anywhere(request.user)
        request._roles_anywhere = request.user.pk, roles  # type: ignore[attr-defined]
    return roles
