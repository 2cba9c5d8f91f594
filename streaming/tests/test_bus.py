"""The picture message: what goes in comes out, and garbage is refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming import bus

headers = st.builds(
    bus.Header,
    camera=st.from_regex(r"[a-z0-9-]{1,50}", fullmatch=True),
    tier=st.sampled_from(bus.TIERS),
    seq=st.integers(0, 2**53),
    captured_at=st.floats(0, 1e11),
    sent_at=st.floats(0, 1e11),
    state=st.sampled_from(bus.STATES),
    note=st.text(max_size=200),
    width=st.integers(0, 8192),
    height=st.integers(0, 8192),
)
GATE = bus.Header("gate", bus.FULL, 7, 1000.0, 1000.25, width=1280, height=720)


@given(headers, st.binary(max_size=300))
def test_a_message_survives_the_bus(header, jpeg):
    assert bus.decode_message(bus.encode_message(header, jpeg)) == (header, jpeg)


@given(st.binary(max_size=300))
def test_garbage_is_refused_and_nothing_worse(data):
    with pytest.raises(bus.BrokenMessageError):
        bus.decode_message(data)


def framed(head: bytes) -> bytes:
    return struct.pack(">I", len(head)) + head


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00\x00\x00", id="half a length"),
        pytest.param(struct.pack(">I", 2**31) + b"{}", id="a length beyond the end"),
        pytest.param(framed(b"[1]"), id="a list"),
        pytest.param(framed(b"{}"), id="no fields"),
        pytest.param(framed(b'{"camera":"a","tier":"full","seq":"1","captured_at":1,"sent_at":1}'), id="text seq"),
        pytest.param(framed(b'{"camera":"a","tier":"huge","seq":1,"captured_at":1,"sent_at":1}'), id="unknown tier"),
    ],
)
def test_a_broken_message_says_so(data):
    with pytest.raises(bus.BrokenMessageError):
        bus.decode_message(data)


def test_a_field_this_version_does_not_know_is_ignored():
    head = b'{"camera":"a","tier":"full","seq":1,"captured_at":1.0,"sent_at":3.5,"later":true}'
    assert bus.decode_message(framed(head))[0].age_s == 2.5


def test_a_sender_whose_clock_is_behind_gives_no_negative_age():
    assert GATE.with_changes(sent_at=999.0).age_s == 0.0


def test_channel_names_tell_camera_and_size():
    assert bus.channel("gate-2", bus.TILE) == "frames:gate-2:tile"
    assert bus.parse_channel("frames:gate-2:tile") == ("gate-2", "tile")
    assert bus.last_key("gate-2") == "frames:last:gate-2"
