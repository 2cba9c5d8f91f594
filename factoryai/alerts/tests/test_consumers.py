"""`/ws/events` through the whole ASGI application: who may connect, what is told, and when it ends."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client
from rest_framework_simplejwt.tokens import RefreshToken

from factoryai.alerts.consumers import EventsConsumer
from factoryai.alerts.events import forget_events
from factoryai.alerts.models import Event
from factoryai.alerts.tests.factories import NOON, blocked_plate
from factoryai.asgi import application
from factoryai.sites.models import Membership
from factoryai.sites.tests.factories import make_people

pytestmark = pytest.mark.django_db(transaction=True)

HOST = (b"host", b"factory.test")
OWN_PAGE = (b"origin", b"http://factory.test")


@sync_to_async
def cookie_of(user: Any) -> tuple[bytes, bytes]:
    client = Client()
    client.force_login(user)
    return (b"cookie", f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}".encode())


@sync_to_async
def token_of(user: Any) -> str:
    return str(RefreshToken.for_user(user).access_token)


class Socket(WebsocketCommunicator):
    async def events(self, count: int) -> list[dict[str, Any]]:
        return [await self.receive_json_from(5) for _ in range(count)]


@asynccontextmanager
async def connected(*headers: tuple[bytes, bytes], query: str = "", subprotocols: list[str] | None = None):
    socket = Socket(application, f"/ws/events{query}", [HOST, *headers], subprotocols)
    accepted, _ = await socket.connect(5)
    assert accepted
    yield socket
    await socket.disconnect()


async def is_refused(*headers: tuple[bytes, bytes], query: str = "", subprotocols: list[str] | None = None) -> bool:
    socket = WebsocketCommunicator(application, f"/ws/events{query}", [HOST, *headers], subprotocols)
    accepted, _ = await socket.connect(5)
    await socket.disconnect()
    return not accepted


async def test_an_alert_reaches_the_open_page_of_its_site_only():
    people = await sync_to_async(make_people)()
    async with (
        connected(await cookie_of(people.farid), OWN_PAGE) as farid,
        connected(await cookie_of(people.stranger), OWN_PAGE) as stranger,
    ):
        assert (await farid.receive_json_from(5))["kind"] == "ready"
        assert (await stranger.receive_json_from(5))["kind"] == "ready"
        alert = await sync_to_async(blocked_plate)(people.site)
        assert await farid.events(1) == [{"seq": 1, "kind": "alert", "site": "pune", "id": str(alert.pk)}]
        assert await stranger.receive_nothing(0.5)


async def test_a_page_that_was_away_catches_up_without_gap_or_double():
    people = await sync_to_async(make_people)()
    alerts = [await sync_to_async(blocked_plate)(people.site, key=f"{number}") for number in range(3)]
    async with connected(await cookie_of(people.farid), OWN_PAGE, query="?after=1") as socket:
        told = await socket.events(3)
        assert [(event["seq"], event["kind"]) for event in told] == [(2, "alert"), (3, "alert"), (3, "ready")]
        assert [event["id"] for event in told[:2]] == [str(alert.pk) for alert in alerts[1:]]
        await sync_to_async(blocked_plate)(people.site, key="live")
        assert [event["seq"] for event in await socket.events(1)] == [4]


@pytest.mark.parametrize("after", [pytest.param(0, id="older than what is kept"), pytest.param(99, id="never given")])
async def test_who_cannot_catch_up_is_told_to_load_anew(after):
    people = await sync_to_async(make_people)()
    await sync_to_async(blocked_plate)(people.site)
    await sync_to_async(forget_events)(before=NOON.replace(year=2027))
    async with connected(await cookie_of(people.farid), OWN_PAGE, query=f"?after={after}") as socket:
        assert [(event["kind"], event["seq"]) for event in await socket.events(2)] == [("reset", 1), ("ready", 1)]


async def test_what_nobody_announced_is_found_by_looking():
    people = await sync_to_async(make_people)()
    async with connected(await cookie_of(people.farid), OWN_PAGE) as socket:
        await socket.events(1)
        await sync_to_async(Event.objects.create)(site=people.site, kind="alert", object_id="7", at=NOON)
        assert (await socket.receive_json_from(15))["id"] == "7"


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        pytest.param([OWN_PAGE], False, id="own page"),
        pytest.param([(b"origin", b"http://factory.test:80")], False, id="own page, port spelt out"),
        pytest.param([(b"origin", b"http://evil.test")], True, id="foreign page"),
        pytest.param([(b"origin", b"http://factory.test.evil.test")], True, id="foreign page that looks alike"),
        pytest.param([(b"origin", b"http://factory.test:8080")], True, id="another port"),
        pytest.param([(b"origin", b"null")], True, id="a sandboxed page"),
        pytest.param([], True, id="no page"),
    ],
)
async def test_cookies_count_only_from_pages_of_this_place(headers, refused):
    people = await sync_to_async(make_people)()
    assert await is_refused(await cookie_of(people.farid), *headers) is refused


async def test_a_token_comes_as_subprotocol_and_needs_no_page():
    people = await sync_to_async(make_people)()
    token = await token_of(people.farid)
    async with connected(subprotocols=["bearer", token]) as socket:
        assert (await socket.receive_json_from(5))["kind"] == "ready"


async def test_a_token_in_the_address_counts_for_nothing():
    people = await sync_to_async(make_people)()
    assert await is_refused(OWN_PAGE, query=f"?token={await token_of(people.farid)}")


async def test_a_wrong_token_is_refused_even_with_a_cookie():
    people = await sync_to_async(make_people)()
    assert await is_refused(await cookie_of(people.farid), OWN_PAGE, subprotocols=["bearer", "a.b.c"])


async def test_a_foreign_page_may_not_use_a_token_unless_it_is_listed(settings):
    people = await sync_to_async(make_people)()
    offer = ["bearer", await token_of(people.farid)]
    foreign = (b"origin", b"https://app.test")
    assert await is_refused(foreign, subprotocols=offer)
    settings.CORS_ALLOWED_ORIGINS = ["https://app.test"]
    assert not await is_refused(foreign, subprotocols=offer)


async def test_nobody_is_refused():
    assert await is_refused(OWN_PAGE)


async def test_a_number_that_makes_no_sense_is_refused():
    people = await sync_to_async(make_people)()
    assert await is_refused(await cookie_of(people.farid), OWN_PAGE, query="?after=all")


@sync_to_async
def log_out(people: Any, cookie: tuple[bytes, bytes]) -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie[1].decode().partition("=")[2]
    client.logout()


@sync_to_async
def disable(people: Any, cookie: tuple[bytes, bytes]) -> None:
    people.farid.is_active = False
    people.farid.save()


@sync_to_async
def change_password(people: Any, cookie: tuple[bytes, bytes]) -> None:
    people.farid.set_password("another long sentence")
    people.farid.save()


@pytest.fixture
def impatient():
    """Look again after a tenth of a second instead of ten."""
    usual = EventsConsumer.recheck_every_s
    EventsConsumer.recheck_every_s = 0.1
    yield
    EventsConsumer.recheck_every_s = usual


@pytest.mark.parametrize("end", [log_out, disable, change_password], ids=["log out", "disable", "new password"])
async def test_the_end_of_a_login_ends_the_socket(impatient, end):
    people = await sync_to_async(make_people)()
    cookie = await cookie_of(people.farid)
    async with connected(cookie, OWN_PAGE) as socket:
        await socket.events(1)
        await end(people, cookie)
        assert await socket.receive_output(5) == {"type": "websocket.close", "code": 4401}


@pytest.mark.parametrize("end", [disable, change_password], ids=["disable", "new password"])
async def test_the_end_of_an_account_ends_a_socket_with_a_token(impatient, end):
    people = await sync_to_async(make_people)()
    async with connected(subprotocols=["bearer", await token_of(people.farid)]) as socket:
        await socket.events(1)
        await end(people, (b"", b""))
        assert await socket.receive_output(5) == {"type": "websocket.close", "code": 4401}


async def test_a_lost_role_ends_what_is_told(impatient):
    people = await sync_to_async(make_people)()
    async with connected(await cookie_of(people.farid), OWN_PAGE) as socket:
        await socket.events(1)
        await sync_to_async(Membership.objects.filter(user=people.farid).delete)()
        await asyncio.sleep(0.5)
        await sync_to_async(blocked_plate)(people.site)
        assert await socket.receive_nothing(0.5)
