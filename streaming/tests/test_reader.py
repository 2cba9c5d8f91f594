"""The reader process with real RTSP servers: it lives, hangs, is killed, and says why it ended."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from streaming.capture import Capture
from streaming.handshake import HandshakeError, shake_hands
from streaming.reader import Order
from streaming.slot import Picture
from tests.rtsp.camera import rtsp_camera

PATIENCE_S = 20


@pytest.fixture
def read() -> Iterator[Callable[..., tuple[Capture, queue.Queue]]]:
    """Start readers that are killed after the test; each gives its pictures into a queue."""
    started: list[Capture] = []

    def start(target: str, *, kind: str = "rtsp", user: str = "", password: str = "", fps: float = 30) -> tuple:
        pictures: queue.Queue[Picture] = queue.Queue()
        started.append(Capture(Order(kind, target, user, password, fps, -1), pictures.put))
        return started[-1], pictures

    yield start
    for capture in started:
        capture.kill()


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def test_pictures_of_a_camera_arrive_with_their_time(read: Callable) -> None:
    with rtsp_camera(fps=25) as camera:
        _, pictures = read(camera.address)
        found = [pictures.get(timeout=PATIENCE_S) for _ in range(10)]
    assert found[0].image.shape == (720, 1280, 3)
    assert [p.sequence for p in found] == sorted({p.sequence for p in found})
    assert all(abs(time.time() - p.captured_at) < PATIENCE_S for p in found)


def test_a_source_that_is_faster_than_wanted_is_thinned_and_its_rate_told(read: Callable) -> None:
    with rtsp_camera(fps=25, size=(320, 240)) as camera:
        capture, pictures = read(camera.address, fps=5)
        times = [pictures.get(timeout=PATIENCE_S).captured_at for _ in range(20)]
        wait_for(lambda: capture.source_fps > 15)
    assert (times[-1] - times[4]) / 15 > 0.15


def test_user_and_password_reach_the_camera_by_no_visible_way(read: Callable) -> None:
    with rtsp_camera(user="viewer", password="Canary-7f3 €:@/", size=(320, 240)) as camera:
        capture, pictures = read(camera.address, user="viewer", password="Canary-7f3 €:@/")
        pictures.get(timeout=PATIENCE_S)
        process = psutil.Process(capture.pid)
        assert "Canary" not in " ".join(process.cmdline())
        assert "Canary" not in str(process.environ())


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_wrong_password_is_named_as_the_reason(read: Callable, auth: str) -> None:
    with rtsp_camera(user="viewer", password="right", auth=auth) as camera:
        capture, _ = read(camera.address, user="viewer", password="wrong")
        wait_for(lambda: capture.ending)
    assert capture.ending.code == "wrong_login"


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("silent", {"no_answer"}),
        ("redirect", {"redirected"}),
        ("http", {"not_rtsp"}),
    ],
)
def test_a_camera_that_is_none_is_named(fault: str, codes: set[str]) -> None:
    with (
        rtsp_camera(fault=fault, redirect_to="rtsp://127.0.0.1:1/x") as camera,
        pytest.raises(HandshakeError) as caught,
    ):
        shake_hands(camera.address, "", "", timeout_s=1.0)
    assert caught.value.code in codes


@pytest.mark.parametrize("fault", ["redirect", "redirect-later"])
def test_a_redirect_gives_no_picture(read: Callable, fault: str) -> None:
    with rtsp_camera(size=(320, 240)) as elsewhere:
        with rtsp_camera(fault=fault, redirect_to=elsewhere.address) as camera:
            capture, pictures = read(camera.address)
            wait_for(lambda: capture.ending)
        assert capture.ending.code == "redirected"
        assert pictures.empty()


def test_nobody_at_the_address_is_named(read: Callable) -> None:
    with rtsp_camera() as camera:
        address = camera.address
    capture, _ = read(address)
    wait_for(lambda: capture.ending)
    assert capture.ending.code == "refused"


def test_a_killed_camera_ends_the_reader_with_a_reason(read: Callable) -> None:
    with rtsp_camera(size=(320, 240)) as camera:
        capture, pictures = read(camera.address)
        pictures.get(timeout=PATIENCE_S)
        camera.kill()
        wait_for(lambda: capture.ending)
    assert capture.ending.code == "stream_ended"


def test_a_hanging_reader_is_gone_once_it_is_killed(read: Callable) -> None:
    with rtsp_camera(size=(320, 240)) as camera:
        capture, pictures = read(camera.address)
        pictures.get(timeout=PATIENCE_S)
        camera.freeze()
        capture.kill()
        assert not psutil.pid_exists(capture.pid) or psutil.Process(capture.pid).status() == psutil.STATUS_ZOMBIE
        camera.thaw()


def test_garbage_in_the_stream_does_not_stop_the_reader_for_good(read: Callable) -> None:
    with rtsp_camera(fault="garbage", after_frames=20, size=(320, 240)) as camera:
        capture, pictures = read(camera.address)
        pictures.get(timeout=PATIENCE_S)
        wait_for(lambda: capture.ending or pictures.qsize() > 30)


def test_a_clip_plays_over_and_over_at_its_own_speed(read: Callable, tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 20, (64, 48))
    for value in range(8):
        writer.write(np.full((48, 64, 3), value * 30, np.uint8))
    writer.release()
    _, pictures = read(str(path), kind="file")
    times = [pictures.get(timeout=PATIENCE_S).captured_at for _ in range(20)]
    assert times[-1] - times[0] >= 19 / 20 * 0.8


def test_a_file_without_a_picture_is_named(read: Callable, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(os.urandom(5000))
    capture, _ = read(str(tmp_path / "clip.mp4"), kind="file")
    wait_for(lambda: capture.ending)
    assert capture.ending.code == "no_picture"


def test_a_reader_leaves_no_descriptor_behind(read: Callable) -> None:
    process = psutil.Process()
    with rtsp_camera(size=(320, 240)) as camera:
        before = None
        for _ in range(4):
            capture, pictures = read(camera.address)
            pictures.get(timeout=PATIENCE_S)
            capture.kill()
            del capture, pictures
            time.sleep(0.2)
            before = before or process.num_fds()
    assert process.num_fds() <= before + 3
