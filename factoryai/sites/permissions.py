"""How the API asks `access`: a permission class driven by the view, a scoped view, and a site as a field."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from factoryai.rest import NotFound, Refusal
from factoryai.sites.access import has_role_anywhere, roles_at, site_of
from factoryai.sites.models import Role, Site

PEOPLE = (Role.HR, Role.SECURITY, Role.MANAGER)
"""Everybody but devices, which may only post events."""


def roles_for(request: Request, view: APIView) -> tuple[str, ...]:
    """Return the roles a request needs: ``action_roles[action]``, else ``read_roles`` or ``write_roles``."""
    action = getattr(view, "action", None)
    if special := getattr(view, "action_roles", {}).get(action):
        return special
    return view.read_roles if request.method in SAFE_METHODS else view.write_roles


class SiteRole(BasePermission):
    """Lets in who holds one of the view's roles; for an object, who holds one at the object's site.

    What the user may not read is 404; what may be read and not changed is 403.
    """

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        return bool(user and user.is_authenticated) and has_role_anywhere(user, roles_for(request, view))

    def has_object_permission(self, request: Request, view: APIView, thing: Any) -> bool:
        held = roles_at(request.user, site_of(thing))
        if held.isdisjoint({*view.read_roles, *view.write_roles}):
            raise NotFound
        return not held.isdisjoint(roles_for(request, view))


class SiteScoped:
    """A view whose queryset holds only what the user may read; put it before the generic view.

    ``read_roles`` and ``write_roles`` say which roles may do what, ``action_roles`` names exceptions by action.
    """

    permission_classes = [SiteRole]
    read_roles: tuple[str, ...] = PEOPLE
    write_roles: tuple[str, ...] = (Role.MANAGER,)

    def get_queryset(self) -> QuerySet:
        queryset = super().get_queryset()  # type: ignore[misc]
        if getattr(self, "swagger_fake_view", False):
            return queryset.none()
        return queryset.visible_to(self.request.user, self.read_roles)  # type: ignore[attr-defined]


class ScopedFilters(DjangoFilterBackend):
    """Filters by a row only when the person may see it: one of another site is refused like one that is nowhere."""

    def get_filterset(self, request: Request, queryset: QuerySet, view: APIView) -> Any:
        filterset = super().get_filterset(request, queryset, view)
        for one in filterset.filters.values() if filterset else ():
            rows = getattr(one, "queryset", None)
            if hasattr(rows, "visible_to"):
                one.queryset = rows.visible_to(request.user, getattr(view, "read_roles", None))
        return filterset


class SiteField(serializers.SlugRelatedField):
    """A site by its slug. One the user does not belong to is unknown; one where the role is missing is refused."""

    default_error_messages = {"does_not_exist": "There is no site {value}."}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("slug_field", "slug")
        if not kwargs.get("read_only"):
            kwargs.setdefault("queryset", Site.objects.all())
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().visible_to(self.context["request"].user)

    def to_internal_value(self, data: Any) -> Site:
        if not isinstance(data, str) or "\x00" in data:  # PostgreSQL fails on NUL instead of finding nothing
            self.fail("invalid")
        site = super().to_internal_value(data)
        request, view = self.context["request"], self.context["view"]
        if roles_at(request.user, site).isdisjoint(roles_for(request, view)):
            raise Refusal("permission_denied", "Your role at this site does not allow it.", 403)
        return site
