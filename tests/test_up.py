"""`manage.py up` as a person meets it: it starts, shows pictures, says what is wrong, and leaves nothing behind."""

from __future__ import annotations

import itertools
import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.installation import ADMIN_PASSWORD, OWN_SETTINGS, PROJECT, Installation, free_port

pytestmark = pytest.mark.system

NAMES = {"broker", "web", "cameras", "worker", "beat"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation that is ready, for all tests that only look at it."""
    with Installation(tmp_path_factory.mktemp("up") / "data") as installation:
        installation.wait_until_it_says("Ready after")
        yield installation


def up(folder: Path, *options: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `up` where it has to refuse; it ends by itself."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OWN_SETTINGS)}
    return subprocess.run(
        [sys.executable, "manage.py", "up", "--data-dir", folder, *options],
        cwd=PROJECT,
        env={**inherited, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def test_the_health_page_answers_without_a_login(running):
    status, body = running.ask("GET", "/api/health")
    report = json.loads(body)
    assert status == 200
    assert report["checks"]["database"]["status"] == "ok"
    assert report["checks"]["broker"]["status"] == "ok"


@pytest.mark.parametrize("username", ["meena", "farid", "kavita"])
def test_every_printed_login_works(running, username):
    assert running.token(username, running.password_of(username))


def test_the_superuser_has_the_password_of_the_environment(running):
    assert running.token("admin", ADMIN_PASSWORD)


def test_a_wrong_password_is_refused(running):
    body = json.dumps({"username": "farid", "password": "not his"})
    status, _ = running.ask("POST", "/api/v1/auth/token", body, {"Content-Type": "application/json"})
    assert status == 401


@pytest.mark.parametrize("camera", ["street", "gate", "entrance", "door"])
def test_each_demo_camera_streams_pictures_that_change(running, camera):
    token = running.token("farid", running.password_of("farid"))
    pictures = list(itertools.islice(running.pictures(f"/api/video_feed?camera={camera}", token), 6))
    assert all(picture.startswith(b"\xff\xd8") and picture.endswith(b"\xff\xd9") for picture in pictures)
    assert len(set(pictures)) > 1


def test_it_says_in_plain_words_what_it_uses(running):
    for words in ("SQLite", "Valkey", "recognised on this machine", f"http://127.0.0.1:{running.port}/"):
        assert words in running.said


def test_keys_logins_and_database_are_readable_by_their_user_only(running):
    files = [path for path in running.folder.iterdir() if path.is_file()]
    assert {"secret.key", "field.key", "demo-logins.json", "factoryai.sqlite3"} <= {path.name for path in files}
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in files} == {0}
    assert stat.S_IMODE(running.folder.stat().st_mode) == 0o700


def test_no_child_is_given_the_password_of_the_superuser(running):
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert len(children) >= len(NAMES)
    assert not [child for child in children if ADMIN_PASSWORD in child.environ().values()]


def test_a_second_up_on_the_same_data_says_so_and_breaks_nothing(running):
    second = up(running.folder, "--port", str(free_port()))
    assert second.returncode == 1
    assert (
        f"already runs on this data: process {running.process.pid}, http://127.0.0.1:{running.port}/" in second.stderr
    )
    assert running.ask("GET", "/api/health")[0] == 200


def test_a_child_that_dies_is_started_again_and_said_on_the_console(running):
    worker = next(process for process in running.processes() if "worker" in process.cmdline())
    worker.kill()
    running.wait_until_it_says("worker ended (by signal SIGKILL), starting it again in 1 s")
    running.wait_until(lambda: any("worker" in process.cmdline() for process in running.processes()), "no worker came")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_stops_everything_and_leaves_no_process(tmp_path, number):
    with Installation(tmp_path / "data") as installation:
        installation.wait_until_it_says("Ready after")
        before = installation.processes()
        assert len(before) > len(NAMES)
        assert installation.stop(number) == 0
        assert installation.said.rstrip().endswith("Stopped.")
        assert not [process for process in before if process.is_running()]
        assert not installation.processes()
        assert not (installation.folder / "factoryai.sqlite3-wal").exists()


def test_killing_up_itself_leaves_no_process_and_the_next_start_works(tmp_path):
    with Installation(tmp_path / "data") as installation:
        installation.wait_until_it_says("Ready after")
        before = installation.processes()
        installation.stop(signal.SIGKILL)
        wait_until(lambda: not [process for process in before if process.is_running()])
        wait_until(lambda: not installation.processes())
    with Installation(tmp_path / "data") as again:
        again.wait_until_it_says("Ready after")


def test_a_second_start_keeps_data_keys_and_logins(tmp_path):
    with Installation(tmp_path / "data") as first:
        first.wait_until_it_says("Starting;")
        key, password = (tmp_path / "data" / "field.key").read_text(), first.password_of("farid")
        first.stop()
    with Installation(tmp_path / "data") as second:
        second.wait_until_it_says("Ready after")
        assert (tmp_path / "data" / "field.key").read_text() == key
        assert "admin " not in second.said
        assert second.token("farid", password)


def test_without_the_demonstration_there_is_neither_camera_nor_person(tmp_path):
    with Installation(tmp_path / "data", "--no-demo") as installation:
        installation.wait_until_it_says("Ready after")
        token = installation.token("admin", ADMIN_PASSWORD)
        _, body = installation.ask("GET", "/api/v1/cameras", headers={"Authorization": f"Bearer {token}"})
        assert json.loads(body)["count"] == 0
        assert "farid" not in installation.said


def test_a_data_folder_with_a_very_long_name_works(tmp_path):
    folder = tmp_path / ("long-name-" * 12) / "data"
    folder.parent.mkdir()
    with Installation(folder, "--no-demo") as installation:
        installation.wait_until_it_says("Ready after")
        assert installation.stop() == 0


def test_a_port_in_use_is_said_before_anything_is_started(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = up(tmp_path / "data", "--port", str(port))
    assert refused.returncode == 1
    assert f"Port {port} is in use" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    refused = up(tmp_path / "file" / "data")
    assert refused.returncode == 1
    assert "cannot be written to" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_file_that_is_no_database_is_said_and_left_as_it_is(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "factoryai.sqlite3").write_bytes(b"not a database at all, " * 100)
    refused = up(folder, "--port", str(free_port()))
    assert refused.returncode == 1
    assert "is not a database" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (folder / "factoryai.sqlite3").read_bytes().startswith(b"not a database")


def test_a_database_that_another_program_holds_is_said(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    holder = sqlite3.connect(folder / "factoryai.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        refused = up(folder, "--port", str(free_port()))
    finally:
        holder.close()
    assert refused.returncode == 1
    assert "Another program holds the database" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("options", "environment", "words"),
    [
        pytest.param(["--camera", "rtsp://10.0.0.5/"], {}, "NAME=rtsp://", id="camera without a name"),
        pytest.param(
            ["--camera", "gate=rtsp://a:s3cret@127.0.0.1/"], {}, "FACTORYAI_CAMERA_NETWORKS", id="loopback camera"
        ),
        pytest.param(
            [], {"REDIS_URL": "redis://127.0.0.1:1/0"}, "Redis of REDIS_URL does not answer", id="Redis is away"
        ),
        pytest.param([], {"FACTORYAI_FACE_ENGINE": "crystal"}, "Use one of: local, rekognition", id="unknown engine"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_hint(tmp_path, options, environment, words):
    refused = up(tmp_path / "data", "--port", str(free_port()), *options, environment=environment)
    assert refused.returncode == 1
    assert words in refused.stderr
    assert "s3cret" not in refused.stderr + refused.stdout
