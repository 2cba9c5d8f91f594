"""Which addresses a camera may have, decided before a packet leaves.

`parse_source` reads what a person typed, `resolve` turns its host into one allowed address. The reader connects to
that very address, so a name cannot mean something else a moment later.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

RTSP_PORTS = {"rtsp": 554, "rtsps": 322}
MAX_LENGTH = 500

_SCENE = re.compile(r"demo:([a-z][a-z0-9-]{0,30})")
_FILE = re.compile(r"file:([\w][\w .-]*(?:/[\w][\w .-]*)*)")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_REST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/?%\[\]{}-]*")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Lookup = Callable[[str, int], Sequence[str]]


class SourceError(ValueError):
    """A source that is refused; ``code`` says why, the text what to write instead. Neither repeats a password."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Source:
    """A checked source. ``address`` has no user information; ``kind`` is ``rtsp``, ``demo`` or ``file``."""

    kind: str
    address: str
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"Source({self.kind}, {self.address})"


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an installation allows beside RTSP: demonstration scenes by name, and files below a folder."""

    scenes: frozenset[str] = frozenset()
    folder: Path | None = None


def parse_source(text: str, allowance: Allowance) -> Source:
    """Read ``rtsp(s)://[user[:password]@]host[:port]/path``, ``demo:scene`` or ``file:path``.

    Raises `SourceError` for everything else: other schemes, options in disguise, control characters, blanks.
    """
    if not text or len(text) > MAX_LENGTH:
        raise SourceError("bad_length", f"An address has between 1 and {MAX_LENGTH} characters.")
    if not text.isascii() or not text.isprintable():
        raise SourceError("bad_characters", "An address has no line breaks, blanks or letters beyond ASCII.")
    if match := _SCENE.fullmatch(text):
        return _parse_scene(match[1], allowance)
    if match := _FILE.fullmatch(text):
        return _parse_file(match[1], allowance)
    return _parse_rtsp(text)


def _parse_scene(name: str, allowance: Allowance) -> Source:
    if name not in allowance.scenes:
        known = ", ".join(sorted(allowance.scenes)) or "none here"
        raise SourceError("unknown_scene", f"There is no scene {name}; known: {known}.")
    return Source("demo", f"demo:{name}")


def _parse_file(name: str, allowance: Allowance) -> Source:
    if allowance.folder is None:
        raise SourceError("files_not_allowed", "This installation plays no files.")
    path = (allowance.folder / name).resolve()
    if not path.is_relative_to(allowance.folder.resolve()) or not path.is_file():
        raise SourceError("no_such_file", "There is no such file in the folder for clips.")
    return Source("file", f"file:{name}")


def _parse_rtsp(text: str) -> Source:
    scheme, separator, _ = text.partition("://")
    if not separator or scheme.lower() not in RTSP_PORTS:
        raise SourceError("bad_scheme", "A camera's address begins with rtsp:// or rtsps://.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise SourceError("bad_address", "The host or the port makes no sense.") from error
    if parts.fragment or "#" in text or not _REST.fullmatch(parts.path + parts.query):
        raise SourceError("bad_characters", "The path of the address has characters that no camera uses.")
    if port == 0:
        raise SourceError("bad_address", "The host or the port makes no sense.")
    host = _check_host(parts.hostname or "", is_bracketed="[" in parts.netloc)
    place = f"{host}:{port}" if port else host
    tail = parts.path + (f"?{parts.query}" if parts.query else "")
    username, password = (unquote(part or "") for part in (parts.username, parts.password))
    if not (username + password).isprintable():
        raise SourceError("bad_characters", "User and password have no control characters.")
    return Source("rtsp", f"{scheme.lower()}://{place}{tail}", username, password)


def _check_host(host: str, *, is_bracketed: bool) -> str:
    if is_bracketed or ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host)}]"
        except ValueError as error:
            raise SourceError("bad_address", "This is no IPv6 address.") from error
    if not _HOST.fullmatch(host) or ".." in host:
        raise SourceError("bad_address", "The address needs a host, like rtsp://192.168.1.20/stream1.")
    return host


def system_lookup(host: str, port: int) -> list[str]:
    """Return the addresses of a host as the system knows them; may take seconds, raises OSError."""
    return [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def resolve(source: Source, networks: Sequence[str], lookup: Lookup = system_lookup) -> str:
    """Return the address with its host replaced by one allowed IP address, without user information.

    Every address the name stands for, and every IPv4 address that it is another form of, must lie in ``networks``
    (CIDR); loopback and link-local need a network of their
    own kind there, the whole Internet does not contain them. Raises `SourceError`.
    """
    parts = urlsplit(source.address)
    port = parts.port or RTSP_PORTS[parts.scheme]
    host = allowed_address(parts.hostname or "", port, networks, lookup)
    return parts._replace(netloc=f"[{host}]:{port}" if ":" in host else f"{host}:{port}").geturl()


def allowed_address(host: str, port: int, networks: Sequence[str], lookup: Lookup = system_lookup) -> str:
    """Return an IP address that a host stands for, when all of them lie in ``networks``; raises `SourceError`."""
    try:
        found = [_plain(ipaddress.ip_address(text.partition("%")[0])) for text in lookup(host, port)]
    except (OSError, UnicodeError) as error:
        raise SourceError("unknown_host", "The host name is not known here.") from error
    allowed = [ipaddress.ip_network(text, strict=False) for text in networks]
    if not found or not all(_is_allowed(address, allowed) for address in found):
        raise SourceError(
            "network_not_allowed",
            "The address lies outside the networks for cameras; list its network in FACTORYAI_CAMERA_NETWORKS.",
        )
    return str(found[0])


def _plain(address: Address) -> Address:
    """Return the IPv4 address inside an IPv4-mapped IPv6 one."""
    return getattr(address, "ipv4_mapped", None) or address


TUNNELS = {
    ipaddress.IPv6Network("64:ff9b::/96"): 96,
    ipaddress.IPv6Network("64:ff9b:1::/48"): 96,
    ipaddress.IPv6Network("::ffff:0:0:0/96"): 96,
    ipaddress.IPv6Network("::/96"): 96,
    ipaddress.IPv6Network("2002::/16"): 16,
}
"""Networks whose addresses lead to an IPv4 address, and the bit at which that begins: NAT64 (RFC 6052, RFC 8215), its
stateless form (RFC 7915), IPv4-compatible addresses (RFC 4291), 6to4 (RFC 3056)."""

ISATAP, EITHER_SCOPE = 0x00005EFE, 0xFCFFFFFF
"""What stands before the IPv4 address in the interface's half of an ISATAP address, its two flags aside (RFC 5214)."""

LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
"""Its operator chooses where the IPv4 address lies, so no wider network means it."""


def _hidden(address: Address) -> list[Address]:
    """Return the IPv4 addresses that an IPv6 address leads to."""
    if not isinstance(address, ipaddress.IPv6Address) or address.is_loopback:
        return []
    value = int(address)
    found = [value >> 96 - first & 0xFFFFFFFF for network, first in TUNNELS.items() if address in network]
    if value >> 32 & EITHER_SCOPE == ISATAP:
        found.append(value & 0xFFFFFFFF)
    return [ipaddress.IPv4Address(number) for number in found] + list(address.teredo or ())


def _is_allowed(address: Address, networks: Sequence[Network]) -> bool:
    """Whether an address lies in the networks, and every address that it is another form of."""
    if (
        address.is_multicast
        or address.is_unspecified
        or not all(_is_allowed(one, networks) for one in _hidden(address))
    ):
        return False
    return any(
        address.version == network.version and address in network and _is_meant_for(network, address)
        for network in networks
    )


def _is_meant_for(network: Network, address: Address) -> bool:
    """A network as wide as the Internet does not mean this machine or its neighbours on the wire."""
    if address.is_loopback:
        return network.network_address.is_loopback
    if address.is_link_local:
        return network.network_address.is_link_local
    if address in LOCAL_NAT64:
        return network.network_address in LOCAL_NAT64
    return True


def with_credentials(address: str, username: str, password: str) -> str:
    """Return the address as FFmpeg takes it, user and password percent-encoded. Never log the result."""
    if not (username or password):
        return address
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{quote(username, safe='')}:{quote(password, safe='')}@{rest}"
