"""A test camera as tests hold it: a real RTSP server in its own process, to be killed, frozen and started again."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
READY_S = 20


@dataclass(frozen=True, slots=True)
class CameraSpec:
    """How a test camera is: who serves it, what it sees, who may watch, what is wrong with it.

    ``server``: ``jpeg`` (our own, knows every fault) or ``gst`` (Debian's gst-rtsp-server, H.264, no faults).
    ``picture``: ``blocks``, ``still``, ``timecode`` or ``clip``; a ``clip`` path implies the last. ``size`` is
    (width, height). ``fault`` is one of `tests.rtsp.faults.FAULTS`.
    """

    server: str = "jpeg"
    picture: str = "blocks"
    clip: Path | str | None = None
    size: tuple[int, int] = (1280, 720)
    fps: float = 25
    user: str = ""
    password: str = ""
    auth: str = "digest"
    fault: str = ""
    after_frames: int = 50
    bytes_per_s: int = 300_000
    redirect_to: str = ""

    def command(self, port: int) -> list[str]:
        return [*self._program(), "--port", str(port), *self._view(), *self._gate(), *self._faults()]

    def _program(self) -> list[str]:
        if self.server == "gst":
            # Here, because the GStreamer server imports this package under a Python without pytest.
            from tests.needs import needs_gstreamer

            return [str(needs_gstreamer()), "-m", "tests.rtsp.gst_server"]
        return [sys.executable, "-m", "tests.rtsp.jpeg_server"]

    def _view(self) -> list[str]:
        size = "x".join(map(str, self.size))
        seen = ["--picture", "clip", "--clip", str(self.clip)] if self.clip else ["--picture", self.picture]
        return [*seen, "--size", size, "--fps", str(self.fps)]

    def _gate(self) -> list[str]:
        return ["--user", self.user, "--password", self.password, "--auth", self.auth] if self.user else []

    def _faults(self) -> list[str]:
        if self.server == "gst" and self.fault:
            raise ValueError("the GStreamer camera knows no faults: ask for server='jpeg'")
        if not self.fault:
            return []
        figures = ["--after-frames", str(self.after_frames), "--bytes-per-s", str(self.bytes_per_s)]
        return ["--fault", self.fault, *figures, "--redirect-to", self.redirect_to]


class TestCamera:
    """A running camera. ``address`` is its URL, ``url`` the same with user and password in it."""

    __test__ = False

    def __init__(self, spec: CameraSpec) -> None:
        self.spec, self.port = spec, 0
        self.process: subprocess.Popen | None = None

    @property
    def address(self) -> str:
        return f"rtsp://{HOST}:{self.port}/cam"

    @property
    def url(self) -> str:
        if not self.spec.user:
            return self.address
        login = f"{quote(self.spec.user, safe='')}:{quote(self.spec.password, safe='')}"
        return self.address.replace("://", f"://{login}@")

    def start(self) -> None:
        """Start the server and wait until it listens. Raises RuntimeError when it does not within `READY_S`."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(self.spec.command(self.port), cwd=ROOT, text=True, **pipes)
        line = _first_line(self.process)
        if not line.startswith("ready "):
            self.kill()
            raise RuntimeError(f"the {self.spec.server} camera did not start: {line.strip() or 'it said nothing'}")
        self.port = int(line.split()[1])

    def kill(self) -> None:
        """End the server at once, as a cut power cable does; its sockets close. Harmless when it is dead."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def freeze(self) -> None:
        """Stop the server with its sockets open: nothing comes, nothing is closed."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def restart(self, **changes: Any) -> None:
        """Kill the server and start it again on the same port, with ``changes`` to its `CameraSpec`."""
        self.kill()
        self.spec = replace(self.spec, **changes)
        self.start()


@contextmanager
def rtsp_camera(**spec: Any) -> Iterator[TestCamera]:
    """Run a camera as `CameraSpec` says: ``with rtsp_camera(picture="timecode", fps=10) as camera: camera.url``."""
    camera = TestCamera(CameraSpec(**spec))
    try:
        camera.start()
        yield camera
    finally:
        camera.kill()


def _first_line(process: subprocess.Popen) -> str:
    """Return the first line the process writes; empty when it ends or `READY_S` pass first."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
    try:
        return lines.get(timeout=READY_S)
    except queue.Empty:
        return ""
