"""The listening socket, and how its address is said."""

from __future__ import annotations

import socket

import pytest

from factoryai.embedded import address
from factoryai.embedded.errors import CannotStartError


def test_a_port_in_use_is_said_with_a_free_one_beside():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStartError, match=rf"Port {port} is in use .* --port"):
            address.listen("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        pytest.param("203.0.113.7", 0, "not an address of this machine", id="somebody else's address"),
        pytest.param("no.such.host.invalid", 0, "not an address of this machine", id="unknown name"),
        pytest.param("127.0.0.1", 70000, "not a port", id="too high a port"),
    ],
)
def test_an_impossible_address_is_said_in_a_sentence(host, port, words):
    with pytest.raises(CannotStartError, match=words):
        address.listen(host, port)


def test_the_socket_listens():
    with address.listen("127.0.0.1", 0) as listener:
        socket.create_connection(listener.getsockname(), 5).close()


@pytest.mark.parametrize(
    ("host", "first"),
    [
        pytest.param("127.0.0.1", "http://127.0.0.1:8000/", id="this machine"),
        pytest.param("0.0.0.0", "http://127.0.0.1:8000/", id="everywhere"),
        pytest.param("::1", "http://[::1]:8000/", id="IPv6"),
    ],
)
def test_the_address_on_this_machine_comes_first(host, first):
    assert address.urls(host, 8000)[0] == first


@pytest.mark.parametrize(
    ("host", "is_it"), [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False)]
)
def test_loopback_is_told_from_the_network(host, is_it):
    assert address.is_loopback(host) is is_it
