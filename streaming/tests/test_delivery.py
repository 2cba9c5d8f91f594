"""What leaves for the socket of one viewer, through uvicorn's own response on uvloop."""

import asyncio
import logging
import socket

import pytest
import uvloop
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from streaming.delivery import FEED_PATH, FLUSHES, Sending

log = logging.getLogger(__name__)
START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"image/jpeg")]}


def body(data, *, more=True):
    return {"type": "http.response.body", "body": data, "more_body": more}


def response_on(transport):
    return RequestResponseCycle(
        scope={"type": "http", "method": "GET", "http_version": "1.1"},
        transport=transport,
        flow=FlowControl(transport),
        logger=log,
        access_logger=log,
        access_log=False,
        default_headers=[],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=True,
        on_response=lambda: None,
    )


def sent(talk):
    """Let ``talk(sending, transport)`` send to a viewer, and return the bytes that came."""

    async def run():
        ours, theirs = socket.socketpair()
        transport, _ = await asyncio.get_running_loop().create_unix_connection(asyncio.Protocol, sock=ours)
        await talk(Sending(response_on(transport).send, FLUSHES["http", FEED_PATH]), transport)
        transport.close()
        with theirs:
            return await asyncio.to_thread(_read_all, theirs)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def _read_all(viewer):
    viewer.settimeout(10)
    parts = []
    while part := viewer.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_a_stream_goes_out_without_frames_until_the_connection_ends():
    async def talk(sending, transport):
        for message in (START, body(b"one"), body(b"two"), body(b"", more=False)):
            await sending(message)

    head, _, rest = sent(talk).partition(b"\r\n\r\n")
    assert rest == b"onetwo"
    assert b"connection: close" in head
    assert b"transfer-encoding" not in head


def test_an_answer_of_known_length_is_left_as_it_is():
    async def talk(sending, transport):
        await sending({**START, "headers": [(b"content-length", b"3")]})
        await sending(body(b"one", more=False))

    head, _, rest = sent(talk).partition(b"\r\n\r\n")
    assert rest == b"one"
    assert b"connection: close" not in head


@pytest.mark.parametrize("leave", ["close", "abort"])
def test_a_picture_for_a_viewer_that_just_left_is_dropped(leave):
    async def talk(sending, transport):
        await sending(START)
        await sending(body(b"one"))
        await asyncio.sleep(0)
        getattr(transport, leave)()
        await sending(body(b"two"))
        await asyncio.sleep(0)
        await sending(body(b"three"))

    assert sent(talk).endswith(b"\r\n\r\none")
