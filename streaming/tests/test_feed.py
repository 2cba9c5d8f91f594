"""The feed and the snapshot: who gets a picture, in which size and pace, and what ends it."""

import asyncio
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from factoryai.rest import Refusal
from factoryai.sites.models import Membership
from factoryai.sites.tests.factories import make_people
from streaming import bus
from streaming.feed import PictureStream, Viewing, Wish
from streaming.hub import OPENING, hub_here
from streaming.models import Camera
from streaming.permits import ASK_EVERY_S, FRESH_S, Permits
from streaming.tests.pictures import LIMIT_S, Bench
from streaming.tickets import LIFE, Ticket, make_ticket

pytestmark = pytest.mark.django_db(transaction=True)

FEED = "/api/video_feed"
SNAPSHOT = "/api/v1/cameras/gate/snapshot.jpg"


@pytest.fixture
def people(transactional_db):
    people = make_people()
    for slug, roles in (("gate", ["gate"]), ("entrance", ["attendance"])):
        Camera.objects.create(site=people.site, slug=slug, name=slug.title(), address="rtsp://10.0.0.9/1", roles=roles)
    return people


@pytest.fixture
async def cameras():
    cameras = Bench()
    yield cameras
    await hub_here().aclose()
    cameras.close()


async def client_of(user):
    client = AsyncClient()
    if user is not None:
        await sync_to_async(client.force_login)(user)
    return client


async def first_parts(answer, count):
    """Return the first pieces of a stream and leave it."""
    pieces = []
    async with asyncio.timeout(LIMIT_S):
        async for piece in answer.streaming_content:
            pieces.append(piece)
            if len(pieces) == count:
                break
    await sync_to_async(answer.close)()
    return pieces


async def test_a_security_guard_sees_the_gate(people, cameras):
    cameras.keep("gate", seq=4)
    answer = await (await client_of(people.farid)).get(FEED, {"camera": "gate"})
    opening, part = await first_parts(answer, 2)
    assert answer["Content-Type"] == "multipart/x-mixed-replace; boundary=frame"
    assert answer["Cache-Control"] == "no-store"
    assert opening == OPENING
    assert b"X-State: live" in part
    assert part.endswith(b"\xff\xd9\r\n--frame\r\n")


@pytest.mark.parametrize(
    ("who", "camera"),
    [("stranger", "gate"), ("asha", "gate"), ("gate", "gate"), ("meena", "gate"), ("farid", "no-such")],
)
async def test_a_camera_that_is_not_yours_does_not_exist(people, cameras, who, camera):
    cameras.keep("gate")
    answer = await (await client_of(getattr(people, who))).get(FEED, {"camera": camera})
    assert (answer.status_code, answer.json()["code"]) == (404, "camera_not_found")


async def test_hr_sees_the_attendance_camera(people, cameras):
    cameras.keep("entrance")
    answer = await (await client_of(people.meena)).get(FEED, {"camera": "entrance"})
    assert len(await first_parts(answer, 2)) == 2


async def test_nobody_is_let_in_without_a_login(people, cameras):
    answer = await AsyncClient().get(FEED, {"camera": "gate"})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


async def test_a_bearer_token_is_as_good_as_a_session(people, cameras):
    from rest_framework_simplejwt.tokens import AccessToken

    cameras.keep("gate")
    headers = {"Authorization": f"Bearer {AccessToken.for_user(people.farid)}"}
    answer = await AsyncClient().get(FEED, {"camera": "gate"}, headers=headers)
    assert len(await first_parts(answer, 2)) == 2


async def test_without_a_name_it_is_the_first_camera_that_works(people, cameras):
    await Camera.objects.filter(slug="entrance").aupdate(is_enabled=False)
    cameras.keep("gate")
    answer = await (await client_of(people.farid)).get(FEED)
    await first_parts(answer, 1)
    answer = await (await client_of(people.farid)).get(FEED)
    assert b"X-State: live" in (await first_parts(answer, 2))[1]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        pytest.param({"tier": "huge"}, "unknown_tier", id="unknown size"),
        pytest.param({"fps": "0"}, "bad_fps", id="no pictures"),
        pytest.param({"fps": "31"}, "bad_fps", id="too many pictures"),
        pytest.param({"fps": "nan"}, "bad_fps", id="not a number"),
        pytest.param({"fps": "ten"}, "bad_fps", id="a word"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(values, code):
    with pytest.raises(Refusal) as refusal:
        Wish.parse(values)
    assert (refusal.value.code, refusal.value.status) == (code, 400)


async def test_the_refusal_reaches_the_client(people, cameras):
    answer = await (await client_of(people.farid)).get(FEED, {"camera": "gate", "tier": "huge"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_tier")


async def test_only_get_is_answered_for_head_would_never_end(people, cameras):
    answer = await (await client_of(people.farid)).head(FEED, {"camera": "gate"})
    assert answer.status_code == 405


async def test_a_ticket_needs_no_cookie_and_may_be_shown_elsewhere(people, cameras):
    cameras.keep("gate")
    ticket = make_ticket(Ticket("gate", people.farid.pk), timezone.now())
    answer = await AsyncClient().get(FEED, {"camera": "gate", "ticket": ticket})
    assert len(await first_parts(answer, 2)) == 2
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"


@pytest.mark.parametrize(
    ("who", "camera", "asked", "late", "code"),
    [
        pytest.param("farid", "gate", "gate", LIFE * 2, "ticket_expired", id="two minutes later"),
        pytest.param("farid", "gate", "entrance", LIFE * 0, "camera_not_found", id="for another camera"),
        pytest.param("stranger", "gate", "gate", LIFE * 0, "camera_not_found", id="made out to a stranger"),
    ],
)
async def test_a_ticket_opens_one_camera_to_one_person_for_a_minute(people, cameras, who, camera, asked, late, code):
    ticket = make_ticket(Ticket(camera, getattr(people, who).pk), timezone.now() - late)
    answer = await AsyncClient().get(FEED, {"camera": asked, "ticket": ticket})
    assert answer.json()["code"] == code


async def test_closing_the_answer_leaves_the_hub(people, cameras):
    cameras.keep("gate")
    answer = await (await client_of(people.farid)).get(FEED, {"camera": "gate"})
    pieces = aiter(answer.streaming_content)
    await anext(pieces)
    await cameras.watched("gate", bus.FULL)
    await sync_to_async(answer.close, thread_sensitive=False)()
    await cameras.left("gate", bus.FULL)


class Clock:
    """Time that moves when told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
async def viewing(people, cameras):
    camera = await Camera.objects.aget(slug="gate")
    return SimpleNamespace(camera=camera, clock=Clock(), people=people)


def stream_of(viewing, wish, permits=None):
    who = Viewing(viewing.people.farid.pk, viewing.camera.pk, "gate", 10.0, wish)
    return PictureStream(who, hub_here(), permits or Permits(), viewing.clock)


async def live(stream, cameras, tier, seq):
    """Publish one picture in the size the stream watches, and take it."""
    await cameras.watched("gate", tier)
    cameras.publish("gate", tier, seq=seq)
    async with asyncio.timeout(LIMIT_S):
        return await anext(stream)


async def test_a_viewer_that_cannot_keep_up_gets_a_smaller_picture(viewing, cameras):
    stream = stream_of(viewing, Wish())
    await anext(stream)
    for seq in range(1, 4):
        await live(stream, cameras, bus.FULL, seq)
        viewing.clock.now += 0.4
    smaller = asyncio.create_task(anext(stream))
    await cameras.watched("gate", bus.MEDIUM)
    await cameras.left("gate", bus.FULL)
    cameras.publish("gate", bus.MEDIUM, seq=9)
    async with asyncio.timeout(LIMIT_S):
        assert b"X-State: live" in await smaller
    stream.close()


async def test_a_picture_comes_no_oftener_than_wished(viewing, cameras):
    stream = stream_of(viewing, Wish(fps=1.0))
    await anext(stream)
    await live(stream, cameras, bus.FULL, 1)
    await cameras.watched("gate", bus.FULL)
    waiting = asyncio.create_task(anext(stream))
    for seq in range(2, 6):
        viewing.clock.now += 0.05
        cameras.publish("gate", bus.FULL, seq=seq)
        await asyncio.sleep(0.05)
    assert not waiting.done()
    viewing.clock.now += 1.0
    cameras.publish("gate", bus.FULL, seq=6)
    async with asyncio.timeout(LIMIT_S):
        await waiting
    stream.close()


async def no_role(people):
    await Membership.objects.filter(user=people.farid).adelete()


async def no_account(people):
    people.farid.is_active = False
    await people.farid.asave()


@pytest.mark.parametrize("taken", [pytest.param(no_role, id="the role"), pytest.param(no_account, id="the account")])
async def test_what_is_taken_away_ends_the_picture(viewing, cameras, taken):
    stream = stream_of(viewing, Wish())
    await anext(stream)
    await live(stream, cameras, bus.FULL, 1)
    await taken(viewing.people)
    viewing.clock.now += ASK_EVERY_S
    cameras.publish("gate", bus.FULL, seq=2)
    with pytest.raises(StopAsyncIteration):
        async with asyncio.timeout(LIMIT_S):
            await anext(stream)
    stream.close()


async def test_who_keeps_the_role_keeps_the_picture(viewing, cameras):
    stream = stream_of(viewing, Wish())
    await anext(stream)
    await live(stream, cameras, bus.FULL, 1)
    viewing.clock.now += ASK_EVERY_S
    assert await live(stream, cameras, bus.FULL, 2)
    stream.close()


def test_rights_are_asked_often_enough_to_end_within_ten_seconds():
    assert ASK_EVERY_S + FRESH_S < 10


async def test_viewers_of_one_person_share_one_question(people):
    permits = Permits()
    answers = await asyncio.gather(*(permits.cameras_of(people.farid.pk) for _ in range(20)))
    assert all(answer is answers[0] for answer in answers)
    assert len(answers[0]) == 2


async def test_a_snapshot_tells_its_age_and_is_not_kept(people, cameras):
    cameras.keep("gate")
    answer = await (await client_of(people.farid)).get(SNAPSHOT)
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (200, "image/jpeg", "no-store")
    assert float(answer["X-Frame-Age"]) < 2
    assert answer["X-State"] == "live"


async def test_the_same_picture_is_not_sent_twice(people, cameras):
    cameras.keep("gate")
    client = await client_of(people.farid)
    etag = (await client.get(SNAPSHOT))["ETag"]
    again = await client.get(SNAPSHOT, headers={"If-None-Match": etag})
    assert (again.status_code, again["ETag"], again.content) == (304, etag, b"")


async def test_an_old_snapshot_is_another_picture_than_it_was(people, cameras):
    cameras.keep("gate", age_s=30)
    answer = await (await client_of(people.farid)).get(SNAPSHOT)
    assert answer["X-State"] == "stale"
    assert answer.content != bus.decode_message(cameras.redis.get(bus.last_key("gate")))[1]


async def test_a_camera_without_a_picture_says_so(people, cameras):
    answer = await (await client_of(people.farid)).get(SNAPSHOT)
    assert (answer.status_code, answer.json()["code"]) == (503, "no_picture")


async def test_a_camera_with_nul_in_its_name_is_no_camera(people, cameras):
    answer = await (await client_of(people.farid)).get("/api/video_feed?camera=gate%00")
    assert (answer.status_code, answer.json()["code"]) == (404, "camera_not_found")


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("stranger", 404), ("meena", 404), ("farid", 200)])
async def test_snapshots_are_for_who_may_watch(people, cameras, who, status):
    cameras.keep("gate")
    answer = await (await client_of(getattr(people, who) if who else None)).get(SNAPSHOT)
    assert answer.status_code == status
