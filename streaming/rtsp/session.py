"""One viewer of a served camera: the RTSP conversation, and RTP interleaved into the same TCP connection."""

from __future__ import annotations

import asyncio
import re
import secrets
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from streaming.rtsp.publisher import Published, Publisher
from streaming.rtsp.rtp_jpeg import CLOCK_HZ, PAYLOAD_TYPE

METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
OPEN_TO_ALL = {"OPTIONS"}
OF_A_CAMERA = {"DESCRIBE", "SETUP", "PLAY"}


@dataclass(frozen=True, slots=True)
class Request:
    """One RTSP request; header names in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]


async def requests(reader: asyncio.StreamReader) -> AsyncIterator[Request]:
    """Yield requests until the viewer leaves, stepping over the RTCP reports between them."""
    while start := await reader.read(1):
        if start == b"$":
            _, length = struct.unpack("!BH", await reader.readexactly(3))
            await reader.readexactly(length)
            continue
        line = (start + await reader.readline()).decode("latin1").split()
        if len(line) >= 2:
            headers = await _headers(reader)
            await reader.readexactly(int(headers.get("content-length", 0)))
            yield Request(line[0], line[1], headers)


async def _headers(reader: asyncio.StreamReader) -> dict[str, str]:
    headers = {}
    while line := (await reader.readline()).decode("latin1").strip():
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return headers


class Gate(Protocol):
    """Who may watch."""

    challenge: str

    def lets_in(self, method: str, headers: Mapping[str, str]) -> bool: ...


class Manner(Protocol):
    """How pictures leave: a test camera has faults."""

    def redirect_for(self, viewer: str) -> str: ...

    async def write(self, writer: asyncio.StreamWriter, packets: bytes, sent: int) -> None: ...


class Everybody:
    """Lets everybody in."""

    challenge = ""

    def lets_in(self, method: str, headers: Mapping[str, str]) -> bool:
        return True


class Plainly:
    """Sends every picture as it is."""

    def redirect_for(self, viewer: str) -> str:
        return ""

    async def write(self, writer: asyncio.StreamWriter, packets: bytes, sent: int) -> None:
        writer.write(packets)
        await writer.drain()


class Session:
    """Answers one viewer's requests, and plays to it once it asks. ``find`` gives the camera of an address, or None."""

    def __init__(
        self,
        writer: asyncio.StreamWriter,
        find: Callable[[str], Publisher | None],
        gate: Gate | None = None,
        fault: Manner | None = None,
    ) -> None:
        self.writer, self.gate, self.fault = writer, gate or Everybody(), fault or Plainly()
        self.find, self.publisher = find, None
        self.id, self.channel = secrets.token_hex(4), 0
        self.playing: asyncio.Task | None = None

    async def serve(self, reader: asyncio.StreamReader) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError, ValueError):
                async for request in requests(reader):
                    await self._answer(request)
                    if request.method == "TEARDOWN":
                        return
        finally:
            self._stop()

    async def _answer(self, request: Request) -> None:
        if request.method not in OPEN_TO_ALL and not self.gate.lets_in(request.method, request.headers):
            await self._send(request, "401 Unauthorized", {"WWW-Authenticate": self.gate.challenge})
        elif request.method in OF_A_CAMERA and not self._find(request):
            await self._send(request, "404 Not Found")
        elif request.method == "DESCRIBE" and (elsewhere := self._redirect(request)):
            await self._send(request, "302 Moved Temporarily", {"Location": elsewhere})
        else:
            handler = getattr(self, f"_on_{request.method.lower()}", self._on_unknown)
            await handler(request)

    def _find(self, request: Request) -> bool:
        """Find the camera of the first request that names one, and stay with it."""
        self.publisher = self.publisher or self.find(request.url)
        return self.publisher is not None

    def _redirect(self, request: Request) -> str:
        return self.fault.redirect_for(request.headers.get("user-agent", ""))

    async def _on_unknown(self, request: Request) -> None:
        await self._send(request, "501 Not Implemented")

    async def _on_options(self, request: Request) -> None:
        await self._send(request, "200 OK", {"Public": METHODS})

    async def _on_describe(self, request: Request) -> None:
        body = _description(self.publisher.fps)
        headers = {"Content-Base": request.url.rstrip("/") + "/", "Content-Type": "application/sdp"}
        await self._send(request, "200 OK", headers, body)

    async def _on_setup(self, request: Request) -> None:
        wanted = re.search(r"interleaved=(\d+)", request.headers.get("transport", ""))
        if not wanted:
            await self._send(request, "461 Unsupported Transport")
            return
        self.channel = int(wanted[1])
        transport = f"RTP/AVP/TCP;unicast;interleaved={self.channel}-{self.channel + 1}"
        await self._send(request, "200 OK", {"Transport": transport, "Session": f"{self.id};timeout=60"})

    async def _on_play(self, request: Request) -> None:
        await self._send(request, "200 OK", {"Session": self.id, "Range": "npt=0.000-"})
        if self.playing is None:
            self.publisher.viewers += 1
            self.playing = asyncio.create_task(self._play())

    async def _on_get_parameter(self, request: Request) -> None:
        await self._send(request, "200 OK", {"Session": self.id})

    _on_set_parameter = _on_teardown = _on_get_parameter

    async def _play(self) -> None:
        """Send the newest picture, then the newest again: what is missed meanwhile is skipped."""
        source, sequence, number, sent = secrets.randbits(32), secrets.randbits(15), 0, 0
        with suppress(OSError):
            while True:
                picture = await self.publisher.after(number)
                number, sent = picture.number, sent + 1
                packets = _packets(picture, self.channel, sequence, source)
                sequence += len(picture.payloads)
                await self.fault.write(self.writer, packets, sent)

    async def _send(self, request: Request, status: str, headers: Mapping[str, str] | None = None, body="") -> None:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {request.headers.get('cseq', '0')}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
        await self.writer.drain()

    def _stop(self) -> None:
        if self.playing:
            self.playing.cancel()
            self.publisher.viewers -= 1
        self.writer.close()


def _description(fps: float) -> str:
    lines = (
        "v=0",
        "o=- 0 0 IN IP4 0.0.0.0",
        "s=camera",
        "c=IN IP4 0.0.0.0",
        "t=0 0",
        "a=control:*",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} JPEG/{CLOCK_HZ}",
        f"a=framerate:{fps:g}",
        "a=control:track0",
        "",
    )
    return "\r\n".join(lines)


def _packets(picture: Published, channel: int, sequence: int, source: int) -> bytes:
    """Wrap a picture's payloads in RTP and interleaving headers; the last one carries the marker bit."""
    packets, last = [], len(picture.payloads) - 1
    for index, payload in enumerate(picture.payloads):
        kind = PAYLOAD_TYPE | (0x80 if index == last else 0)
        rtp = struct.pack("!BBHII", 0x80, kind, (sequence + index) & 0xFFFF, picture.stamp, source)
        packets.append(struct.pack("!BBH", 0x24, channel, len(rtp) + len(payload)) + rtp + payload)
    return b"".join(packets)
