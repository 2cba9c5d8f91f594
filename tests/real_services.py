"""pytest plugin: a real Valkey always, and a real PostgreSQL when asked for, before Django reads its settings.

``FACTORYAI_TEST_ENGINE`` is ``sqlite`` (the default) or ``postgres``. `DATABASE_URL` and `REDIS_URL`, when given, are
used instead of servers of our own. It is loaded with ``-p`` and not from a conftest, which pytest reads too late.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from asgiref.sync import SyncToAsync
from cryptography.fernet import Fernet
from django.db import connections

from factoryai.embedded import valkey
from factoryai.embedded.tether import tied_to_parent
from tests.real_postgres import Postgres

ENGINES = ("sqlite", "postgres")
KEPT = ("FACTORYAI_TEST_", "FACTORYAI_FOOTAGE")
"""Settings of the tests themselves; every other ``FACTORYAI_`` name of the shell would change what is tested."""

_services: list[Services] = []


class Services:
    """What one pytest process runs on. Workers of pytest-xdist share PostgreSQL and have a Valkey each."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="factoryai-tests-"))
        self.is_worker = "PYTEST_XDIST_WORKER" in os.environ
        self.postgres: Postgres | None = None
        self.valkey: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start what is missing and point the settings at it."""
        _forget_settings_of_the_shell()
        os.environ["FACTORYAI_MODE"] = "embedded"
        os.environ["FACTORYAI_DATA_DIR"] = str(self._data_dir())
        os.environ.setdefault("FACTORYAI_TEST_ENGINE", _engine_given() or "sqlite")
        for name in ("FACTORYAI_SECRET_KEY", "FACTORYAI_FIELD_KEY"):
            os.environ[name] = Fernet.generate_key().decode()
        self._choose_database()
        self._choose_redis()

    def stop(self) -> None:
        """End the servers and remove the folder."""
        if self.valkey:
            self.valkey.terminate()
            self.valkey.wait(10)
        if self.postgres:
            self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _data_dir(self) -> Path:
        path = self.folder / "data"
        path.mkdir(mode=0o700)
        return path

    def _choose_database(self) -> None:
        engine = os.environ["FACTORYAI_TEST_ENGINE"]
        if engine not in ENGINES:
            raise pytest.UsageError(f"FACTORYAI_TEST_ENGINE is {engine!r}; write {' or '.join(ENGINES)}")
        if engine == "sqlite":
            os.environ["DATABASE_URL"] = f"sqlite:///{self.folder / 'data' / 'factoryai.sqlite3'}"
        elif _engine_given() != "postgres":
            self.postgres = Postgres(self.folder / "postgres")
            self.postgres.start()
            os.environ["DATABASE_URL"] = self.postgres.url

    def _choose_redis(self) -> None:
        """Start a Valkey unless one was given; a worker does not take its controller's for a given one."""
        given = os.environ.setdefault("FACTORYAI_TEST_REDIS", os.environ.get("REDIS_URL") or "own")
        if given != "own":
            return
        socket = self.folder / "valkey.sock"
        self.valkey = subprocess.Popen(
            valkey.command(valkey.find_server(), socket),
            stdout=subprocess.DEVNULL,
            preexec_fn=tied_to_parent(),
        )
        os.environ["REDIS_URL"] = valkey.url(socket)
        _wait_until_it_answers(os.environ["REDIS_URL"], self.valkey)


def _forget_settings_of_the_shell() -> None:
    for name in [name for name in os.environ if name.startswith("FACTORYAI_") and not name.startswith(KEPT)]:
        del os.environ[name]


def _engine_given() -> str:
    """Return the engine that `DATABASE_URL` names, or nothing."""
    scheme = os.environ.get("DATABASE_URL", "").partition(":")[0]
    return {"postgres": "postgres", "postgresql": "postgres", "sqlite": "sqlite"}.get(scheme, "")


def _wait_until_it_answers(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while not valkey.answers(address):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("Valkey for the tests did not start")
        time.sleep(0.02)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """Start everything before any other plugin looks at the settings: a wrapper runs first whatever the order."""
    services = Services()
    _services.append(services)
    services.start()
    return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Give SQLite tests a database in a file: in memory it locks and shares otherwise than what ships.

    Passwords are hashed cheaply: a test makes nine people, and the shipped hash takes a third of a second for each.
    """
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if os.environ["FACTORYAI_TEST_ENGINE"] == "sqlite":
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(_services[0].folder / "tests.sqlite3")


@pytest.fixture(autouse=True)
def _hand_back_connections_of_async_tests(request: pytest.FixtureRequest) -> Generator[None]:
    """Close what `sync_to_async` opened in its thread: no request ends in a test, so nobody else does.

    Left open, such a connection keeps a restore from having the database to itself, and the test database from going.
    """
    yield
    if request.node.get_closest_marker("asyncio"):
        SyncToAsync.single_thread_executor.submit(connections.close_all).result()


def pytest_unconfigure() -> None:
    while _services:
        _services.pop().stop()


def pytest_report_header() -> str:
    engine = {"sqlite": "SQLite", "postgres": "PostgreSQL"}[os.environ["FACTORYAI_TEST_ENGINE"]]
    return f"Runs on {engine} and {valkey.version(os.environ['REDIS_URL'])}"
