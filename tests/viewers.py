"""Many MJPEG viewers in one thread of one process: reads parts, notes when each came and how old it was."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

READ_BYTES = 262_144


@dataclass
class Viewer:
    """One connection. ``rate`` limits its reading in bytes a second; 0 stops reading after the first bytes."""

    port: int
    request: bytes
    rate: float | None = None
    receive_buffer: int | None = None
    arrivals: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    take: Callable[[bytes, float], None] | None = None
    """Called with each JPEG and the Unix time at which its last byte came."""
    read_bytes: int = 0
    is_open: bool = True
    ended_at: float | None = None

    def __post_init__(self) -> None:
        self.socket = socket.socket()
        if self.receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", self.port))
        self.socket.sendall(self.request)
        self.socket.setblocking(False)
        self._head, self._body_left = b"", 0
        self._body = bytearray()
        self._captured_at, self._state = 0.0, ""
        self._budget, self._refilled_at = 0.0, time.monotonic()

    def close(self) -> None:
        self.socket.close()

    def read(self) -> None:
        """Take what is there, within the rate."""
        size = READ_BYTES if self.rate is None else self._refill()
        if size <= 0:
            return
        try:
            data = self.socket.recv(size)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.is_open, self.ended_at = False, time.monotonic()
            return
        self._budget -= len(data)
        self.read_bytes += len(data)
        self._feed(data)

    def _refill(self) -> int:
        now = time.monotonic()
        self._budget = min(self._budget + (now - self._refilled_at) * self.rate, self.rate * 0.2)
        self._refilled_at = now
        return int(self._budget) if self._budget >= min(4096, self.rate * 0.2) else 0

    def _feed(self, data: bytes) -> None:
        while data:
            if self._body_left:
                taken = min(self._body_left, len(data))
                if self.take is not None:
                    self._body += data[:taken]
                self._body_left -= taken
                data = data[taken:]
                if not self._body_left:
                    self._arrived()
                continue
            self._head += data
            data = self._take_head()

    def _take_head(self) -> bytes:
        """Look for the end of a part's header; return what follows it, nothing when it is not there yet."""
        start = self._head.find(b"Content-Length:")
        end = self._head.find(b"\r\n\r\n", start) if start >= 0 else -1
        if end < 0:
            return b""
        fields = dict(line.split(b": ", 1) for line in self._head[start:end].split(b"\r\n") if b": " in line)
        self._body_left = int(fields[b"Content-Length"])
        self._captured_at = float(fields.get(b"X-Timestamp", b"0"))
        self._state = fields.get(b"X-State", b"").decode()
        rest, self._head = self._head[end + 4 :], b""
        return rest

    def _arrived(self) -> None:
        now = time.time()
        self.arrivals.append(now)
        if self._captured_at:  # other servers do not say when the picture was taken
            self.ages.append(now - self._captured_at)
        self.states.append(self._state)
        if self.take is not None:
            self.take(bytes(self._body), now)
            self._body.clear()


def watch(viewers: Sequence[Viewer], seconds: float) -> None:
    """Read all viewers for a while. One that stops reading (``rate`` 0) is looked at only for its end."""
    reading = [viewer for viewer in viewers if viewer.rate is None and viewer.is_open]
    paced = [viewer for viewer in viewers if viewer.rate]
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for viewer in reading:
            selector.register(viewer.socket, selectors.EVENT_READ, viewer)
        while time.monotonic() < until:
            for key, _ in selector.select(0.01):
                key.data.read()
                if not key.data.is_open:
                    selector.unregister(key.fileobj)
            for viewer in paced:
                if viewer.is_open:
                    viewer.read()


def feed_request(path: str, cookie: str = "") -> bytes:
    """Return the bytes of a GET request."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *([f"Cookie: {cookie}"] if cookie else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
