"""`python -m streaming.rtsp.server`: the shipped scenes as network cameras, `rtsp://host:8554/gate` and so on.

It needs neither Django nor a secret. A scene is made when somebody first watches it and drawn while somebody does.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import logging
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import cv2
import numpy as np

from streaming.rtsp.publisher import Publisher
from streaming.rtsp.session import Session
from streaming.scenes import SCENES, open_scene

log = logging.getLogger(__name__)

UNSENT_BYTES = 262_144
"""Socket buffer per viewer: a viewer that is slow gets newer pictures, not older ones."""
FPS = 8.0
"""Enough to follow somebody through a turnstile; each picture costs 5 to 15 ms of a core."""


def pictures_of(name: str) -> Iterator[np.ndarray]:
    """Yield the pictures of a scene for ever; opening it takes a second, at the first."""
    for _ in itertools.count():
        yield from open_scene(name).frames()


class Cameras:
    """The scenes that have been asked for."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._running: dict[str, tuple[Publisher, asyncio.Task]] = {}

    def find(self, url: str) -> Publisher | None:
        name = urlsplit(url).path.strip("/").split("/")[0]
        if name not in SCENES:
            return None
        if name not in self._running or self._running[name][1].done():
            publisher = Publisher(pictures_of(name), self._fps)
            self._running[name] = publisher, asyncio.create_task(self._run(name, publisher))
        return self._running[name][0]

    async def _run(self, name: str, publisher: Publisher) -> None:
        """Publish a scene until it fails; the next viewer begins it anew."""
        try:
            await publisher.run()
        except Exception:
            log.exception("The scene %s cannot be played.", name)


async def serve(host: str, port: int, fps: float) -> None:
    cameras, over = Cameras(fps), asyncio.Event()
    server = await asyncio.start_server(lambda *streams: welcome(cameras, *streams), host, port)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    for address in (item.getsockname() for item in server.sockets):
        log.info("rtsp://%s:%d/ with %s", *address[:2], ", ".join(SCENES))
    await over.wait()


async def welcome(cameras: Cameras, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one viewer until it leaves."""
    connection = writer.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT_BYTES)
        await Session(writer, cameras.find).serve(reader)
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve the shipped scenes as network cameras.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 opens it to the network")
    parser.add_argument("--port", type=int, default=8554)
    parser.add_argument("--fps", type=float, default=FPS, help="pictures a second")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    cv2.setNumThreads(1)
    asyncio.run(serve(options.host, options.port, options.fps))


if __name__ == "__main__":
    main()
