"""One HTTP call to the controller of a barrier: to an allowed address only, within its time, without redirects."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from streaming.sources import Lookup, SourceError, allowed_address, system_lookup

PORTS = {"http": 80, "https": 443}
MOST_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call went. ``detail`` says in words why it failed; it never repeats the secret."""

    status: int | None = None
    took_ms: int | None = None
    detail: str = ""

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def check_address(text: str, lookup: Lookup = system_lookup) -> SplitResult:
    """Read a controller's address as a person typed it; raises `SourceError` for one that must not be called."""
    parts = _read_address(text)
    _resolve(parts, lookup)
    return parts


def _read_address(text: str) -> SplitResult:
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > MOST_LENGTH:
        raise SourceError("bad_characters", f"An address has at most {MOST_LENGTH} characters and no blanks.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise SourceError("bad_address", "The host or the port makes no sense.") from error
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise SourceError("bad_address", "The address is written like http://192.168.1.50/open.")
    if parts.username is not None or parts.password is not None:
        raise SourceError("has_login", "User and password go into the secret, not into the address.")
    if parts.fragment:
        raise SourceError("bad_address", "An address for a controller has no part after #.")
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or PORTS[parts.scheme]


def _resolve(parts: SplitResult, lookup: Lookup) -> str:
    return allowed_address(parts.hostname or "", _port(parts), settings.CAMERA_NETWORKS, lookup)


def ask(gate: Any, facts: Mapping[str, Any], lookup: Lookup = system_lookup) -> Answer:
    """Call the controller of ``gate`` (`vehicles.models.Gate`) once with ``facts``; every fault is an answer.

    The name is resolved and checked at each call, once, and the call goes to that very address. All of it, with the
    name, the connection and the answer, has ``timeout_s``.
    """
    began = time.monotonic()
    ends = began + gate.timeout_s
    try:
        parts = _read_address(gate.address)
        address = _within(ends, lambda: _resolve(parts, lookup))
        status = _call(gate, parts, address, json.dumps(dict(facts)).encode(), ends)
    except SourceError as error:
        return Answer(detail=str(error), took_ms=_since(began))
    except (OSError, http.client.HTTPException, ValueError) as error:
        is_late = time.monotonic() >= ends
        words = "no answer in time" if is_late or isinstance(error, TimeoutError) else type(error).__name__
        return Answer(detail=f"The controller cannot be asked ({words}).", took_ms=_since(began))
    detail = "" if 200 <= status < 300 else f"The controller answers {status}."
    return Answer(status, _since(began), detail)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _left(ends: float) -> float:
    """Return the seconds until ``ends``, an instant of the monotonic clock; raises `TimeoutError` when it is over."""
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _within(ends: float, look: Callable[[], str]) -> str:
    """Return what ``look`` finds until ``ends``: the system's resolver has no time-out, so it is waited for outside."""
    done: Future[str] = Future()

    def run() -> None:
        try:
            done.set_result(look())
        except Exception as error:  # noqa: BLE001 - whoever waits raises it
            done.set_exception(error)

    threading.Thread(target=run, name="gate-name", daemon=True).start()
    return done.result(timeout=_left(ends))


def _call(gate: Any, parts: SplitResult, address: str, body: bytes, ends: float) -> int:
    port = _port(parts)
    caller = http.client.HTTPConnection(parts.hostname or "", port, timeout=_left(ends))
    caller.sock = socket.create_connection((address, port), timeout=_left(ends))
    watch = threading.Timer(max(0.0, ends - time.monotonic()), _cut, [caller])
    watch.daemon = True
    watch.start()
    try:
        if parts.scheme == "https":
            secure = ssl.create_default_context().wrap_socket(
                caller.sock, server_hostname=parts.hostname, do_handshake_on_connect=False
            )
            caller.sock = secure
            secure.do_handshake()
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        has_body = gate.method != "GET"
        caller.request(gate.method, path, body if has_body else None, headers(gate, body, has_body=has_body))
        return caller.getresponse().status
    finally:
        watch.cancel()
        caller.close()


def _cut(caller: http.client.HTTPConnection) -> None:
    """End a call that drips on: a time-out of the socket counts anew with every byte."""
    with contextlib.suppress(OSError, AttributeError):
        caller.sock.shutdown(socket.SHUT_RDWR)


def headers(gate: Any, body: bytes, *, has_body: bool) -> dict[str, str]:
    """Return the headers of a call, with the secret in the form the controller wants."""
    found = {"Connection": "close", "User-Agent": "FactoryAI"}
    if has_body:
        found["Content-Type"] = "application/json"
    secret = gate.secret.encode()
    if gate.login == "bearer":
        found["Authorization"] = f"Bearer {gate.secret}"
    elif gate.login == "basic":
        found["Authorization"] = f"Basic {base64.b64encode(secret).decode()}"
    elif gate.login == "signed":
        found["X-FactoryAI-Signature"] = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return found
