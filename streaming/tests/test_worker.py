"""One camera at work, from a real RTSP server to a real Redis: live, frozen, gone, back, poisoned, watched or not."""

from __future__ import annotations

import dataclasses
import threading
import time
import zoneinfo
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
import psutil
import pytest
import redis
from django.conf import settings

from streaming import bus
from streaming.frames import Analysis, Detection, Frame, Observation, Track
from streaming.overlay import LineMark, ZoneMark
from streaming.publisher import FramePublisher
from streaming.reader import Order
from streaming.rules import State
from streaming.worker import CameraWork, Findings, Setup, with_counts, with_people
from tests.rtsp import TestCamera, rtsp_camera

pytestmark = pytest.mark.system

SLUG = "dock"
PATIENCE_S = 40
SEEN = Detection("person", 0.9, (100.0, 60.0, 160.0, 220.0))


class StillDetector:
    """Sees one person who never moves, and can be told to fail."""

    is_broken = False

    def detect(self, image: np.ndarray) -> list[Detection]:
        if self.is_broken:
            raise ZeroDivisionError
        return [SEEN]


class Witness:
    """Names every track and observes every frame once."""

    def analyse(self, frame: Frame, tracks: Sequence[Track]) -> Analysis:
        seen = Observation("seen", frame.camera, frame.captured_at, {"tracks": len(tracks)})
        return Analysis([seen], {track.id: "Asha" for track in tracks})


class Viewer:
    """Subscribes to one tier and keeps what comes."""

    def __init__(self, tier: str) -> None:
        self.messages: list[tuple[float, bus.Header, bytes]] = []
        self._redis = redis.Redis.from_url(settings.REDIS_URL)
        self._pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
        self._pubsub.subscribe(bus.channel(SLUG, tier))
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._is_over.is_set():
            message = self._pubsub.get_message(timeout=0.2)
            if message:
                self.messages.append((time.time(), *bus.decode_message(message["data"])))

    def leave(self) -> None:
        self._is_over.set()
        self._thread.join()
        self._pubsub.close()
        self._redis.close()

    @property
    def pictures(self) -> list[bus.Header]:
        return [header for _, header, jpeg in self.messages if jpeg]


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


@pytest.fixture
def camera() -> Iterator[TestCamera]:
    with rtsp_camera(size=(640, 360), fps=15) as camera:
        yield camera


@pytest.fixture
def publisher() -> Iterator[FramePublisher]:
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    publisher = FramePublisher(settings.REDIS_URL)
    publisher.follow({SLUG: time.time() + 3600})
    publisher.start()
    yield publisher
    publisher.stop()


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    viewer = Viewer(bus.FULL)
    yield viewer
    viewer.leave()


@pytest.fixture
def begin(camera: TestCamera, publisher: FramePublisher) -> Iterator[Callable[..., CameraWork]]:
    """Start the work on the camera, with changes to its set-up."""
    started: list[CameraWork] = []

    def start(
        *, detector: object = None, analysers: tuple = (), record: object = None, **changes: object
    ) -> CameraWork:
        setup = Setup(
            slug=SLUG,
            name="Dock",
            zone=zoneinfo.ZoneInfo("Asia/Kolkata"),
            find_order=lambda: Order("rtsp", camera.address, "", "", 15, -1),
            detect_fps=5,
            stream_fps=10,
        )
        work = CameraWork(
            dataclasses.replace(setup, **changes),
            detector or StillDetector(),
            publisher,
            analysers,
            record or (lambda observation: None),
        )
        started.append(work)
        work.start()
        return work

    yield start
    for work in started:
        work.stop()


def readers() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if child.is_running() and "streaming.reader" in " ".join(child.cmdline())]


def test_pictures_are_published_live_with_what_was_found(begin: Callable, viewer: Viewer) -> None:
    work = begin()
    wait_for(lambda: len(viewer.pictures) >= 20 and work.figures().people == 1)
    figures = work.figures()
    assert (figures.state, figures.people, figures.vehicles, figures.last_error) == (State.LIVE, 1, 0, "")
    sequence = [header.seq for header in viewer.pictures]
    assert sequence == sorted(set(sequence))
    assert {(h.state, h.width, h.height) for h in viewer.pictures} == {("live", 640, 360)}


def test_the_box_is_drawn_on_the_picture_that_is_shown(begin: Callable, viewer: Viewer) -> None:
    work = begin(stream_fps=5)
    wait_for(lambda: work.figures().people == 1)
    count = len(viewer.messages)
    wait_for(lambda: len(viewer.messages) > count + 3)
    assert has_green_edge(viewer.messages[-1][2])


def has_green_edge(jpeg: bytes) -> bool:
    """Whether the left side of the box that `StillDetector` sees is drawn."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    edge = image[140, 95:106].astype(int)
    return (edge[:, 1] - edge[:, 2]).max() > 40


def test_nothing_is_encoded_for_nobody_but_the_last_picture_once_a_second(begin: Callable) -> None:
    begin()
    client = redis.Redis.from_url(settings.REDIS_URL)
    wait_for(lambda: client.get(bus.last_key(SLUG)))
    times = set()
    end = time.monotonic() + 4
    while time.monotonic() < end:
        times.add(bus.decode_message(client.get(bus.last_key(SLUG)))[0].captured_at)
        time.sleep(0.05)
    assert 2 <= len(times) <= 6
    assert not client.pubsub_channels("frames:*")


def test_each_watched_tier_gets_its_own_size(begin: Callable) -> None:
    begin()
    viewers = {tier: Viewer(tier) for tier in bus.TIERS}
    try:
        wait_for(lambda: all(len(viewer.pictures) > 2 for viewer in viewers.values()))
        assert {tier: viewer.pictures[-1].width for tier, viewer in viewers.items()} == {
            "full": 640,
            "medium": 640,
            "tile": 320,
        }
    finally:
        for viewer in viewers.values():
            viewer.leave()


def test_a_frozen_camera_is_stale_within_seconds_its_reader_killed_and_the_picture_returns(
    begin: Callable, camera: TestCamera, viewer: Viewer
) -> None:
    work = begin()
    wait_for(lambda: viewer.pictures)
    hanging = readers()
    camera.freeze()
    frozen_at = time.time()
    wait_for(lambda: work.state is State.STALE)
    wait_for(lambda: any(header.state == "stale" for _, header, _ in viewer.messages))
    told_at = next(at for at, header, _ in viewer.messages if header.state == "stale")
    wait_for(lambda: not any(process.is_running() for process in hanging))
    killed_at = time.time()
    camera.thaw()
    wait_for(lambda: work.state is State.LIVE)
    assert 1.5 <= told_at - frozen_at <= 4
    assert 4 <= killed_at - frozen_at <= 8
    assert work.figures().reconnects >= 1


def test_a_camera_that_is_switched_off_says_why_and_returns(begin: Callable, camera: TestCamera) -> None:
    work = begin()
    wait_for(lambda: work.state is State.LIVE)
    camera.kill()
    wait_for(lambda: work.state is State.STALE and "refuses the connection" in work.figures().last_error)
    camera.restart()
    wait_for(lambda: work.state is State.LIVE)
    assert work.figures().last_error == ""


def test_a_masked_part_is_black_before_anybody_sees_it(begin: Callable, viewer: Viewer) -> None:
    seen: list[np.ndarray] = []

    class Eye(StillDetector):
        def detect(self, image: np.ndarray) -> list[Detection]:
            seen.append(image[200:340, 400:620].copy())
            return []

    begin(detector=Eye(), masks=[[[0.6, 0.5], [1, 0.5], [1, 1], [0.6, 1]]])
    wait_for(lambda: len(viewer.pictures) > 3 and len(seen) > 3)
    assert not any(part.any() for part in seen)
    image = cv2.imdecode(np.frombuffer(viewer.messages[-1][2], np.uint8), cv2.IMREAD_COLOR)
    assert image[210:340, 410:620].max() < 16


def test_a_failing_detector_does_not_stop_the_picture(begin: Callable, viewer: Viewer) -> None:
    detector = StillDetector()
    detector.is_broken = True
    work = begin(detector=detector)
    wait_for(lambda: len(viewer.pictures) > 10)
    detector.is_broken = False
    wait_for(lambda: work.figures().people == 1)


def test_what_an_analyser_observes_is_recorded_once_each(begin: Callable) -> None:
    recorded: list[Observation] = []
    begin(analysers=(Witness(),), record=recorded.append)
    wait_for(lambda: len(recorded) > 5)
    times = [observation.captured_at for observation in recorded]
    assert times == sorted(set(times))


def test_stopping_leaves_no_reader(begin: Callable) -> None:
    work = begin()
    wait_for(lambda: work.state is State.LIVE)
    work.stop()
    assert readers() == []


def test_a_slow_detector_neither_slows_the_picture_nor_leaves_old_boxes_on_it(begin: Callable, viewer: Viewer) -> None:
    class Slow(StillDetector):
        def detect(self, image: np.ndarray) -> list[Detection]:
            time.sleep(1.0)
            return super().detect(image)

    begin(detector=Slow())
    wait_for(lambda: len(viewer.pictures) > 40)
    ages = [header.sent_at - header.captured_at for header in viewer.pictures]
    assert float(np.median(ages)) < 0.5
    assert not any(has_green_edge(jpeg) for _, _, jpeg in viewer.messages if jpeg)


def test_a_redis_that_is_not_there_costs_the_camera_nothing(camera: TestCamera) -> None:
    publisher = FramePublisher("redis://127.0.0.1:1/0")
    publisher.start()
    setup = Setup(
        slug=SLUG,
        name="Dock",
        zone=zoneinfo.ZoneInfo("UTC"),
        find_order=lambda: Order("rtsp", camera.address, "", "", 15, -1),
        detect_fps=5,
        stream_fps=10,
    )
    work = CameraWork(setup, StillDetector(), publisher)
    work.start()
    try:
        wait_for(lambda: work.figures().people == 1 and work.figures().shown_fps > 5)
    finally:
        work.stop()
        publisher.stop()


def test_what_an_analyser_counted_is_drawn_at_its_line_and_zone():
    found = Findings(at=1000.0, lines={"Door": (5, 2)}, zones={"Bay": (1, 940.0), "Empty": (0, None)})
    marks = [with_counts(LineMark(name, ()), found) for name in ("Door", "Window")]
    assert [(mark.entries, mark.exits) for mark in marks] == [(5, 2), (None, None)]
    zones = [with_people(ZoneMark(name, ()), found, 1000.0) for name in ("Bay", "Empty", "Other")]
    assert [(mark.people, mark.longest_s) for mark in zones] == [(1, 60.0), (0, None), (None, None)]
