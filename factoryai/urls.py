"""Every address of the product, in one place.

An app that has pages brings ``urls.py``, one that has an API brings ``api_urls.py``; both are listed here by name.
"""

from importlib.util import find_spec

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from factoryai import errors, evacuation, health, logins, metrics

PAGES = [
    "factoryai.dashboard.urls",
    "factoryai.alerts.urls",
    "factoryai.jobs.urls",
    "streaming.urls",
    "identity.urls",
    "attendance.urls",
    "vehicles.urls",
    "occupancy.urls",
]
API = [
    "factoryai.sites.api_urls",
    "factoryai.alerts.api_urls",
    "factoryai.jobs.api_urls",
    "streaming.api_urls",
    "identity.api_urls",
    "attendance.api_urls",
    "vehicles.api_urls",
    "occupancy.api_urls",
]


def _included(prefix: str, modules: list[str]) -> list:
    return [path(prefix, include(module)) for module in modules if find_spec(module)]


urlpatterns = [
    path("admin/login/", logins.AdminLogin.as_view()),
    path("admin/", admin.site.urls),
    path("login", logins.Login.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("api/v1/auth/token", logins.TokenView.as_view(), name="token"),
    path("api/v1/auth/refresh", logins.RefreshView.as_view(), name="token-refresh"),
    *_included("api/v1/", API),
    path("api/health", health.health, name="health"),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("evacuation", evacuation.evacuation, name="evacuation"),
    path("metrics", metrics.metrics, name="metrics"),
    *_included("", PAGES),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error
