"""One camera at work: its reader is watched, its newest picture is shown at one pace and looked at, at another.

Three threads, none of which waits for another: `_keep_reading` starts, judges and kills readers; `_show` draws and
publishes; `_look` detects, tracks and analyses. What they share is the newest frame and the newest findings.
"""

from __future__ import annotations

import datetime as dt
import itertools
import logging
import random
import threading
import time
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from streaming import bus
from streaming.capture import Capture, Ending
from streaming.detectors.base import Detector
from streaming.frames import PERSON, VEHICLE, Analyser, Frame, Observation, Track, group_of
from streaming.lettering import drawable
from streaming.masks import PrivacyMasks
from streaming.overlay import LineMark, OverlayModel, ZoneMark, draw_overlay
from streaming.publisher import FramePublisher
from streaming.reader import Order
from streaming.rules import Backoff, Meter, Pace, State, is_hanging, judge_state, tier_size
from streaming.slot import Picture
from streaming.sources import SourceError
from streaming.tracking import Tracker

log = logging.getLogger(__name__)

TICK_S = 0.1
LAST_EVERY_S = 1.0
LAG_LOOKS = 2.0
"""Boxes are drawn while they are younger than two detection intervals: the one they wait for the next look, and the
time that look takes."""

JPEG_QUALITY = 75
"""720p at 75 is about 100 kB; above it people see no difference at a glance."""


@dataclass(frozen=True)
class Setup:
    """Everything the work on one camera needs, as plain values. ``find_order`` checks and resolves the source anew
    for each attempt; it raises `SourceError`."""

    slug: str
    name: str
    zone: zoneinfo.ZoneInfo
    find_order: Callable[[], Order]
    detect_fps: float
    stream_fps: float
    masks: Sequence[Sequence[Sequence[float]]] = ()
    zones: Sequence[ZoneMark] = ()
    lines: Sequence[LineMark] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What the newest look found in the frame captured ``at``; replaced whole. The rest is as in `Analysis`."""

    at: float = 0.0
    tracks: Sequence[Track] = ()
    names: Mapping[int, str] = field(default_factory=dict)
    lines: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    zones: Mapping[str, tuple[int, float | None]] = field(default_factory=dict)

    def count(self, group: str) -> int:
        return sum(track.is_confirmed and group_of(track.label) == group for track in self.tracks)


@dataclass(frozen=True, slots=True)
class Figures:
    """How a camera does at this moment; ``frame_at`` is Unix time, None before the first picture."""

    state: State
    frame_at: float | None
    source_fps: float
    shown_fps: float
    detect_fps: float
    reconnects: int
    last_error: str
    people: int
    vehicles: int


class CameraWork:
    """Runs one camera from `start` to `stop`. ``record`` gets every observation, in this camera's thread."""

    def __init__(
        self,
        setup: Setup,
        detector: Detector,
        publisher: FramePublisher,
        analysers: Sequence[Analyser] = (),
        record: Callable[[Observation], None] = lambda observation: None,
    ) -> None:
        self.setup = setup
        self._detector, self._publisher = detector, publisher
        self._analysers, self._record = tuple(analysers), record
        self._masks, self._tracker = PrivacyMasks(setup.masks), Tracker()
        self._frame: Frame | None = None
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._findings = Findings()
        self._numbers = itertools.count(int(time.time() * 1000))
        self._capture: Capture | None = None
        self._began_at = time.monotonic()
        self._pictured_at: float | None = None
        self._attempts = 0
        self._last_error = ""
        self._said_at = -1.0
        self._shown, self._looked = Meter(), Meter()
        jobs = (self._keep_reading, self._show, self._look)
        self._threads = [threading.Thread(target=job, name=f"{setup.slug}{job.__name__}", daemon=True) for job in jobs]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def adopt(self, setup: Setup, analysers: Sequence[Analyser]) -> None:
        """Go on with other drawings, names and analysers, from the next frame on; the reader stays."""
        self._masks, self._analysers, self.setup = PrivacyMasks(setup.masks), tuple(analysers), setup

    def stop(self) -> None:
        """End the work; returns when the reader is dead and the threads are done, within two seconds."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=2.0)

    @property
    def state(self) -> State:
        return judge_state(time.monotonic(), self._pictured_at, self._began_at)

    def figures(self) -> Figures:
        now, state, capture = time.monotonic(), self.state, self._capture
        is_live = state is State.LIVE
        return Figures(
            state=state,
            frame_at=self._frame.captured_at if self._frame else None,
            source_fps=capture.source_fps if capture and is_live else 0.0,
            shown_fps=self._shown.rate(now),
            detect_fps=self._looked.rate(now),
            reconnects=max(0, self._attempts - 1),
            last_error="" if is_live else self._last_error,
            people=self._findings.count(PERSON) if is_live else 0,
            vehicles=self._findings.count(VEHICLE) if is_live else 0,
        )

    # Reading

    def _keep_reading(self) -> None:
        backoff = Backoff(draw=random.random)
        while not self._stopped.is_set():
            self._attempts += 1
            self._last_error = self._read_once(backoff)
            if not self._stopped.is_set():
                log.info("%s: %s", self.setup.slug, self._last_error)
                self._wait(backoff.lost(time.monotonic()))

    def _read_once(self, backoff: Backoff) -> str:
        """Run one reader until it ends or hangs, and return in words why."""
        try:
            self._capture = capture = Capture(self.setup.find_order(), self._take)
        except SourceError as error:
            return str(error)
        except OSError as error:
            return f"The reader could not be started ({type(error).__name__})."
        try:
            return self._watch_over(capture, time.monotonic(), backoff)
        finally:
            capture.kill()
            self._capture = None

    def _watch_over(self, capture: Capture, started_at: float, backoff: Backoff) -> str:
        while not self._stopped.wait(TICK_S):
            self._say_state_if_not_live()
            if isinstance(capture.ending, Ending):
                return capture.ending.message
            now = time.monotonic()
            if is_hanging(now, started_at, self._pictured_at):
                return "The camera stopped sending pictures."
            if self._pictured_at is not None and self._pictured_at >= started_at:
                backoff.got_frame(now)
        return ""

    def _wait(self, seconds: float) -> None:
        """Let the time between two attempts pass, saying meanwhile that there is no picture."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self._stopped.wait(min(TICK_S, max(0.0, end - time.monotonic()))):
            self._say_state_if_not_live()

    def _take(self, picture: Picture) -> None:
        """Take a picture from the reader: masked before anybody sees it, newest wins."""
        self._masks.apply(picture.image)
        frame = Frame(self.setup.slug, next(self._numbers), picture.captured_at, picture.image)
        with self._changed:
            self._frame, self._pictured_at = frame, time.monotonic()
            self._changed.notify_all()

    def _next_frame(self, after: Frame | None) -> Frame | None:
        """Wait for a frame newer than ``after``; None once the work is stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped.is_set() or self._frame is not after)
            return None if self._stopped.is_set() else self._frame

    # Showing

    def _show(self) -> None:
        frame, pace, kept_at = None, Pace(self.setup.stream_fps), 0.0
        while (frame := self._next_frame(frame)) is not None:
            if not pace.is_due(frame.captured_at):
                continue
            now = time.monotonic()
            self._shown.count(now)
            tiers = self._publisher.watched_tiers(self.setup.slug)
            is_last_due = now - kept_at >= LAST_EVERY_S
            if is_last_due:
                kept_at = now
            self._guard("showing", lambda: self._send(frame, tiers, is_last_due))  # noqa: B023 - called at once

    def _send(self, frame: Frame, tiers: Sequence[str], is_last_due: bool) -> None:
        wanted = [bus.FULL, *tiers] if is_last_due else tiers
        for tier in dict.fromkeys(wanted):
            image = self._draw(frame, tier)
            jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
            header = self._header(tier, frame.sequence, frame.captured_at, size=image.shape[:2])
            if tier in tiers:
                self._publisher.publish(header, jpeg)
            if tier == bus.FULL and is_last_due:
                self._publisher.keep_last(header, jpeg)

    def _draw(self, frame: Frame, tier: str) -> np.ndarray:
        """Return a picture of its own in the size of the tier, with the newest findings on it."""
        height, width = frame.image.shape[:2]
        size = tier_size(tier, width, height)
        image = frame.image.copy() if size == (width, height) else shrink(frame.image, size)
        draw_overlay(image, self._overlay(frame, size[0] / width))
        return image

    def _overlay(self, frame: Frame, ratio: float) -> OverlayModel:
        findings, capture, now = self._findings, self._capture, time.monotonic()
        at = dt.datetime.fromtimestamp(frame.captured_at, self.setup.zone)
        tracks = findings.tracks if self._are_fresh(findings, frame) else ()
        return OverlayModel(
            camera=drawable(self.setup.name) or self.setup.slug,
            local_time=at.strftime("%Y-%m-%d %H:%M:%S"),
            tracks=[replace(track, box=tuple(side * ratio for side in track.box)) for track in tracks],
            names=findings.names,
            zones=[with_people(mark, findings, frame.captured_at) for mark in self.setup.zones],
            lines=[with_counts(mark, findings) for mark in self.setup.lines],
            people=findings.count(PERSON),
            vehicles=findings.count(VEHICLE),
            source_fps=capture.source_fps if capture else None,
            shown_fps=self._shown.rate(now),
        )

    def _are_fresh(self, findings: Findings, frame: Frame) -> bool:
        """Whether boxes still stand where the objects are: on a machine that cannot keep up, none is better."""
        return frame.captured_at - findings.at <= LAG_LOOKS / max(self.setup.detect_fps, 0.1)

    def _say_state_if_not_live(self) -> None:
        """Tell viewers once a second that there is no picture, and why; the receiver dims the last one."""
        now, state = time.monotonic(), self.state
        if state is State.LIVE or now - self._said_at < 1.0:
            return
        self._said_at = now
        at = self._frame.captured_at if self._frame else time.time()
        note = f"try {self._attempts}" if self._attempts > 1 else ""
        for tier in self._publisher.watched_tiers(self.setup.slug):
            self._publisher.publish(replace(self._header(tier, next(self._numbers), at), state=state.value, note=note))

    def _header(self, tier: str, number: int, captured_at: float, size: tuple[int, ...] = (0, 0)) -> bus.Header:
        return bus.Header(
            camera=self.setup.slug,
            tier=tier,
            seq=number,
            captured_at=captured_at,
            sent_at=time.time(),
            width=size[1],
            height=size[0],
        )

    # Looking

    def _look(self) -> None:
        if self.setup.detect_fps <= 0:
            return
        frame, pace = None, Pace(self.setup.detect_fps)
        while (frame := self._next_frame(frame)) is not None:
            if pace.is_due(frame.captured_at):
                self._looked.count(time.monotonic())
                self._guard("looking", lambda: self._look_at(frame))

    def _look_at(self, frame: Frame) -> None:
        tracks = self._tracker.update(self._detector.detect(frame.image), frame.captured_at)
        names, lines, zones = {}, {}, {}
        for analyser in self._analysers:
            analysis = analyser.analyse(frame, tracks)
            names.update(analysis.names)
            lines.update(analysis.lines)
            zones.update(analysis.zones)
            for observation in analysis.observations:
                self._record(observation)
        self._findings = Findings(frame.captured_at, tuple(tracks), names, lines, zones)

    def _guard(self, doing: str, work: Callable[[], None]) -> None:
        """Do the work on one frame; one that fails is stepped over, the camera goes on."""
        try:
            work()
        except Exception:
            log.exception("%s: %s a frame failed; it is stepped over.", self.setup.slug, doing)


def with_counts(mark: LineMark, findings: Findings) -> LineMark:
    """Return a line with what was counted over it, when somebody counts."""
    entries, exits = findings.lines.get(mark.name, (None, None))
    return replace(mark, entries=entries, exits=exits)


def with_people(mark: ZoneMark, findings: Findings, at: float) -> ZoneMark:
    """Return a zone with who is in it and for how long, when somebody watches."""
    people, since = findings.zones.get(mark.name, (None, None))
    return replace(mark, people=people, longest_s=max(0.0, at - since) if since is not None else None)


def shrink(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a smaller copy of a picture; ``size`` is (width, height)."""
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)
