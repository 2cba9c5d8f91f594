"""The camera process: takes cameras by lease, starts and ends the work on each, keeps their state in the database.

The database may go away at any time: the cameras that are running go on, and what they see waits. When the leases
cannot be renewed within their term and another process shows a camera, it is given up here; whose the waiting facts are
is settled when the database is back (`streaming.tenure`).
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import socket
import threading
import time
import uuid
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.db.models import Q
from django.utils import timezone

from factoryai import pulse
from streaming.detectors.base import Detector
from streaming.drawings import check_lines, check_masks, check_zones
from streaming.frames import Analyser, Observation
from streaming.models import Camera
from streaming.overlay import LineMark, ZoneMark
from streaming.publisher import FramePublisher
from streaming.reader import Order
from streaming.rules import Notice, OutageWatch, State
from streaming.services import (
    SURE,
    Lease,
    allowance,
    keep_status,
    lease_cameras,
    outage_key,
    release_cameras,
    tell_outage,
)
from streaming.sources import Source, parse_source, resolve
from streaming.tenure import Tenures
from streaming.worker import CameraWork, Figures, Setup

log = logging.getLogger(__name__)

UPKEEP_EVERY_S = 1.0
STATUS_EVERY_S = 2.0

AnalysersFor = Callable[[Camera], Sequence[Analyser]]


@dataclass(frozen=True, slots=True)
class Unworkable:
    """Stands for the work on a camera whose row makes no sense; the others go on."""

    reason: str

    def figures(self) -> Figures:
        return Figures(State.OFFLINE, None, 0.0, 0.0, 0.0, 0, self.reason, 0, 0)

    def start(self) -> None:
        """Nothing runs."""

    def stop(self) -> None:
        """Nothing runs."""


@dataclass(slots=True)
class _Held:
    """One camera this process works on. ``version`` tells whether its row has changed since."""

    camera: Camera
    version: tuple[object, ...]
    work: CameraWork | Unworkable
    outage: OutageWatch


class Fleet:
    """Every camera of one process, from `run` until `stop`."""

    def __init__(
        self,
        detector: Detector,
        publisher: FramePublisher,
        *,
        analysers_for: AnalysersFor = lambda camera: (),
        record: Callable[[Observation], None] = lambda observation: None,
        among: Q | None = None,
        limit: int | None = None,
        tenures: Tenures | None = None,
        clock: Callable[[], dt.datetime] = timezone.now,
    ) -> None:
        self._tenures, self._clock = tenures or Tenures(), clock
        self._detector, self._publisher = detector, publisher
        self._analysers_for, self._record, self._among, self._limit = analysers_for, record, among, limit
        self.worker = f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._held: dict[int, _Held] = {}
        self._stopped = threading.Event()
        self._status_at = 0.0
        self._is_database_away = False

    def run(self) -> None:
        """Work until `stop` is called, then end every camera and give the leases back."""
        self._publisher.start()
        try:
            while not self._stopped.wait(self.upkeep()):
                pass
        finally:
            self._end()

    def stop(self) -> None:
        self._stopped.set()

    def upkeep(self) -> float:
        """Do one round and return how long to wait for the next."""
        began_at = time.monotonic()
        pulse.beat()
        try:
            close_old_connections()
            at = self._clock()
            self._match(lease_cameras(worker=self.worker, at=at, among=self._among, limit=self._limit), at)
            self._watch_outages()
            if began_at - self._status_at >= STATUS_EVERY_S:
                self._status_at = began_at
                figures = {key: held.work.figures() for key, held in self._held.items()}
                keep_status(worker=self.worker, figures=figures, at=self._clock())
            self._note_database(is_away=False)
        except (DatabaseError, InterfaceError):
            self._note_database(is_away=True)
            self._yield_what_others_show()
        return max(0.05, UPKEEP_EVERY_S - (time.monotonic() - began_at))

    def _note_database(self, *, is_away: bool) -> None:
        if is_away and not self._is_database_away:
            log.warning("The database does not answer; %d cameras go on as they are.", len(self._held))
        elif not is_away and self._is_database_away:
            log.info("The database is back.")
        self._is_database_away = is_away

    def _match(self, leases: Sequence[Lease], at: dt.datetime) -> None:
        """Start the work on cameras that came, end it on those that went, and begin anew where a row has changed."""
        wanted = {lease.camera.pk: lease.camera for lease in leases}
        for lease in leases:
            self._note_lease(lease, at)
        for key in [key for key in self._held if key not in wanted]:
            self._give_up(key)
        self._follow()
        for key, camera in wanted.items():
            held = self._held.get(key)
            if held is None:
                self._take(camera)
            elif held.version != version_of(camera):
                self._change(held, camera)
        self._follow()

    def _note_lease(self, lease: Lease, at: dt.datetime) -> None:
        until = (at + SURE).timestamp()
        self._tenures.renew(lease.camera.slug, at=at.timestamp(), until=until, is_same=lease.is_renewed)

    def _follow(self) -> None:
        slugs = [held.camera.slug for held in self._held.values()]
        self._publisher.follow({slug: self._tenures.sure_until(slug) for slug in slugs})

    def _yield_what_others_show(self) -> None:
        """Give up cameras that another process shows since the leases here ran out; they return by a lease."""
        for key in [key for key, held in self._held.items() if self._publisher.is_elsewhere(held.camera.slug)]:
            log.warning("%s: another process has taken it over.", self._held[key].camera.slug)
            self._give_up(key)
        self._follow()

    def _take(self, camera: Camera) -> None:
        was_told = camera.site.alerts.still_open().filter(key=outage_key(camera)).exists()
        outage = OutageWatch(time.monotonic(), is_reported=was_told)
        self._held[camera.pk] = _Held(camera, version_of(camera), self._make_work(camera), outage)
        self._held[camera.pk].work.start()
        log.info("%s: taken.", camera.slug)

    def _make_work(self, camera: Camera) -> CameraWork | Unworkable:
        try:
            setup, analysers = setup_of(camera), self._analysers_for(camera)
            return CameraWork(setup, self._detector, self._publisher, analysers, self._record)
        except Exception as error:  # whatever is wrong with one row, the other cameras go on
            log.exception("%s cannot be worked on as it is set up.", camera.slug)
            return Unworkable(f"This camera cannot be worked on as it is set up: {error}")

    def _change(self, held: _Held, camera: Camera) -> None:
        """Take over a changed row: its drawings and names at once, anything about the source by starting anew."""
        is_same_source = source_of(held.camera) == source_of(camera)
        if not (is_same_source and isinstance(held.work, CameraWork)):
            self._drop(camera.pk)
            self._take(camera)
            return
        try:
            held.work.adopt(setup_of(camera), self._analysers_for(camera))
        except (ValueError, KeyError, TypeError):
            self._drop(camera.pk)
            self._take(camera)
            return
        held.camera, held.version = camera, version_of(camera)

    def _drop(self, key: int) -> None:
        pulse.beat()  # ending many takes seconds each
        self._held.pop(key).work.stop()

    def _give_up(self, key: int) -> None:
        slug = self._held[key].camera.slug
        self._tenures.end(slug)
        self._drop(key)
        log.info("%s: given up.", slug)

    def _watch_outages(self) -> None:
        for held in self._held.values():
            figures = held.work.figures()
            notice = held.outage.look(State(figures.state), time.monotonic())
            if notice is not None:
                self._tell(held, notice, figures.last_error)

    @staticmethod
    def _tell(held: _Held, notice: Notice, reason: str) -> None:
        try:
            tell_outage(camera=held.camera, notice=notice, reason=reason, at=timezone.now())
        except (DatabaseError, InterfaceError):
            held.outage.is_reported = not held.outage.is_reported  # not told: said again at the next look
            raise

    def _end(self) -> None:
        stopping = [threading.Thread(target=held.work.stop) for held in self._held.values()]
        for thread in stopping:
            thread.start()
        for thread in stopping:
            thread.join()
        self._publisher.stop()
        try:
            release_cameras(worker=self.worker)
        except (DatabaseError, InterfaceError):
            log.warning("The leases could not be given back; they end by themselves.")


def version_of(camera: Camera) -> tuple[object, ...]:
    return camera.updated_at, camera.site.timezone


def source_of(camera: Camera) -> tuple[object, ...]:
    """What a reader or the rhythm of the work depends on: a change of it needs a new reader."""
    return camera.address, camera.username, camera.password, camera.stream_fps, camera.detect_fps


def setup_of(camera: Camera) -> Setup:
    """Turn a camera's row into the plain values its work needs. Raises ValueError for drawings that make no sense."""
    return Setup(
        slug=camera.slug,
        name=camera.name,
        zone=zoneinfo.ZoneInfo(camera.site.timezone),
        find_order=lambda: find_order(camera),
        detect_fps=camera.detect_fps,
        stream_fps=camera.stream_fps,
        masks=check_masks(camera.privacy_masks),
        zones=[ZoneMark(zone["name"], zone["points"]) for zone in check_zones(camera.zones)],
        lines=[LineMark(line["name"], line["points"]) for line in check_lines(camera.lines)],
    )


def find_order(camera: Camera) -> Order:
    """Check and resolve a camera's source as of now; raises `streaming.sources.SourceError`."""
    source = parse_source(camera.address, allowance())
    login = replace(source, username=camera.username, password=camera.password)
    return order_for(login, fps=max(camera.stream_fps, camera.detect_fps))


def order_for(source: Source, *, fps: float) -> Order:
    """Turn a checked source into a reader's order, its host resolved; raises `streaming.sources.SourceError`."""
    name = source.address.partition(":")[2]
    targets = {
        "rtsp": lambda: resolve(source, settings.CAMERA_NETWORKS),
        "file": lambda: str(settings.CLIPS_DIR / name),
        "demo": lambda: name,
    }
    target = targets[source.kind]()
    return Order(source.kind, target, source.username, source.password, fps, descriptor=-1)
