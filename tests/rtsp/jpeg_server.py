"""A small RTSP camera of our own: RTP/JPEG (RFC 2435) over TCP, with faults to choose from.

Run as ``python -m tests.rtsp.jpeg_server --port 0``; it prints ``ready PORT`` and leaves when its stdin closes.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from streaming.rtsp.publisher import Publisher
from streaming.rtsp.session import Session
from tests.rtsp.auth import Gate
from tests.rtsp.faults import FAULTS, Fault
from tests.rtsp.lifeline import exit_with_parent
from tests.rtsp.pictures import PICTURES, open_pictures

UNSENT_BYTES = 65_536
"""Socket buffer per viewer: small, so that a slow network is felt here and not hidden in the kernel."""
WEB_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 21\r\n\r\n<h1>Not a camera</h1>"


def main() -> None:
    exit_with_parent()
    asyncio.run(serve(parse()))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--picture", choices=PICTURES, default="blocks")
    parser.add_argument("--clip", type=Path)
    parser.add_argument("--size", type=_size, default=(1280, 720), help="like 1280x720")
    parser.add_argument("--fps", type=float, default=25)
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--auth", choices=("digest", "basic"), default="digest")
    parser.add_argument("--fault", choices=("", *FAULTS), default="")
    parser.add_argument("--after-frames", type=int, default=50)
    parser.add_argument("--bytes-per-s", type=int, default=300_000)
    parser.add_argument("--redirect-to", default="")
    return parser.parse_args()


async def serve(options: argparse.Namespace) -> None:
    """Listen and serve until the process ends. With the fault ``refuse`` the port is held but nobody listens."""
    listener = _bound(options.host, options.port)
    if options.fault != "refuse":
        fault = Fault(options.fault, options.after_frames, options.bytes_per_s, options.redirect_to)
        gate = Gate(options.user, options.password, options.auth, is_locked=options.fault == "locked")
        pictures = open_pictures(options.picture, options.size, options.clip, time.time)
        publisher = Publisher(pictures, options.fps)
        await asyncio.start_server(partial(welcome, publisher, gate, fault), sock=listener)
    print(f"ready {listener.getsockname()[1]}", flush=True)
    await (asyncio.Event().wait() if options.fault == "refuse" else publisher.run())


async def welcome(
    publisher: Publisher, gate: Gate, fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Serve one viewer until it leaves."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNSENT_BYTES)
    with suppress(OSError):
        if fault.kind == "silent":
            await reader.read(-1)
        elif fault.kind == "http":
            await reader.readline()
            writer.write(WEB_PAGE)
            await writer.drain()
        else:
            await Session(writer, lambda url: publisher, gate, fault).serve(reader)
    writer.close()


def _bound(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


def _size(text: str) -> tuple[int, int]:
    width, height = (int(side) for side in text.split("x"))
    return width, height


if __name__ == "__main__":
    main()
