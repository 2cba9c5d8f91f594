"""The administration's own site: open to everybody who holds a role, arranged by what each model's admin allows."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import BadRequest, FieldDoesNotExist, ValidationError
from django.db import models
from django.db.models.options import Options
from django.http import HttpRequest, HttpResponse, QueryDict

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
        """Refuse addresses that Django hands on to a database or a calendar, which fail on them.

        A form leaves out what it cannot take over from its address.
        """
        inner = super().admin_view(view, cacheable)
        form = view.__self__.opts if getattr(view, "__name__", "") == "add_view" else None  # type: ignore[attr-defined]

        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            for name, values in request.GET.lists():
                if any(_is_nonsense(name, value) for value in values):
                    raise BadRequest(f"{name} cannot be this")
            if form and request.GET:
                request.GET = _fitting(form, request.GET)  # type: ignore[assignment]
            return inner(request, *args, **kwargs)

        return update_wrapper(checked, view)

    def has_permission(self, request: HttpRequest) -> bool:
        """A role at an open site is enough: who works somewhere needs no second switch on the account."""
        user = request.user
        return user.is_active and (user.is_staff or (user.is_authenticated and holds(request, PEOPLE)))


def _fitting(form: Options, given: QueryDict) -> QueryDict:
    """Return the parameters that the fields of a form can take over."""
    kept = given.copy()
    for name, value in given.items():
        if not _can_fill(form, name, value):
            del kept[name]
    return kept


def _can_fill(form: Options, name: str, value: str) -> bool:
    """Whether a field can be filled from text: Django's field of two parts fails on an instant, a choice on no id."""
    try:
        field = form.get_field(name)
    except FieldDoesNotExist:
        return True
    if not isinstance(field, models.ForeignKey):
        return not isinstance(field, models.DateTimeField)
    try:
        field.target_field.run_validators(field.target_field.to_python(value))
    except ValidationError:
        return False
    return True


def _is_nonsense(name: str, value: str) -> bool:
    """Whether a value holds NUL, which PostgreSQL cannot store, or asks a calendar for a day that no calendar has."""
    most = CALENDAR.get(name.rpartition("__")[2]) if "__" in name else None
    return "\x00" in value or (most is not None and not (value.isdecimal() and 0 < int(value[:9]) <= most))
