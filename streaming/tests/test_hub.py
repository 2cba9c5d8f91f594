"""The hub on a real Valkey: one newest picture for all viewers, dimmed when it is old, back by itself."""

import asyncio
import subprocess
import time

import cv2
import numpy as np
import pytest
from redis import Redis

from factoryai.embedded import valkey
from streaming import bus, dimming
from streaming.hub import CONNECTION_LOST, Channel, Hub, Wake, make_payload

LIMIT_S = 10.0


class Broker:
    """A Valkey of this test's own, to be killed and started again."""

    def __init__(self, folder):
        self.socket = folder / "valkey.sock"
        self.url = valkey.url(self.socket)
        self.process = None

    def start(self):
        self.process = subprocess.Popen(valkey.command(valkey.find_server(), self.socket), stdout=subprocess.DEVNULL)
        while not valkey.answers(self.url):
            time.sleep(0.02)

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def broker(tmp_path):
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def redis(broker):
    with Redis.from_url(broker.url) as client:
        yield client


@pytest.fixture
async def hub(broker):
    hub = Hub(broker.url)
    yield hub
    await hub.aclose()


def picture(grey=128, width=640, height=360):
    return cv2.imencode(".jpg", np.full((height, width, 3), grey, np.uint8))[1].tobytes()


def message(seq, *, state=bus.LIVE, jpeg=None, age_s=0.0, tier=bus.FULL, note=""):
    now = time.time()
    header = bus.Header("gate", tier, seq, now - age_s, now, state, note, 640, 360)
    return bus.encode_message(header, picture() if jpeg is None else jpeg)


async def until(condition, what):
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.02)
    return what


async def subscribers(redis, tier=bus.FULL):
    return redis.pubsub_numsub(bus.channel("gate", tier))[0][1]


async def subscribed(redis, tier=bus.FULL):
    async with asyncio.timeout(LIMIT_S):
        while not await subscribers(redis, tier):
            await asyncio.sleep(0.02)


async def left(redis, tier=bus.FULL):
    async with asyncio.timeout(LIMIT_S):
        while await subscribers(redis, tier):
            await asyncio.sleep(0.02)


async def shown(channel, wake, accept):
    """Return the first payload that ``accept`` takes."""
    async with asyncio.timeout(LIMIT_S):
        while channel.newest is None or not accept(channel.newest):
            wake.clear()
            await wake.wait()
    return channel.newest


async def test_the_first_viewer_subscribes_and_the_last_unsubscribes(hub, redis):
    first, second = Wake(asyncio.get_running_loop()), Wake(asyncio.get_running_loop())
    channel = hub.join("gate", bus.FULL, first)
    assert hub.join("gate", bus.FULL, second) is channel
    await subscribed(redis)
    hub.leave(channel, first)
    await asyncio.sleep(0.1)
    assert await subscribers(redis) == 1
    hub.leave(channel, second)
    await left(redis)


async def test_all_viewers_share_the_very_same_bytes(hub, redis):
    wakes = [Wake(asyncio.get_running_loop()) for _ in range(3)]
    channels = [hub.join("gate", bus.FULL, wake) for wake in wakes]
    await subscribed(redis)
    redis.publish(bus.channel("gate", bus.FULL), message(5))
    parts = [(await shown(c, w, lambda p: p.header.seq == 5)).part for c, w in zip(channels, wakes, strict=True)]
    assert all(part is parts[0] for part in parts)


async def test_the_newest_picture_wins_and_none_is_queued(hub, redis):
    wake = Wake(asyncio.get_running_loop())
    channel = hub.join("gate", bus.FULL, wake)
    await subscribed(redis)
    for seq in range(1, 40):
        redis.publish(bus.channel("gate", bus.FULL), message(seq))
    assert (await shown(channel, wake, lambda p: p.header.seq == 39)).header.state == bus.LIVE


async def test_the_kept_picture_is_there_before_the_first_live_one(hub, redis):
    redis.set(bus.last_key("gate"), message(3))
    wake = Wake(asyncio.get_running_loop())
    channel = hub.join("gate", bus.TILE, wake)
    payload = await shown(channel, wake, lambda p: True)
    assert (payload.header.seq, payload.header.tier, payload.header.width) == (3, bus.TILE, 320)


async def test_a_picture_older_than_two_seconds_is_dimmed_with_its_age(hub, redis):
    redis.set(bus.last_key("gate"), message(3, age_s=30))
    wake = Wake(asyncio.get_running_loop())
    channel = hub.join("gate", bus.FULL, wake)
    payload = await shown(channel, wake, lambda p: True)
    image = cv2.imdecode(np.frombuffer(payload.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert payload.header.state == bus.STALE
    assert 30 <= payload.header.age_s < 30 + LIMIT_S
    assert image[5:40, 5:40].mean() < 100


async def test_a_camera_that_never_showed_a_picture_is_said_to_be_so(hub):
    wake = Wake(asyncio.get_running_loop())
    channel = hub.join("gate", bus.FULL, wake)
    payload = await shown(channel, wake, lambda p: True)
    assert (payload.header.state, payload.header.seq) == (bus.OFFLINE, 0)
    assert payload.jpeg.startswith(b"\xff\xd8")


async def test_what_the_camera_process_says_is_shown_on_the_last_picture(hub, redis):
    wake = Wake(asyncio.get_running_loop())
    channel = hub.join("gate", bus.FULL, wake)
    await subscribed(redis)
    redis.publish(bus.channel("gate", bus.FULL), message(7))
    await shown(channel, wake, lambda p: p.header.seq == 7)
    redis.publish(bus.channel("gate", bus.FULL), message(7, state=bus.DISABLED, jpeg=b"", note="by Meena"))
    payload = await shown(channel, wake, lambda p: p.header.state == bus.DISABLED)
    assert (payload.header.note, payload.header.seq) == ("by Meena", 7)


async def test_pictures_return_by_themselves_after_redis_died(hub, broker, redis):
    wake = Wake(asyncio.get_running_loop())
    channel = hub.join("gate", bus.FULL, wake)
    await subscribed(redis)
    redis.publish(bus.channel("gate", bus.FULL), message(1))
    await shown(channel, wake, lambda p: p.header.seq == 1)
    broker.stop()
    lost = await shown(channel, wake, lambda p: p.header.note == CONNECTION_LOST)
    assert lost.header.state == bus.STALE
    broker.start()
    await subscribed(redis)
    redis.publish(bus.channel("gate", bus.FULL), message(2))
    assert (await shown(channel, wake, lambda p: p.header.state == bus.LIVE)).header.seq == 2


async def test_garbage_on_the_bus_is_stepped_over(hub, redis):
    wake = Wake(asyncio.get_running_loop())
    channel = hub.join("gate", bus.FULL, wake)
    await subscribed(redis)
    redis.publish(bus.channel("gate", bus.FULL), b"\xff\xff\xff\xffnonsense")
    redis.publish(bus.channel("gate", bus.FULL), message(2))
    assert (await shown(channel, wake, lambda p: True)).header.seq == 2


async def test_the_number_of_viewers_is_published_and_taken_back(hub, redis):
    wakes = [Wake(asyncio.get_running_loop()) for _ in range(2)]
    channels = [hub.join("gate", tier, wake) for tier, wake in zip((bus.FULL, bus.TILE), wakes, strict=True)]
    await until(lambda: redis.keys("viewers:gate:*"), "a count")
    key = redis.keys("viewers:gate:*")[0]
    assert (int(redis.get(key)), redis.ttl(key) > 0) == (2, True)
    for channel, wake in zip(channels, wakes, strict=True):
        hub.leave(channel, wake)
    await until(lambda: not redis.keys("viewers:gate:*"), "no count")


async def test_the_age_does_not_depend_on_the_camera_machines_clock():
    channel = Channel("gate", bus.FULL)
    behind = time.time() - 3600
    channel.hear(bus.Header("gate", bus.FULL, 1, behind, behind + 0.1), picture())
    assert channel.newest.header.state == bus.LIVE
    assert channel.age_s() < 1.0


def test_a_part_ends_with_the_next_boundary_and_tells_state_and_age():
    payload = make_payload(bus.Header("gate", bus.FULL, 1, 1000.0, 1000.5), b"JPEG", 0.5)
    head, _, rest = payload.part.partition(b"\r\n\r\n")
    assert rest == b"JPEG\r\n--frame\r\n"
    assert head.split(b"\r\n") == [
        b"Content-Type: image/jpeg",
        b"Content-Length: 4",
        b"X-Timestamp: 1000.000",
        b"X-State: live",
        b"X-Frame-Age: 0.500",
    ]


@pytest.mark.parametrize("jpeg", [pytest.param(b"", id="none"), pytest.param(b"\xff\xd8 broken", id="a broken one")])
@pytest.mark.parametrize("tier", bus.TIERS)
def test_a_picture_that_cannot_be_read_gives_a_placeholder(jpeg, tier):
    header, drawn = dimming.draw(bus.Header("gate", tier, 0, 0.0, 0.0, bus.OFFLINE), jpeg, 0.0)
    image = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape[:2] == (header.height, header.width)


class Line:
    """A connection to a Redis over TCP that can be slow to open, and can swallow what comes without closing."""

    def __init__(self, broker, delay_s=0.0):
        self._path, self._delay_s = broker.socket, delay_s
        self._swallowing = asyncio.Event()
        self.opened = 0

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"redis://127.0.0.1:{port}/0"
        return self

    async def __aexit__(self, *exc):
        self._server.close()

    def swallow(self):
        """Let every connection of now go silent; those opened later work."""
        self._swallowing.set()
        self._swallowing = asyncio.Event()

    async def _serve(self, reader, writer):
        self.opened += 1
        is_silent = self._swallowing
        await asyncio.sleep(self._delay_s)
        there, back = await asyncio.open_unix_connection(str(self._path))
        await asyncio.gather(self._pass(reader, back, is_silent), self._pass(there, writer, is_silent))

    @staticmethod
    async def _pass(reader, writer, is_silent):
        while data := await reader.read(65536):
            if not is_silent.is_set():
                writer.write(data)
        writer.close()


async def test_a_camera_joined_while_the_hub_connects_is_subscribed_to(broker, redis):
    async with Line(broker, delay_s=0.3) as line:
        hub = Hub(line.url)
        hub.join("yard", bus.FULL, asyncio.Event())
        await asyncio.sleep(0.1)
        hub.join("gate", bus.FULL, asyncio.Event())
        await subscribed(redis)
        await hub.aclose()


async def test_a_connection_that_dies_in_silence_is_left_for_another(broker, redis):
    async with Line(broker) as line:
        hub, wake = Hub(line.url), asyncio.Event()
        channel = hub.join("gate", bus.FULL, wake)
        await subscribed(redis)
        line.swallow()
        opened = line.opened
        async with asyncio.timeout(2 * LIMIT_S):
            while line.opened < opened + 2 or not hub.is_connected:
                await asyncio.sleep(0.05)
        await subscribed(redis)
        redis.publish(bus.channel("gate", bus.FULL), message(7))
        assert (await shown(channel, wake, lambda payload: payload.header.seq == 7)).header.state == bus.LIVE
        await hub.aclose()
