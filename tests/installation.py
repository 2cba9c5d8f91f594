"""A whole installation, started by `manage.py up` as a person would, on a folder and a port of its own."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parent.parent
ADMIN_PASSWORD = "correct horse 42"
PATIENCE_S = 120
"""How long the slowest machine may take; nothing is judged by it."""
OWN_SETTINGS = ("FACTORYAI_", "DATABASE_URL", "REDIS_URL", "RTSP_URL", "AWS_")


class Installation:
    """One `manage.py up`. Use it as a context manager: whatever happens, nothing of it stays."""

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.folder, self.port = folder, free_port()
        self._options, self._environment = options, environment or {}
        self._output = folder.parent / f"{folder.name}-{self.port}.out"
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Installation:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for process in self.processes():
            process.kill()

    def start(self) -> None:
        """Start it; returns at once."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OWN_SETTINGS)}
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "up",
                    "--data-dir",
                    self.folder,
                    "--port",
                    str(self.port),
                    *self._options,
                ],
                cwd=PROJECT,
                env={**inherited, "FACTORYAI_ADMIN_PASSWORD": ADMIN_PASSWORD, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self._output.read_text(errors="replace")

    def wait_until_it_says(self, words: str) -> None:
        """Wait for ``words`` on the console; fails with everything it said and logged when it ends before."""
        self.wait_until(lambda: words in self.said, f"it never said {words!r}")

    def wait_until(self, condition: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            is_over = self.process.poll() is not None or time.monotonic() > deadline
            assert not is_over, f"{complaint}\n{self.said}\n{self.logs()}"
            time.sleep(0.05)

    def logs(self) -> str:
        """Return the ends of all logs."""
        found = sorted((self.folder / "logs").glob("*.log"))
        return "\n".join(f"== {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in found)

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def processes(self) -> list[psutil.Process]:
        """Return every process of this installation, known by its data folder, and what those have started."""
        found = {process.pid: process for process in psutil.process_iter() if self._belongs(process)}
        for process in list(found.values()):
            found.update({child.pid: child for child in _descendants(process)})
        return list(found.values())

    def password_of(self, username: str) -> str:
        """Return the password that was printed for a person."""
        return re.search(rf"^ +{username} +(\S+)", self.said, re.MULTILINE)[1]

    def token(self, username: str, password: str) -> str:
        """Log in as a program does."""
        body = json.dumps({"username": username, "password": password})
        status, answer = self.ask("POST", "/api/v1/auth/token", body, {"Content-Type": "application/json"})
        assert status == 200, answer
        return json.loads(answer)["access"]

    def ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Send one request; return the status and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body or None, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def pictures(self, path: str, token: str) -> Iterator[bytes]:
        """Yield the pictures of a stream as a browser gets them."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            assert response.status == 200, response.read(500)
            assert response.getheader("Content-Type", "").startswith("multipart/x-mixed-replace")
            while True:
                yield _next_part(response)
        finally:
            connection.close()

    def _belongs(self, process: psutil.Process) -> bool:
        try:
            is_alive = process.status() != psutil.STATUS_ZOMBIE
            return is_alive and process.environ().get("FACTORYAI_DATA_DIR") == str(self.folder)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _next_part(response: http.client.HTTPResponse) -> bytes:
    """Read one part: its headers up to the empty line, then as many bytes as they say."""
    length = 0
    while line := response.readline().strip() or not length:
        if isinstance(line, bytes) and line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return response.read(length)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
