"""The shipped scenes served as network cameras: which addresses there are, and that a real reader sees one."""

from __future__ import annotations

import asyncio

import cv2
import numpy as np
import pytest

from streaming.rtsp.rtp_jpeg import PAYLOAD_TYPE
from streaming.rtsp.server import Cameras, pictures_of, welcome
from streaming.scenes import SCENES


@pytest.mark.parametrize("name", SCENES)
async def test_every_scene_has_an_address_and_one_publisher(name):
    cameras = Cameras(fps=5)
    first = cameras.find(f"rtsp://host:8554/{name}")
    assert first is cameras.find(f"rtsp://host:8554/{name}/track0")
    assert first.viewers == 0


@pytest.mark.parametrize("path", ["", "/", "/nothing", "/../gate", "/Gate"])
async def test_any_other_address_is_none(path):
    assert Cameras(fps=5).find(f"rtsp://host:8554{path}") is None


async def test_a_viewer_is_answered_and_played_to():
    cameras = Cameras(fps=20)
    server = await asyncio.start_server(lambda *streams: welcome(cameras, *streams), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    url = f"rtsp://127.0.0.1:{port}"
    assert b"404" in await ask(reader, writer, "DESCRIBE", f"{url}/nothing")
    assert b"200 OK" in await ask(reader, writer, "DESCRIBE", f"{url}/gate")
    await reader.readuntil(b"a=control:track0\r\n")
    setup = await ask(reader, writer, "SETUP", f"{url}/gate/track0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
    assert b"interleaved=0-1" in setup
    assert b"200 OK" in await ask(reader, writer, "PLAY", f"{url}/gate")
    async with asyncio.timeout(30):
        packet = await reader.readexactly(6)
    assert packet[:2] == b"$\x00"
    assert packet[5] & 0x7F == PAYLOAD_TYPE
    writer.close()
    server.close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, url: str, *more: str) -> bytes:
    writer.write("\r\n".join([f"{method} {url} RTSP/1.0", "CSeq: 1", *more, "", ""]).encode())
    return await reader.readuntil(b"\r\n\r\n")


def test_a_scene_goes_on_for_ever_in_a_size_that_rtp_carries():
    picture = next(pictures_of("gate"))
    height, width = picture.shape[:2]
    assert (width % 8, height % 8, picture.dtype) == (0, 0, np.uint8)
    assert cv2.imencode(".jpg", picture)[0]
