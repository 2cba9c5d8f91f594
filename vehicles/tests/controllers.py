"""A real controller of a barrier on loopback, which opens, refuses, hangs, drips or breaks off as told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Controller:
    """``steps`` are what it does with each call: a status, ``hang``, ``drip``, ``reset``, ``nonsense`` or ``away``."""

    url: str = ""
    steps: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)


@contextmanager
def controller(*steps: str) -> Iterator[Controller]:
    server = socket.create_server(("127.0.0.1", 0))
    made = Controller(f"http://127.0.0.1:{server.getsockname()[1]}/open?gate=1", list(steps))

    def serve() -> None:
        while True:
            try:
                talk, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(talk,), daemon=True).start()

    def answer(talk: socket.socket) -> None:
        with talk:
            made.calls.append(_request(talk))
            step = made.steps.pop(0) if made.steps else "200"
            try:
                _act(talk, step, made.url)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield made
    finally:
        server.close()


def _request(talk: socket.socket) -> str:
    talk.settimeout(2)
    text = b""
    while b"\r\n\r\n" not in text:
        text += talk.recv(4096)
    head, _, body = text.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            while len(body) < int(line.split(b":")[1]):
                body += talk.recv(4096)
    return (head + b"\r\n\r\n" + body).decode()


def _act(talk: socket.socket, step: str, url: str) -> None:
    if step == "hang":
        time.sleep(3)
    elif step == "drip":
        for letter in b"HTTP/1.1 200 OK\r\n" * 9:
            talk.sendall(bytes([letter]))
            time.sleep(0.1)
    elif step == "reset":
        talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    elif step == "nonsense":
        talk.sendall(b"\x00\xff open sesame \r\n\r\n")
    else:
        place = f"Location: {url}\r\n" if step.startswith("3") else ""
        talk.sendall(f"HTTP/1.1 {step} X\r\n{place}Content-Length: 0\r\n\r\n".encode())
