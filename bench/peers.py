"""What the feed is measured beside: a bare socket loop (the limit), an encode-per-viewer view, and Debian's motion.

``python -m bench.peers bare|per-viewer --port N`` serves the same 720p picture at 10 fps.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import uvicorn

from factoryai.embedded.tether import tied_to_parent
from streaming import bus
from streaming.hub import OPENING, make_payload
from tests.synthetic_camera import HEIGHT, LOOP, WIDTH, draw_loop, encode

FPS = 10
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n" + OPENING
MOTION_CONFIG = """
daemon off
setup_mode off
log_level 3
webcontrol_port 0
stream_port {port}
stream_localhost on
stream_maxrate 10
stream_quality 70
framerate 10
width 1280
height 720
netcam_url http://127.0.0.1:{source}/
netcam_use_tcp on
picture_output off
movie_output off
text_left
text_right
target_dir {folder}
"""


def make_part(jpeg: bytes, seq: int) -> bytes:
    now = time.time()
    header = bus.Header("gate", bus.FULL, seq, now, now, width=WIDTH, height=HEIGHT)
    return make_payload(header, jpeg, 0.0, b"-").part


class Bare(asyncio.Protocol):
    """One viewer of the limit: no HTTP parser, no framework, the newest part whenever the socket has room."""

    viewers: set[Bare] = set()

    def connection_made(self, transport: Any) -> None:
        self.transport, self.has_room, self.is_asked = transport, True, False

    def data_received(self, data: bytes) -> None:
        if not self.is_asked:
            self.is_asked = True
            self.transport.write(HEAD)
            self.viewers.add(self)

    def pause_writing(self) -> None:
        self.has_room = False

    def resume_writing(self) -> None:
        self.has_room = True

    def connection_lost(self, error: Exception | None) -> None:
        self.viewers.discard(self)


async def serve_bare(port: int) -> None:
    jpegs = [jpeg for jpeg, _, _ in encode(draw_loop(), bus.FULL)]
    loop = asyncio.get_running_loop()
    await loop.create_server(Bare, "127.0.0.1", port, backlog=2048)
    due, seq = loop.time(), 0
    while True:
        due += 1 / FPS
        await asyncio.sleep(max(0.0, due - loop.time()))
        seq += 1
        part = make_part(jpegs[seq % LOOP], seq)
        for viewer in Bare.viewers:
            if viewer.has_room:
                viewer.transport.write(part)


async def per_viewer(scope: dict, receive: Any, send: Any) -> None:
    """ASGI: copies, draws on and encodes the newest picture for each viewer, as MJPEG views are commonly written."""
    headers = [(b"content-type", b"multipart/x-mixed-replace; boundary=frame")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": OPENING, "more_body": True})
    loop, seq = asyncio.get_running_loop(), 0
    due = loop.time()
    while True:
        due = max(due + 1 / FPS, loop.time())
        await asyncio.sleep(due - loop.time())
        seq += 1
        part = await asyncio.to_thread(draw_and_encode, seq)
        await send({"type": "http.response.body", "body": part, "more_body": True})


def draw_and_encode(seq: int) -> bytes:
    picture = PICTURES[seq % LOOP].copy()
    cv2.rectangle(picture, (500, 300), (600, 500), (0, 255, 0), 2)
    return make_part(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 70])[1].tobytes(), seq)


PICTURES: list[Any] = []


class Motion:
    """Debian's motion, reading the bare server's MJPEG as its camera."""

    def __init__(self, port: int, source_port: int, folder: Path) -> None:
        self._port, self._source_port, self._folder = port, source_port, folder
        self.process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def is_here() -> bool:
        return shutil.which("motion") is not None

    def start(self) -> None:
        config = self._folder / "motion.conf"
        text = MOTION_CONFIG.format(port=self._port, source=self._source_port, folder=self._folder)
        config.write_text(text, encoding="ascii")
        log = (self._folder / "motion.log").open("wb")
        command = ["motion", "-n", "-c", str(config)]
        self.process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=tied_to_parent())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=("bare", "per-viewer"))
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()
    if args.peer == "bare":
        asyncio.run(serve_bare(args.port))
        return
    PICTURES.extend(draw_loop())
    cv2.setNumThreads(1)
    assert threading.active_count() < 10
    uvicorn.run(per_viewer, port=args.port, log_level="critical", lifespan="off")


if __name__ == "__main__":
    main()
