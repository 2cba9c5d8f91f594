"""The walk over the WebSockets: every route, as everybody: who may connect, and what they hear of the home site."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from rest_framework_simplejwt.tokens import AccessToken

from factoryai.alerts.events import publish_events
from factoryai.alerts.models import Event
from factoryai.asgi import application, routes
from factoryai.sites.models import Role
from factoryai.sites.tests.factories import make_people, make_user
from streaming.tests.factories import make_camera
from tests.access.world import NOON, PERSONS

pytestmark = pytest.mark.django_db(transaction=True)

EXPECTED = {
    # who          anon     off      none    hr      sec     mgr     dev     other   root
    "ws/events": ["4401", "4401", "nothing", "hears", "hears", "hears", "nothing", "nothing", "hears"],
    "ws/wall": ["4401", "4401", "nothing", "hears", "hears", "hears", "nothing", "nothing", "hears"],
}
"""The code a socket is closed with, or whether something of the home site is heard."""


@pytest.fixture
def users(transactional_db) -> dict[str, Any]:
    people = make_people()
    off = make_user("lata", site=people.site, roles=tuple(Role.values), is_active=False)
    make_camera(people.site, "gate", roles=["attendance", "gate"])
    Event.objects.create(site=people.site, kind="alert", object_id="7", at=NOON)
    publish_events()
    return {
        "anon": None, "off": off, "none": people.asha, "hr": people.meena, "sec": people.farid, "mgr": people.kavita,
        "dev": people.gate, "other": people.stranger, "root": people.root,
    }  # fmt: skip


async def heard_of(path: str, user: Any) -> str:
    """Connect by token, listen, and say what came of it."""
    token = [] if user is None else ["bearer", str(await sync_to_async(AccessToken.for_user)(user))]
    headers = [(b"host", b"factory.test"), *([(b"origin", b"http://factory.test")] if user is None else [])]
    socket = WebsocketCommunicator(application, f"/{path}?after=0", headers, token)
    accepted, code = await socket.connect(10)
    try:
        if not accepted:
            return str(code)
        return await HEARD[path](socket)
    finally:
        await socket.disconnect()


async def events_heard(socket: WebsocketCommunicator) -> str:
    found = []
    while (event := await socket.receive_json_from(10))["kind"] != "ready":
        found.append(event["site"])
    return "hears" if "pune" in found else "nothing"


async def wall_heard(socket: WebsocketCommunicator) -> str:
    await socket.send_json_to({"watch": [{"camera": "gate"}]})
    first = await socket.receive_output(10)
    if first["type"] == "websocket.close":
        return str(first["code"])
    if first.get("bytes"):
        return "hears"
    return "nothing" if json.loads(first["text"])["error"]["code"] == "camera_not_found" else "hears"


HEARD = {"ws/events": events_heard, "ws/wall": wall_heard}


def test_every_route_of_a_socket_is_walked():
    assert {str(route.pattern) for route in routes} == set(EXPECTED)


@pytest.mark.parametrize("path", EXPECTED)
async def test_who_hears_what(users, path):
    found = [await heard_of(path, users[person]) for person in PERSONS]
    assert dict(zip(PERSONS, found, strict=True)) == dict(zip(PERSONS, EXPECTED[path], strict=True))
