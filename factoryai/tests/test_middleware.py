"""What surrounds every request: static files, headers, proxies, origins."""

from __future__ import annotations

import ipaddress

import pytest
from asgiref.testing import ApplicationCommunicator
from django.test import AsyncClient, Client
from hypothesis import given
from hypothesis import strategies as st

from factoryai.asgi import application
from factoryai.origins import is_allowed, is_same_place
from factoryai.proxies import TrustedProxies, client_behind

PROXY = [ipaddress.ip_network("10.0.0.0/8")]


async def test_static_files_are_served_without_a_sync_middleware():
    answer = await AsyncClient().get("/static/css/tokens.css")
    body = b"".join([part async for part in answer]) if answer.streaming else answer.content
    assert answer.status_code == 200
    assert b"--" in body
    assert answer.is_async


def test_static_files_are_served_to_sync_callers_too():
    assert b"--" in b"".join(Client().get("/static/css/tokens.css"))


@pytest.mark.parametrize("path", ["/static/nothing.css", "/static/../manage.py", "/static/%2e%2e/manage.py"])
async def test_nothing_else_is_served_from_there(path):
    assert (await AsyncClient().get(path)).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/login", "/docs", "/api/v1/sites", "/static/css/tokens.css"])
def test_browsers_are_told_what_a_page_may_do(path):
    answer = Client().get(path)
    policy = answer.headers["Content-Security-Policy"]
    for rule in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "script-src 'self';"):
        assert rule in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.django_db
def test_answers_of_the_api_are_not_kept():
    assert Client().get("/api/v1/sites").headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_a_listed_origin_may_call_the_api_and_no_other(settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.test"]
    asked = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "GET"}
    listed = Client().options("/api/v1/sites", HTTP_ORIGIN="https://app.test", **asked)
    foreign = Client().options("/api/v1/sites", HTTP_ORIGIN="https://evil.test", **asked)
    assert listed.headers["Access-Control-Allow-Origin"] == "https://app.test"
    assert "Access-Control-Allow-Origin" not in foreign.headers
    assert "Access-Control-Allow-Credentials" not in listed.headers


@pytest.mark.parametrize(
    ("peer", "lines", "client"),
    [
        pytest.param("203.0.113.9", ["198.51.100.1"], "203.0.113.9", id="not a proxy: what it says is ignored"),
        pytest.param("10.0.0.1", ["198.51.100.1"], "198.51.100.1", id="one proxy"),
        pytest.param("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1", id="what the client wrote is ignored"),
        pytest.param("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1", id="two proxies in one line"),
        pytest.param("10.0.0.1", ["198.51.100.1", "10.0.0.2"], "198.51.100.1", id="two proxies in two lines"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="a proxy that says nothing"),
        pytest.param("10.0.0.1", ["unknown"], "10.0.0.1", id="no address"),
        pytest.param("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1", id="IPv6 in brackets"),
    ],
)
def test_who_asks_behind_a_proxy(peer, lines, client):
    assert client_behind(peer, lines, PROXY) == client


@given(st.lists(st.text(max_size=30)))
def test_nobody_but_a_proxy_chooses_an_address(lines):
    assert client_behind("203.0.113.9", lines, PROXY) == "203.0.113.9"


@given(st.lists(st.text(max_size=30)))
def test_whatever_is_forwarded_the_client_is_an_address(lines):
    assert ipaddress.ip_address(client_behind("10.0.0.1", lines, PROXY))


@pytest.mark.parametrize(
    ("peer", "scheme", "client"),
    [
        pytest.param("10.0.0.1", "https", "198.51.100.1", id="a trusted proxy"),
        pytest.param("203.0.113.9", "http", "203.0.113.9", id="anybody"),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_forwarded_headers_never_reach_the_application(peer, scheme, client, kind):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope)

    headers = [(b"x-forwarded-for", b"198.51.100.1"), (b"X-Forwarded-Proto", b"https"), (b"host", b"a.test")]
    plain = {"http": "http", "websocket": "ws"}[kind]
    scope = {"type": kind, "scheme": plain, "client": (peer, 1), "headers": headers}
    await TrustedProxies(app, ["10.0.0.0/8"])(scope, None, None)
    assert seen[0]["headers"] == [(b"host", b"a.test")]
    assert seen[0]["client"][0] == client
    assert seen[0]["scheme"] == scheme.replace("http", "ws") if kind == "websocket" else scheme


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("https://a.test", "a.test", True),
        ("https://a.test:443", "a.test", True),
        ("http://a.test", "a.test:80", True),
        ("http://a.test:8000", "a.test:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://a.test:8000", "a.test", False),
        ("http://a.test", "b.test", False),
        ("http://a.test.evil", "a.test", False),
        ("http://evil@a.test.evil", "a.test", False),
        ("null", "a.test", False),
        ("", "", False),
        ("http://a.test:x", "a.test", False),
    ],
)
def test_the_origin_of_the_own_page(origin, host, same):
    assert is_same_place(origin, host) is same


def test_a_listed_origin_is_allowed_and_none_is_not():
    assert is_allowed("https://app.test", "a.test", listed=["https://app.test"])
    assert not is_allowed(None, "a.test", listed=["https://app.test"])


async def test_a_socket_for_an_unknown_host_is_refused(settings):
    settings.ALLOWED_HOSTS = ["a.test"]
    headers = [(b"host", b"evil.test"), (b"origin", b"http://evil.test")]
    scope = {"type": "websocket", "path": "/ws/events", "query_string": b"", "headers": headers, "subprotocols": []}
    socket = ApplicationCommunicator(application, scope)
    await socket.send_input({"type": "websocket.connect"})
    assert (await socket.receive_output(5))["code"] == 4403
