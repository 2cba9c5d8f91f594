"""One polite question to a camera before FFmpeg opens it: is it there, is it RTSP, does it accept the user?

FFmpeg follows redirects to wherever the camera says and tells OpenCV nothing about why it failed. This asks DESCRIBE
once and turns the answer into a code; an address that redirects is not opened at all.
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import ssl
from urllib.parse import urlsplit

LIMIT_BYTES = 65_536
TIMEOUT_S = 3.0

_STATUS = re.compile(r"RTSP/\d\.\d (\d{3})")
_PAIR = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


class HandshakeError(Exception):
    """The camera will not give a picture; ``code`` says why, the text says what to look at."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def shake_hands(address: str, username: str, password: str, timeout_s: float = TIMEOUT_S) -> None:
    """Ask the camera at ``address`` (an IP address, no user information) to describe its stream.

    Returns when it would play; raises `HandshakeError` otherwise. Costs one short connection.
    """
    try:
        with _connect(address, timeout_s) as connection:
            _describe(connection, address, username, password)
    except TimeoutError as error:
        raise HandshakeError("no_answer", "The camera accepted the connection and did not answer.") from error
    except ssl.SSLError as error:
        raise HandshakeError("no_tls", "The camera does not speak TLS at this port; try rtsp://.") from error
    except OSError as error:
        raise HandshakeError("connection_lost", "The camera closed the connection without an answer.") from error


def _connect(address: str, timeout_s: float) -> socket.socket:
    parts = urlsplit(address)
    try:
        connection = socket.create_connection((parts.hostname, parts.port), timeout=timeout_s)
    except TimeoutError as error:
        raise HandshakeError("unreachable", "Nothing answers at this address; is the camera on?") from error
    except OSError as error:
        raise HandshakeError("refused", "The address refuses the connection; is the port right?") from error
    connection.settimeout(timeout_s)
    if parts.scheme != "rtsps":
        return connection
    # Cameras sign their own certificates; FFmpeg does not check them either. Encryption without identity.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection)


def _describe(connection: socket.socket, address: str, username: str, password: str) -> None:
    status, headers = _ask(connection, address, 1, "")
    if status == 401 and username:
        challenge = headers.get("www-authenticate", "")
        proof = authorization(challenge, "DESCRIBE", address, username, password)
        status, headers = _ask(connection, address, 2, proof)
    if status != 200:
        raise _refusal(status)


def _ask(connection: socket.socket, address: str, number: int, proof: str) -> tuple[int, dict[str, str]]:
    extra = f"Authorization: {proof}\r\n" if proof else ""
    connection.sendall(
        f"DESCRIBE {address} RTSP/1.0\r\nCSeq: {number}\r\nAccept: application/sdp\r\n"
        f"User-Agent: factoryai\r\n{extra}\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        data = connection.recv(4096)
        if not data or len(head) > LIMIT_BYTES:
            break
        head += data
        if len(head) >= 8 and not head.startswith(b"RTSP/"):
            break
    return _parse_head(head)


def _parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, _, rest = head.partition(b"\r\n\r\n")[0].decode("latin-1").partition("\r\n")
    match = _STATUS.match(first)
    if not match:
        raise HandshakeError("not_rtsp", "Something answers at this address, but it is no RTSP camera.")
    headers: dict[str, str] = {}
    for line in rest.split("\r\n"):
        name, _, value = line.partition(":")
        name = name.strip().lower()
        # A camera may offer several ways to log in; digest is the better one and is answered when it is there.
        if name != "www-authenticate" or name not in headers or value.strip().lower().startswith("digest"):
            headers[name] = value.strip()
    return int(match[1]), headers


def _refusal(status: int) -> HandshakeError:
    if status in {401, 403}:
        return HandshakeError("wrong_login", "The camera refuses the user or the password.")
    if 300 <= status < 400:
        return HandshakeError("redirected", "The camera sends elsewhere; enter the address it really has.")
    if status == 404:
        return HandshakeError("no_such_stream", "The camera has no stream at this path.")
    return HandshakeError("camera_error", f"The camera answered with the RTSP status {status}.")


def authorization(challenge: str, method: str, address: str, username: str, password: str) -> str:
    """Answer a Basic or Digest challenge (RFC 7617, RFC 2617 as RTSP uses it)."""
    if not challenge.lower().startswith("digest"):
        return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
    given = {name.lower(): quoted or plain for name, quoted, plain in _PAIR.findall(challenge)}
    realm, nonce = given.get("realm", ""), given.get("nonce", "")
    is_sha = given.get("algorithm", "MD5").upper() == "SHA-256"

    def digest(text: str) -> str:
        # RTSP's digest is MD5 by standard; nothing is kept under it.
        maker = hashlib.sha256 if is_sha else hashlib.md5
        return maker(text.encode(), usedforsecurity=False).hexdigest()

    proof = digest(f"{digest(f'{username}:{realm}:{password}')}:{nonce}:{digest(f'{method}:{address}')}")
    answer = f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{address}", response="{proof}"'
    if "opaque" in given:
        answer += f', opaque="{given["opaque"]}"'
    return f"{answer}, algorithm=SHA-256" if is_sha else answer
