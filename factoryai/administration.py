"""The administration's own site: open to everybody who holds a role, arranged by what each model's admin allows."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from factoryai.sites.permissions import PEOPLE
from factoryai.sites.role_admin import holds

UNRANKED = 50
APPS = ("attendance", "vehicles", "identity", "occupancy", "streaming", "alerts", "sites", "auth", "jobs")
"""What people come for every day stands first, what is set up once last."""


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

    def has_permission(self, request: HttpRequest) -> bool:
        """A role at an open site is enough: who works somewhere needs no second switch on the account."""
        user = request.user
        return user.is_active and (user.is_staff or (user.is_authenticated and holds(request, PEOPLE)))
