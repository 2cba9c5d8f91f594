"""The wall's socket: many tiles over one connection, the newest of each, for who may see them."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser

from factoryai.rest import Refusal
from factoryai.sites.models import Membership
from factoryai.sites.tests.factories import make_people
from streaming import bus, permits
from streaming.consumers import TILE_LIMIT, WallConsumer, parse_watch
from streaming.feed import Wish
from streaming.hub import hub_here
from streaming.models import Camera
from streaming.tests.pictures import LIMIT_S, Bench

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(transactional_db):
    people = make_people()
    for slug, site in (("gate", people.site), ("yard", people.site), ("other", people.other_site)):
        Camera.objects.create(site=site, slug=slug, name=slug.title(), address="rtsp://10.0.0.9/1")
    return people


@pytest.fixture
async def cameras():
    cameras = Bench()
    yield cameras
    await hub_here().aclose()
    cameras.close()


class Wall:
    """One browser's socket."""

    def __init__(self, user):
        self.socket = WebsocketCommunicator(WallConsumer.as_asgi(), "/ws/wall")
        self.socket.scope["user"] = user

    async def __aenter__(self):
        assert (await self.socket.connect(LIMIT_S))[0]
        return self

    async def __aexit__(self, *exc):
        await self.socket.disconnect(timeout=LIMIT_S)

    async def watch(self, *tiles):
        await self.socket.send_json_to({"watch": [{"camera": slug, **more} for slug, more in tiles]})

    async def receive(self):
        """Return the header of the next picture, or the error that came instead."""
        while True:
            message = await self.socket.receive_output(LIMIT_S)
            if message.get("text"):
                return SimpleNamespace(**json.loads(message["text"])["error"])
            if message.get("bytes"):
                return bus.decode_message(message["bytes"])[0]

    async def receive_where(self, accept):
        async with asyncio.timeout(LIMIT_S):
            while not accept(got := await self.receive()):
                pass
        return got


async def test_every_tile_comes_over_one_socket(people, cameras):
    cameras.keep("gate", seq=3)
    cameras.keep("yard", seq=5)
    async with Wall(people.farid) as wall:
        await wall.watch(("gate", {}), ("yard", {"tier": "medium"}))
        got = [await wall.receive(), await wall.receive()]
        assert {(header.camera, header.tier, header.seq) for header in got} == {
            ("gate", "tile", 3),
            ("yard", "medium", 5),
        }


async def test_live_pictures_are_passed_on_as_they_are(people, cameras):
    async with Wall(people.farid) as wall:
        await wall.watch(("gate", {}))
        await cameras.watched("gate", bus.TILE)
        cameras.publish("gate", bus.TILE, seq=8)
        header = await wall.receive_where(lambda header: header.state == bus.LIVE)
        assert (header.camera, header.seq) == ("gate", 8)


@pytest.mark.parametrize(
    ("who", "slug"), [("stranger", "gate"), ("farid", "other"), ("farid", "nowhere"), ("asha", "gate")]
)
async def test_a_camera_that_is_not_yours_is_answered_like_none(people, cameras, who, slug):
    cameras.keep(slug)
    async with Wall(getattr(people, who)) as wall:
        await wall.watch((slug, {}))
        error = await wall.receive()
        assert (error.code, error.camera) == ("camera_not_found", slug)
        assert await wall.socket.receive_nothing(0.5)


async def test_nobody_watches_without_a_login(people, cameras):
    async with Wall(AnonymousUser()) as wall:
        assert await wall.socket.receive_output(LIMIT_S) == {"type": "websocket.close", "code": 4401}


async def test_a_grid_sent_again_replaces_the_one_before(people, cameras):
    async with Wall(people.farid) as wall:
        await wall.watch(("gate", {}))
        await cameras.watched("gate", bus.TILE)
        await wall.watch(("yard", {}))
        await cameras.watched("yard", bus.TILE)
        await cameras.left("gate", bus.TILE)


async def test_leaving_the_page_leaves_the_cameras(people, cameras):
    async with Wall(people.farid) as wall:
        await wall.watch(("gate", {}), ("yard", {}))
        await cameras.watched("yard", bus.TILE)
    await cameras.left("gate", bus.TILE)
    await cameras.left("yard", bus.TILE)


async def test_a_lost_role_takes_the_tile_away(people, cameras):
    async with Wall(people.farid) as wall:
        await wall.watch(("gate", {}))
        await cameras.watched("gate", bus.TILE)
        await Membership.objects.filter(user=people.farid).adelete()
        error = await wall.receive_where(lambda got: hasattr(got, "code"))
        assert (error.code, error.camera) == ("camera_not_found", "gate")
        await cameras.left("gate", bus.TILE)
    assert permits.ASK_EVERY_S < LIMIT_S


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(" ", id="nothing"),
        pytest.param("[]", id="a list"),
        pytest.param('{"watch": 3}', id="a number"),
        pytest.param('{"watch": [{"tier": "tile"}]}', id="no camera"),
        pytest.param('{"watch": [null]}', id="null"),
    ],
)
async def test_a_message_that_makes_no_sense_is_answered_and_survived(people, cameras, text):
    cameras.keep("gate")
    async with Wall(people.farid) as wall:
        await wall.socket.send_to(text_data=text)
        assert (await wall.receive()).code == "bad_message"
        await wall.watch(("gate", {}))
        assert (await wall.receive()).camera == "gate"


def test_a_tile_is_small_unless_another_size_is_wished():
    assert parse_watch('{"watch": [{"camera": "a"}, {"camera": "b", "tier": "full", "fps": 2}]}') == [
        ("a", Wish(bus.TILE)),
        ("b", Wish(bus.FULL, 2.0)),
    ]


def test_a_wall_has_an_end():
    text = json.dumps({"watch": [{"camera": str(number)} for number in range(TILE_LIMIT + 1)]})
    with pytest.raises(Refusal) as refusal:
        parse_watch(text)
    assert refusal.value.code == "too_many_tiles"


async def test_a_viewer_who_goes_while_choosing_leaves_nothing_behind(people, cameras):
    """The grid is changed and the page closed at once: whatever comes first, nobody watches afterwards."""
    for number in range(12):
        wall = Wall(people.farid)
        async with wall:
            await wall.watch(("gate", {}))
            await cameras.watched("gate", bus.TILE)
            await wall.watch(("gate", {"fps": number + 1}), ("yard", {}))
            await asyncio.sleep(number * 0.002)
    await cameras.left("gate", bus.TILE)
    await cameras.left("yard", bus.TILE)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"watch": [{"camera": "gate", "fps": 1' + "0" * 400 + "}]}"])
def test_a_message_made_to_break_the_reader_is_refused(text):
    with pytest.raises(Refusal):
        parse_watch(text[:65_000])


def test_the_same_picture_twice_is_one_tile():
    twice = json.dumps({"watch": [{"camera": "gate", "fps": 2}, {"camera": "gate", "fps": 5}]})
    assert parse_watch(twice) == [("gate", Wish(bus.TILE, 5.0))]
