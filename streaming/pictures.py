"""The addresses that answer with pictures: the feed, one snapshot, and tickets for pages of another origin."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import parse_etags
from drf_spectacular.utils import extend_schema, inline_serializer
from redis.exceptions import RedisError
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.rest import Refusal
from streaming import bus, dimming, feed
from streaming.hub import hub_here
from streaming.models import Camera
from streaming.permits import permits_here
from streaming.rules import OFFLINE_AFTER_S, STALE_AFTER_S
from streaming.tickets import LIFE, Ticket, make_ticket
from streaming.viewing import answers_refusals, asked_camera, no_camera

OPEN_TO_OTHER_ORIGINS: Final = {"Cross-Origin-Resource-Policy": "cross-origin"}


@answers_refusals
async def video_feed(request: HttpRequest) -> feed.PictureResponse:
    """Stream one camera for as long as the viewer reads and may watch."""
    wish = feed.Wish.parse(request.GET)
    user, camera = await asked_camera(request, request.GET.get("camera"))
    viewing = feed.Viewing(user.pk, camera.pk, camera.slug, camera.stream_fps, wish)
    stream = feed.PictureStream(viewing, hub_here(), permits_here())
    headers = {**feed.HEADERS, **(OPEN_TO_OTHER_ORIGINS if "ticket" in request.GET else {})}
    return feed.PictureResponse(stream, headers=headers)


@answers_refusals
async def snapshot(request: HttpRequest, slug: str) -> HttpResponse:
    """Answer with the newest picture, dimmed and with its age when it is not live."""
    _, camera = await asked_camera(request, slug)
    header, jpeg, age_s = await _newest_picture(camera)
    etag = f'"{hashlib.blake2b(jpeg, digest_size=12).hexdigest()}"'
    # no-store: pictures of people do not stay on the disk of a shared computer. Clients that keep one use the ETag.
    headers = {"ETag": etag, "X-Frame-Age": f"{age_s:.3f}", "X-State": header.state, "Cache-Control": "no-store"}
    asked = parse_etags(request.headers.get("If-None-Match", ""))
    if etag in asked or f"W/{etag}" in asked or asked == ["*"]:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(jpeg, content_type="image/jpeg", headers=headers)


async def _newest_picture(camera: Camera) -> tuple[bus.Header, bytes, float]:
    try:
        last = await hub_here().last_picture(camera.slug)
    except (RedisError, OSError) as error:
        raise Refusal("pictures_unavailable", "The picture connection is lost.", 503) from error
    if last is None or not last[1]:
        raise Refusal("no_picture", "This camera has not shown a picture yet.", 503)
    header, jpeg = last
    age_s = max(0.0, time.time() - header.captured_at)
    header = header.with_changes(state=state_now(camera, header, age_s))
    if header.state != bus.LIVE:
        # Whole seconds: the same picture within a second has the same ETag.
        header, jpeg = await sync_to_async(dimming.draw, thread_sensitive=False)(header, jpeg, float(int(age_s)))
    return header, jpeg, age_s


def state_now(camera: Camera, header: bus.Header, age_s: float) -> str:
    """Return the state in which a camera's kept picture is shown now."""
    if not camera.is_enabled:
        return bus.DISABLED
    if age_s > OFFLINE_AFTER_S:
        return bus.OFFLINE
    if header.state != bus.LIVE:
        return header.state
    return bus.LIVE if age_s <= STALE_AFTER_S else bus.STALE


class StreamTicketView(APIView):
    """A signed address of one camera's stream for an `<img>` on another origin."""

    @extend_schema(
        summary="Ticket for a stream",
        request=None,
        responses=inline_serializer(
            "StreamTicket", {"url": serializers.CharField(), "expires_at": serializers.DateTimeField()}
        ),
    )
    def post(self, request: Request, slug: str) -> Response:
        if not Camera.objects.watchable_by(request.user).filter(slug=slug).exists():
            raise no_camera(slug)
        at = timezone.now()
        ticket = make_ticket(Ticket(slug, request.user.pk), at)
        url = f"{reverse('video_feed')}?{urlencode({'camera': slug, 'ticket': ticket})}"
        expires_at = datetime.fromtimestamp(int((at + LIFE).timestamp()), UTC)
        return Response({"url": request.build_absolute_uri(url), "expires_at": expires_at})
