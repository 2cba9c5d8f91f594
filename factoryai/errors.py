"""Errors outside REST framework: the same JSON under ``/api/``, Django's pages elsewhere."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults

from factoryai.rest import error_body
from factoryai.sites.models import Role
from factoryai.sites.permissions import PEOPLE
from factoryai.sites.role_admin import holds


def _json(code: str, message: str, status: int) -> JsonResponse:
    return JsonResponse(error_body(code, message), status=status)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(("/api/", "/media/"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return _json("bad_request", "This request makes no sense.", 400)
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return _json("permission_denied", "You may not do this.", 403)
    user = getattr(request, "user", None)  # None where it is refused before anybody asks who it is
    if user and user.is_authenticated and not holds(request, PEOPLE):
        return no_role(request)
    return defaults.permission_denied(request, exception)


def no_role(request: HttpRequest) -> HttpResponse:
    """Tell a login to which no page is open why, and whom to ask: the same on every page."""
    return render(request, "no_role.html", {"is_device": holds(request, (Role.DEVICE,))}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_api(request):
        return _json("not_found", "There is no such address.", 404)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_api(request):
        return _json("server_error", "Something went wrong here. It is in the log.", 500)
    return defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if _is_api(request):
        return _json("csrf_failed", "The CSRF token is missing or old. Load the page again.", 403)
    from django.views.csrf import csrf_failure as page

    return page(request, reason)
