"""Starts the processes of an installation on one machine, watches them, and ends them all when it ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from factoryai.embedded import readiness, valkey
from factoryai.embedded.children import Child, Family
from factoryai.embedded.errors import CannotStartError
from factoryai.embedded.liveness import Listener, PulseSign, Sign, unless_away
from factoryai.settings import env

PROJECT = Path(__file__).resolve().parent.parent.parent
WORKER_OPTIONS = (
    *("--pool", "threads", "--concurrency", "2", "--loglevel", "INFO"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)
TICK_S = 0.25
ROTATE_EVERY_S = 10.0
BROKER_LIMIT_S = 10.0
SOCKET_PATH_LIMIT = 100
"""Linux allows 107 bytes for the path of a unix socket; clients add a little."""
KEPT_FROM_CHILDREN = ("FACTORYAI_ADMIN_PASSWORD", "RTSP_URL")
"""They have become rows in the database and are nobody else's business."""


@dataclass(frozen=True)
class Installation:
    """What is started: where it keeps its data, where it listens, which Redis it was given (None: an own one)."""

    folder: Path
    listener: socket.socket
    redis_url: str | None
    host_names: str | None
    camera_slugs: Sequence[str]

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    @property
    def probe_host(self) -> str:
        """Where this process reaches the web itself."""
        host = self.listener.getsockname()[0]
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


class Supervisor:
    """Runs one `Installation` until it is told to stop."""

    def __init__(self, installation: Installation, say: Callable[[str], None]) -> None:
        self._installation, self._say = installation, say
        self._family = Family(say)
        self.is_stopping = False
        self._socket_folder: Path | None = None
        self._started_at = time.monotonic()
        self._redis_url = installation.redis_url or ""

    def start_broker(self) -> str:
        """Start the own Valkey, or find the given Redis; return in words what it is. Raises `CannotStartError`."""
        given = self._installation.redis_url
        if given:
            if not valkey.answers(given):
                raise CannotStartError("The Redis of REDIS_URL does not answer. Start it, or remove REDIS_URL.")
            return f"{valkey.version(given)}, as REDIS_URL says"
        path = self._place_socket()
        self._redis_url = valkey.url(path)
        try:
            command = valkey.command(valkey.find_server(), path)
        except valkey.NoServerError as error:
            raise CannotStartError(str(error)) from error
        sign = partial(valkey.answers, self._redis_url)
        child = self._child("broker", command, is_ground=True, sign=sign)
        self._family.add(child)
        self._wait_for_broker(child)
        return f"{valkey.version(self._redis_url)}, started here on a private socket"

    def start_rest(self) -> None:
        """Start the web, the jobs, their schedule and the cameras."""
        manage = [sys.executable, str(PROJECT / "manage.py")]
        celery = [sys.executable, "-m", "celery", "--app", "factoryai"]
        listener = self._installation.listener.fileno()
        serve = [*manage, "serve", "--fd", str(listener)]
        self._family.add(self._child("web", serve, descriptors=(listener,), sign=self._web_answers))
        self._add_with_pulse("cameras", [*manage, "run_cameras"])
        self._add_with_pulse("worker", [*celery, "worker", *WORKER_OPTIONS])
        self._add_with_pulse("beat", [*celery, "beat", "--loglevel", "INFO", "--pidfile", ""])

    def run(self) -> None:
        """Watch over the children until `stop` is called."""
        threading.Thread(target=self._report_readiness, daemon=True).start()
        Listener(self._family.signs, self._family.note_sign).start()
        rotate_at = time.monotonic() + ROTATE_EVERY_S
        while not self.is_stopping:
            time.sleep(TICK_S)
            self._family.look_after()
            if time.monotonic() >= rotate_at:
                self._family.rotate_logs()
                rotate_at = time.monotonic() + ROTATE_EVERY_S

    def stop_on_signals(self) -> None:
        """Let Ctrl-C, a closed terminal and ``kill`` end `run`; a second one ends everything at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stop())

    def stop(self) -> None:
        if self.is_stopping:
            self._family.kill()
        self.is_stopping = True

    def end(self) -> None:
        """End every child and remove the socket's folder; under five seconds."""
        self._family.stop()
        if self._socket_folder:
            shutil.rmtree(self._socket_folder, ignore_errors=True)

    def _add_with_pulse(self, name: str, command: Sequence[str]) -> None:
        """Start a child whose main loop touches a file, which it may not while the broker is away."""
        pulse = self._installation.folder / "pulse" / name
        pulse.parent.mkdir(mode=0o700, exist_ok=True)
        sign = unless_away(PulseSign(pulse), partial(valkey.answers, self._redis_url))
        self._family.add(self._child(name, command, sign=sign, environment={"FACTORYAI_PULSE": str(pulse)}))

    def _child(
        self,
        name: str,
        command: Sequence[str],
        *,
        sign: Sign,
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
        is_ground: bool = False,
    ) -> Child:
        log = self._installation.folder / "logs" / f"{name}.log"
        own = {**self._environment(), **(environment or {})}
        return Child(name, command, log, own, descriptors, is_ground, sign)

    def _environment(self) -> Mapping[str, str]:
        """Return the environment of the children: this one's, with what they share spelt out."""
        shared = {
            "FACTORYAI_DATA_DIR": str(self._installation.folder),
            "REDIS_URL": self._redis_url,
            "DJANGO_SETTINGS_MODULE": "factoryai.settings",
            "PYTHONUNBUFFERED": "1",
            "PYTHONFAULTHANDLER": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH", "")])),
        }
        if self._installation.host_names:
            shared["FACTORYAI_HOSTS"] = self._installation.host_names
        kept = {name: value for name, value in os.environ.items() if name not in KEPT_FROM_CHILDREN}
        return {**kept, **shared}

    def _place_socket(self) -> Path:
        """Return where Valkey's socket goes: the data folder, or a private one with a shorter name."""
        path = self._installation.folder / "valkey.sock"
        if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
            return path
        self._socket_folder = Path(tempfile.mkdtemp(prefix="factoryai-"))
        return self._socket_folder / "valkey.sock"

    def _wait_for_broker(self, child: Child) -> None:
        deadline = time.monotonic() + BROKER_LIMIT_S
        while not valkey.answers(self._redis_url):
            if not child.is_running or time.monotonic() > deadline:
                raise CannotStartError(f"Valkey does not start. {child.log}: {child.last_words()}")
            time.sleep(0.02)

    def _report_readiness(self) -> None:
        """Say when the web and the first pictures are there, and after a while what is still missing.

        Runs in a thread of its own: what it asks may be slow to answer, and Ctrl-C must not wait for that.
        """
        awaited, web_is_there = list(self._installation.camera_slugs), False
        report = readiness.Report(self._installation.folder / "logs")
        while not (self.is_stopping or report.is_over):
            web_is_there = web_is_there or self._web_answers()
            awaited = readiness.cameras_without_picture(self._redis_url, awaited)
            if words := report.next_words(time.monotonic() - self._started_at, web_is_there, awaited):
                self._say(words)
            time.sleep(TICK_S)

    def _web_answers(self) -> bool:
        place = self._installation
        name = (place.host_names or env.text("FACTORYAI_HOSTS", "localhost")).split(",")[0].strip()
        return readiness.web_answers(place.probe_host, place.port, name)
