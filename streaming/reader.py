"""The process that reads one camera: `python -m streaming.reader`, without Django, made to be killed.

It gets one line of JSON on its standard input (the only place where the password appears), puts pictures into the
memory whose descriptor it inherited, and says one short line for each on its standard output:

``F <sequence> <captured_at>``  a picture is in the slot
``S <fps>``                     how many pictures a second the source gives
``E <code> <text>``             why it ends

It ends when its standard input closes, so it never outlives the camera process.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FFMPEG_OPTIONS = {
    "rtsp_transport": "tcp",
    "fflags": "nobuffer",
    "flags": "low_delay",
    "max_delay": "0",
    "analyzeduration": "500000",
}
PROTOCOLS = {"rtsp": "rtsp,rtp,udp,tcp,tls,srtp", "demo": "file", "file": "file"}
"""What FFmpeg may open for each kind of source; everything else it refuses by itself."""

OPEN_TIMEOUT_MS = 1500
READ_TIMEOUT_MS = 8000
"""A camera that is silent for a moment is not left: the watchdog of the camera process decides, and kills. FFmpeg
below OpenCV may wait three times as long as it is told (measured: 2,000 ms took 6.0 s)."""


class ReadError(Exception):
    """The source gives no more pictures; ``code`` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Order:
    """What to read: ``kind`` rtsp, demo or file; ``target`` the resolved address, the scene, or the file's path."""

    kind: str
    target: str
    username: str
    password: str
    fps: float
    descriptor: int


class Speaker:
    """Writes lines that are shorter than a pipe's atomic size, so a kill never leaves half of one to be believed."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor

    def frame(self, sequence: int, captured_at: float) -> None:
        self._say(f"F {sequence} {captured_at:.6f}")

    def source_fps(self, fps: float) -> None:
        self._say(f"S {fps:.2f}")

    def end(self, code: str, text: str) -> None:
        self._say(f"E {code} {text}")

    def _say(self, line: str) -> None:
        os.write(self._descriptor, line.encode()[:500] + b"\n")


def main() -> None:
    _end_with_parent()
    order = Order(**json.loads(sys.stdin.readline()))
    speaker = Speaker()
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        read(order, speaker)
    except ReadError as error:
        speaker.end(error.code, str(error))
    except (OSError, ValueError, MemoryError) as error:
        speaker.end("reader_failed", type(error).__name__)


def _end_with_parent() -> None:
    """Ask Linux to kill this process when the one that started it dies; elsewhere the closed input does it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _end_with_input() -> None:
    while sys.stdin.readline():
        pass
    os._exit(0)


def read(order: Order, speaker: Speaker, clock: Callable[[], float] = time.time) -> None:
    """Put pictures of the source into the slot until it ends; raises `ReadError` when it does."""
    from streaming.rules import Meter, Pace
    from streaming.slot import FrameSlot

    slot, pace, meter = FrameSlot(order.descriptor), Pace(order.fps), Meter(1.0)
    said_at = 0.0
    sequence = itertools.count(1)
    for retrieve in _open(order):
        now = clock()
        meter.count(now)
        if now - said_at >= 1.0:
            said_at = now
            speaker.source_fps(meter.rate(now))
        if not pace.is_due(now):
            continue
        image = _fit(retrieve())
        if image is not None:
            number = next(sequence)
            slot.write(number, now, image)
            speaker.frame(number, now)


def _open(order: Order) -> Iterator[Callable[[], Any]]:
    """Yield, for each picture as it arrives, a function that decodes it into BGR."""
    if order.kind == "demo":
        return _play_scene(order.target)
    if order.kind == "file":
        return _play_file(Path(order.target))
    return _stream(order)


def _stream(order: Order) -> Iterator[Callable[[], Any]]:
    from streaming.handshake import HandshakeError, shake_hands
    from streaming.sources import with_credentials

    try:
        shake_hands(order.target, order.username, order.password)
    except HandshakeError as error:
        raise ReadError(error.code, str(error)) from error
    capture = _open_capture(with_credentials(order.target, order.username, order.password))
    if not capture.isOpened():
        raise ReadError("no_picture", "The camera answers, but its stream cannot be decoded.")
    if not _is_connected_only_to(order.target):
        raise ReadError("redirected", "The camera sends elsewhere; enter the address it really has.")
    while capture.grab():
        yield lambda: capture.retrieve()[1]
    raise ReadError("stream_ended", "The camera ended the stream.")


def _is_connected_only_to(target: str) -> bool:
    """Whether every connection of this process leads to the address that was asked for.

    FFmpeg follows a redirect without asking, and a camera may answer the first question and redirect the second.
    """
    import psutil

    wanted = urlsplit(target)
    peers = {(row.raddr.ip, row.raddr.port) for row in psutil.Process().net_connections("inet") if row.raddr}
    return {(ip.removeprefix("::ffff:"), port) for ip, port in peers} <= {(wanted.hostname, wanted.port)}


def _open_capture(url: str) -> Any:
    """Open a URL or a path with FFmpeg alone: OpenCV would try other backends for a bare string."""
    import cv2

    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_TIMEOUT_MS]
    return cv2.VideoCapture(url, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_N_THREADS, 1])


def _play_scene(name: str) -> Iterator[Callable[[], Any]]:
    from streaming.scenes import open_scene

    scene = open_scene(name)
    for image in _paced(scene.frames(), scene.fps):
        yield lambda image=image: image


def _play_file(path: Path) -> Iterator[Callable[[], Any]]:
    """Play a clip over and over at its own speed; one without a single picture is an error."""
    import cv2

    while True:
        capture = _open_capture(str(path))
        fps = capture.get(cv2.CAP_PROP_FPS) if capture.isOpened() else 0
        count = 0
        for _ in _paced(iter(capture.grab, False), fps if 1 <= fps <= 120 else 25):
            count += 1
            yield lambda capture=capture: capture.retrieve()[1]
        capture.release()
        if not count:
            raise ReadError("no_picture", "The file holds no picture that can be decoded.")


def _paced(items: Iterator[Any], fps: float) -> Iterator[Any]:
    """Yield the items ``fps`` a second; what falls behind by more than a second is not caught up."""
    due = time.monotonic()
    for item in items:
        due = max(due + 1.0 / fps, time.monotonic() - 1.0)
        time.sleep(max(0.0, due - time.monotonic()))
        yield item


def _fit(image: Any) -> Any:
    """Return a colour picture that fits the slot, shrunk when it is larger than 4K; None for no picture."""
    import cv2

    from streaming.slot import LONGEST_SIDE, PICTURE_BYTES

    if image is None or not image.size:
        return None
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.nbytes <= PICTURE_BYTES:
        return image
    ratio = min(LONGEST_SIDE / max(image.shape[:2]), (PICTURE_BYTES / image.nbytes) ** 0.5)
    return cv2.resize(image, None, fx=ratio * 0.999, fy=ratio * 0.999, interpolation=cv2.INTER_AREA)


def environment(kind: str) -> dict[str, str]:
    """Return the variables a reader starts with: FFmpeg's options, and silence, because FFmpeg's log has the URL."""
    options = {**FFMPEG_OPTIONS, "protocol_whitelist": PROTOCOLS[kind]}
    return {
        "OPENCV_FFMPEG_CAPTURE_OPTIONS": "|".join(f"{name};{value}" for name, value in options.items()),
        "OPENCV_FFMPEG_LOGLEVEL": "-8",
        "OPENCV_LOG_LEVEL": "SILENT",
        "OMP_NUM_THREADS": "1",
    }


if __name__ == "__main__":
    main()
