"""The feed through the real `serve` process: viewers that stall, many viewers, lost rights, a Redis that dies."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest
from redis import Redis

from streaming import bus
from streaming.hub import OPENING
from tests.feed_rig import PASSWORD, PROJECT, Rig, end, wait_until
from tests.synthetic_camera import SyntheticCamera
from tests.viewers import Viewer, feed_request, watch

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def rig():
    with Rig(["gate", "yard"]) as rig:
        yield rig


@pytest.fixture(scope="module")
def cookie(rig):
    return rig.login()


@pytest.fixture
def camera(rig):
    with SyntheticCamera(rig.redis_url, "gate") as camera:
        yield camera


def request(rig, cookie, tier="full"):
    return feed_request(f"/api/video_feed?camera=gate&tier={tier}", cookie)


@pytest.fixture
def viewers():
    """Open viewers that are closed afterwards."""
    opened = []

    def open_viewer(port, request, **how):
        opened.append(Viewer(port, request, **how))
        return opened[-1]

    yield open_viewer
    for viewer in opened:
        viewer.close()


def shown(viewers, condition, what, limit_s=20.0):
    """Read the viewers until ``condition()`` holds."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} took more than {limit_s:.0f} s"
        watch(viewers, 0.1)


def peers(rig):
    """Ports of the clients that the web process is connected to."""
    found = psutil.Process(rig.web.pid).net_connections("tcp4")
    return {item.raddr.port for item in found if item.raddr and item.status == psutil.CONN_ESTABLISHED}


def watched(rig, tier=bus.FULL):
    with Redis.from_url(rig.redis_url) as redis:
        return redis.pubsub_numsub(bus.channel("gate", tier))[0][1]


def test_a_hundred_viewers_hold_no_thread_each(rig, cookie, camera, viewers):
    web = psutil.Process(rig.web.pid)
    few = [viewers(rig.port, request(rig, cookie)) for _ in range(5)]
    shown(few, lambda: all(viewer.arrivals for viewer in few), "the first pictures")
    threads = web.num_threads()
    many = [viewers(rig.port, request(rig, cookie)) for _ in range(100)]
    shown(few + many, lambda: all(viewer.arrivals for viewer in many), "pictures for all", limit_s=60)
    assert web.num_threads() <= threads + 8


def test_a_viewer_that_stops_reading_is_cut_and_the_others_stay(rig, cookie, camera, viewers):
    healthy = viewers(rig.port, request(rig, cookie))
    stalled = viewers(rig.port, request(rig, cookie), rate=0, receive_buffer=65536)
    shown([healthy], lambda: len(healthy.arrivals) > 5, "pictures")
    mine = stalled.socket.getsockname()[1]
    assert mine in peers(rig)
    shown([healthy], lambda: mine not in peers(rig), "the cut")
    assert healthy.is_open


def test_the_last_viewer_gone_the_camera_is_left(rig, cookie, camera, viewers):
    viewer = viewers(rig.port, request(rig, cookie))
    shown([viewer], lambda: viewer.arrivals, "a picture")
    assert watched(rig) == 1
    viewer.close()
    wait_until(lambda: not watched(rig), "leaving the camera")


def test_a_frozen_camera_keeps_its_viewers_and_says_so(rig, cookie, camera, viewers):
    viewer = viewers(rig.port, request(rig, cookie))
    shown([viewer], lambda: "live" in viewer.states, "a live picture")
    camera.frozen.set()
    shown([viewer], lambda: viewer.states[-1] == "stale", "the stale picture")
    camera.frozen.clear()
    shown([viewer], lambda: viewer.states[-1] == "live", "the live picture again")


def test_redis_dies_and_comes_back_under_the_same_viewer(rig, cookie, camera, viewers):
    viewer = viewers(rig.port, request(rig, cookie))
    shown([viewer], lambda: "live" in viewer.states, "a live picture")
    rig.stop_broker()
    try:
        shown([viewer], lambda: viewer.states[-1] == "stale", "the dimmed picture")
        assert rig.get_json("/api/v1/cameras/gate/snapshot.jpg", cookie)[1]["code"] == "pictures_unavailable"
    finally:
        rig.start_broker()
    shown([viewer], lambda: viewer.states[-1] == "live", "the live picture again")
    assert viewer.is_open


def test_a_disabled_account_loses_the_picture_within_ten_seconds(rig, camera, viewers):
    rig.shell(
        "from django.contrib.auth import get_user_model as u; from factoryai.sites.models import *;"
        f"x = u().objects.create_user('guest', password={PASSWORD!r});"
        "Membership.objects.create(user=x, site=Site.objects.get(slug='pune'), role='security')"
    )
    viewer = viewers(rig.port, request(rig, rig.login("guest")))
    shown([viewer], lambda: viewer.arrivals, "a picture")
    rig.shell(
        "from django.contrib.auth import get_user_model as u;"
        "u().objects.filter(username='guest').update(is_active=False)"
    )
    shown([viewer], lambda: not viewer.is_open, "the end", limit_s=15)


def test_a_stranger_from_another_site_sees_no_camera(rig, camera):
    stranger = rig.login("stranger")
    for path in ("/api/video_feed?camera=gate", "/api/v1/cameras/gate/snapshot.jpg", "/api/video_feed"):
        status, body = rig.get_json(path, stranger)
        assert (status, body["code"]) == (404, "camera_not_found")


def test_the_boundary_follows_each_picture_at_once(rig, cookie, camera):
    with socket.create_connection(("127.0.0.1", rig.port), 10) as raw:
        raw.sendall(request(rig, cookie, "tile"))
        raw.settimeout(10)
        data = b""
        while data.count(b"Content-Length") < 1 or b"\xff\xd9\r\n--frame\r\n" not in data:
            data += raw.recv(65536)
        assert data.count(b"X-Timestamp") == 1


def test_pictures_are_written_bare_and_end_with_the_connection(rig, cookie, camera):
    with socket.create_connection(("127.0.0.1", rig.port), 10) as raw:
        raw.sendall(request(rig, cookie, "tile"))
        raw.settimeout(10)
        data = b""
        while b"\r\n\r\n" not in data or len(data.partition(b"\r\n\r\n")[2]) < len(OPENING):
            data += raw.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert body.startswith(OPENING)


def test_terminating_ends_within_the_grace_although_somebody_watches():
    with Rig(["gate"]) as rig, SyntheticCamera(rig.redis_url, "gate"):
        viewer = Viewer(rig.port, request(rig, rig.login()))
        shown([viewer], lambda: viewer.arrivals, "a picture")
        rig.web.send_signal(signal.SIGTERM)
        wait_until(lambda: rig.web.poll() is not None, "the end of the web", limit_s=8)
        viewer.close()


def test_a_socket_given_by_its_parent_is_served(rig):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port, descriptor = listener.getsockname()[1], listener.fileno()
        command = [sys.executable, "manage.py", "serve", "--fd", str(descriptor)]
        web = subprocess.Popen(command, cwd=PROJECT, env=rig.environment, pass_fds=(descriptor,))
    try:
        wait_until(lambda: answers(port), "an answer", web)
    finally:
        end(web)


def answers(port):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/api/video_feed", timeout=5)
    except urllib.error.HTTPError as error:
        return error.code == 401
    except OSError:
        return False
    return False


def test_a_descriptor_that_is_no_socket_is_refused_in_words(rig):
    command = [sys.executable, "manage.py", "serve", "--fd", "0"]
    done = subprocess.run(
        command, cwd=PROJECT, env=rig.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "not a listening socket" in done.stderr
