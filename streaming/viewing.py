"""Who asks for a picture, and for which camera: what the feed, snapshots, tickets and pages begin with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework_simplejwt.authentication import JWTAuthentication

from factoryai.rest import Refusal, error_body, refusal_from
from streaming.models import Camera
from streaming.tickets import read_ticket

View = Callable[..., Awaitable[HttpResponse]]


def no_camera(slug: str | None = None) -> Refusal:
    text = f"There is no camera {slug}." if slug else "There is no camera to see."
    return Refusal("camera_not_found", text, 404)


def answers_refusals(view: View) -> View:
    """Let an async view that only reads raise what the API raises, and answer it in the one shape of an error."""

    @wraps(view)
    async def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            if request.method != "GET":  # HEAD of a stream would never end
                raise Refusal("method_not_allowed", "Only GET works here.", 405)
            return await view(request, *args, **kwargs)
        except (Refusal, APIException) as error:
            refusal = refusal_from(error)
        body = error_body(refusal.code, refusal.message, refusal.fields)
        headers = {**refusal.headers, **({"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {})}
        return JsonResponse(body, status=refusal.status, headers=headers)

    return wrapped


async def viewer_of(request: HttpRequest) -> Any:
    """Return the user of the session or of a bearer token. Raises `Refusal` 401 when there is none."""
    user = await request.auser()
    if user.is_anonymous and "Authorization" in request.headers:
        found = await sync_to_async(JWTAuthentication().authenticate)(request)
        user = found[0] if found else user
    if user.is_anonymous:
        raise Refusal("not_authenticated", "Log in first.", 401)
    return user


async def asked_camera(request: HttpRequest, slug: str | None) -> tuple[Any, Camera]:
    """Return user and camera of a request, by ticket, session or token.

    Without a slug it is the first camera that the user may see, enabled ones first. Raises `Refusal` 401 or 404.
    """
    if text := request.GET.get("ticket"):
        ticket = read_ticket(text, timezone.now())
        user = await get_user_model()._default_manager.filter(pk=ticket.user_id, is_active=True).afirst()
        if user is None or (slug and slug != ticket.camera):
            raise no_camera(slug)
        slug = ticket.camera
    else:
        user = await viewer_of(request)
    return user, await watchable_camera(user, slug)


async def watchable_camera(user: Any, slug: str | None) -> Camera:
    """Return a camera that the user may watch. Raises `Refusal` 404, the same whether it exists or not."""
    cameras = Camera.objects.watchable_by(user)
    if slug and "\x00" in slug:  # PostgreSQL fails on NUL instead of finding nothing
        raise no_camera(slug)
    if slug:
        camera = await cameras.filter(slug=slug).afirst()
    else:
        camera = await cameras.order_by("-is_enabled", "site", "name").afirst()
    if camera is None:
        raise no_camera(slug)
    return camera
