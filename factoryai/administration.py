"""The administration's own site: open to everybody who holds a role, arranged by what each model's admin allows."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import BadRequest
from django.db import models
from django.http import HttpRequest, HttpResponse

from factoryai.sites.permissions import PEOPLE
from factoryai.sites.role_admin import holds

UNRANKED = 50
APPS = ("attendance", "vehicles", "identity", "occupancy", "streaming", "alerts", "sites", "auth", "jobs")
"""What people come for every day stands first, what is set up once last."""


CALENDAR = {"year": 9999, "month": 12, "day": 31}
"""The lookups of a date hierarchy and the largest number each may be."""


class FactoryAdminSite(AdminSite):
    site_header = site_title = "Factory AI"
    index_title = "Administration"
    enable_nav_sidebar = False
    login_template = "registration/login.html"

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict]:
        """Order apps by `APPS`; within one by each admin's ``rank``, then by name."""
        found = super().get_app_list(request, app_label)
        found.sort(key=lambda app: APPS.index(app["app_label"]) if app["app_label"] in APPS else len(APPS))
        for app in found:
            app["models"].sort(key=lambda model: (self._rank(model["model"]), model["name"]))
        return found

    def _rank(self, model: type) -> int:
        return getattr(self._registry[model], "rank", UNRANKED)

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """Refuse addresses that Django hands on to a database or a calendar, which fail on them."""
        inner = super().admin_view(view, cacheable)
        instants = _instants(view)

        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            for name, values in request.GET.lists():
                if name in instants or any(_is_nonsense(name, value) for value in values):
                    raise BadRequest(f"{name} cannot be this")
            return inner(request, *args, **kwargs)

        return update_wrapper(checked, view)

    def has_permission(self, request: HttpRequest) -> bool:
        """A role at an open site is enough: who works somewhere needs no second switch on the account."""
        user = request.user
        return user.is_active and (user.is_staff or (user.is_authenticated and holds(request, PEOPLE)))


def _instants(view: Any) -> frozenset[str]:
    """Return the fields that no address may fill in: Django's form of two parts fails on the text of an instant."""
    if getattr(view, "__name__", "") != "add_view":
        return frozenset()
    fields = view.__self__.opts.get_fields()
    return frozenset(field.name for field in fields if isinstance(field, models.DateTimeField))


def _is_nonsense(name: str, value: str) -> bool:
    """Whether a value holds NUL, which PostgreSQL cannot store, or asks a calendar for a day that no calendar has."""
    most = CALENDAR.get(name.rpartition("__")[2]) if "__" in name else None
    return "\x00" in value or (most is not None and not (value.isdecimal() and 0 < int(value[:9]) <= most))
