"""The broker, the database and the readiness of an installation."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from redis import Redis

from factoryai.embedded import database, readiness, valkey
from factoryai.embedded.errors import CannotStartError
from factoryai.embedded.tether import tied_to_parent


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "valkey.sock"
    process = subprocess.Popen(valkey.command(valkey.find_server(), path), preexec_fn=tied_to_parent())
    deadline = time.monotonic() + 20
    while not valkey.answers(valkey.url(path)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    yield path
    process.terminate()
    process.wait()


def test_only_its_user_can_open_the_socket_of_the_broker(broker):
    assert stat.S_IMODE(broker.stat().st_mode) == 0o700


def test_the_broker_opens_no_port_and_keeps_nothing(broker):
    with Redis.from_url(valkey.url(broker)) as client:
        told = client.config_get("port", "save", "appendonly", "maxmemory")
    assert (told["port"], told["save"], told["appendonly"]) == ("0", "", "no")
    assert int(told["maxmemory"]) == 512 * 1024**2


def test_what_the_broker_is_is_said_with_its_version(broker):
    assert valkey.version(valkey.url(broker)).startswith(("Valkey ", "Redis "))


def test_a_redis_that_is_away_does_not_answer(tmp_path):
    assert not valkey.answers(valkey.url(tmp_path / "nobody.sock"))


def test_a_camera_counts_as_there_once_its_picture_is(broker):
    url = valkey.url(broker)
    with Redis.from_url(url) as client:
        client.set("frames:last:gate", b"picture")
    assert readiness.cameras_without_picture(url, ["gate", "street"]) == ["street"]


def test_without_a_broker_every_camera_is_missing(tmp_path):
    assert readiness.cameras_without_picture(valkey.url(tmp_path / "nobody.sock"), ["gate"]) == ["gate"]


@pytest.fixture
def web() -> Iterator[tuple[int, list[str]]]:
    """A server whose health page is down; it notes the hosts it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Host"])
            self.send_response(503 if self.path == "/api/health" else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"status": "down", "checks": {}}).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, asked
    server.shutdown()
    server.server_close()


def test_a_report_of_bad_health_is_an_answer_all_the_same(web):
    port, asked = web
    assert readiness.web_answers("127.0.0.1", port, "factory.example.com")
    assert readiness.read_health("127.0.0.1", port, "factory.example.com") == {"status": "down", "checks": {}}
    assert set(asked) == {"factory.example.com"}


def test_a_port_where_nobody_serves_is_no_answer():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert not readiness.web_answers("127.0.0.1", closed.getsockname()[1], "localhost")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param("database is locked", "Another program holds", id="locked"),
        pytest.param("file is not a database", "is not a database", id="no database"),
        pytest.param("database disk image is malformed", "is damaged", id="damaged"),
        pytest.param("attempt to write a readonly database", "cannot be written to", id="read-only"),
        pytest.param("unable to open database file", "cannot be opened", id="no right"),
        pytest.param("database or disk is full", "disk is full", id="full"),
        pytest.param(
            'connection to server at "db" failed: Connection refused', "PostgreSQL does not answer", id="away"
        ),
        pytest.param('password authentication failed for user "x"', "refuses the user", id="wrong password"),
        pytest.param("something nobody has seen", "does not work", id="unknown"),
    ],
)
def test_what_the_database_complains_of_is_said_in_words(said, words):
    with pytest.raises(CannotStartError, match=words) as refusal, database.complaints_in_words():
        raise OperationalError(f"{said}\nand a second line")
    assert said in str(refusal.value)
    assert "second line" not in str(refusal.value)


def test_other_faults_pass_as_they_are():
    with pytest.raises(KeyError), database.complaints_in_words():
        raise KeyError("a fault of the program")


@pytest.mark.django_db
def test_the_database_in_use_is_described():
    name = {"sqlite": "SQLite, ", "postgresql": "PostgreSQL "}[connection.vendor]
    assert database.describe().startswith(name)


def test_static_files_are_copied_only_when_one_has_changed(settings, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "one.css").write_text("a {}")
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STATICFILES_DIRS = [source]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    assert database.collect_static()
    assert not database.collect_static()
    (source / "one.css").write_text("a { color: red }")
    assert database.collect_static()
    assert "red" in "".join(path.read_text() for path in (tmp_path / "collected").glob("one*.css"))
