"""The services of docker-compose.yml: their very commands, settings and health checks, as processes on PostgreSQL.

There is no container engine in the tests, so what only an engine does (isolation, limits, restarts) is not shown here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from factoryai.embedded import folder, valkey
from factoryai.embedded.readiness import web_answers
from factoryai.embedded.tether import tied_to_parent
from streaming.scenes import SCENES
from tests.installation import OWN_SETTINGS, PROJECT, free_port
from tests.real_postgres import Postgres

pytestmark = pytest.mark.system

HOST = "factory.example.com"
RUNNING = ("web", "worker", "beat", "cameras", "scenes")
PATIENCE_S = 300
"""How long the slowest machine may take; nothing is judged by it."""
VARIABLES = {
    "FACTORYAI_HOSTS": HOST,
    "FACTORYAI_MEDIA_URL": "",
    "FACTORYAI_TRUSTED_PROXIES": "127.0.0.1",  # the tests stand for the proxy that speaks TLS
    "FACTORYAI_CAMERA_NETWORKS": "127.0.0.0/8",  # where the engine's network would be
}


class Services:
    """The services of the compose file, with its places put onto a temporary folder and free ports."""

    def __init__(self, place: Path, database_url: str, redis_url: str) -> None:
        self.place, self.port = place, free_port()
        scenes_port, self.logins = str(free_port()), ""
        self.compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
        self._places = {
            "/data": str(place / "data"),
            "/run/secrets/secret_key": str(place / "secrets" / "secret.key"),
            "/run/secrets/field_key": str(place / "secrets" / "field.key"),
            "/run/secrets/database_url": str(place / "secrets" / "database.url"),
            "redis://redis:6379/0": redis_url,
            "8000": str(self.port),
            "8554": scenes_port,
            "rtsp://scenes:8554/": f"rtsp://127.0.0.1:{scenes_port}/",
        }
        folder.make_service_secrets(place / "secrets")
        (place / "secrets" / "database.url").chmod(0o600)
        (place / "secrets" / "database.url").write_text(database_url)
        (place / "data").mkdir()

    def environment(self, name: str) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(OWN_SETTINGS)}
        given = {key: self._fill(value) for key, value in self.compose["services"][name]["environment"].items()}
        if "FACTORYAI_PULSE" in given:  # each container has a /tmp of its own
            given["FACTORYAI_PULSE"] = str(self.place / f"{name}.pulse")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        return {**inherited, **given, "PATH": path}

    def command(self, words: list[str]) -> list[str]:
        return [self._places.get(word, word) for word in words]

    def start(self, name: str) -> subprocess.Popen[bytes]:
        with (self.place / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                self.command(self.compose["services"][name]["command"]),
                cwd=PROJECT,
                env=self.environment(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=tied_to_parent(),
            )

    def run(self, name: str, words: list[str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a service's command, or another one in its surroundings, to its end."""
        return subprocess.run(
            self.command(words or self.compose["services"][name]["command"]),
            cwd=PROJECT,
            env=self.environment(name),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def ask(self, path: str, body: object = None, token: str = "") -> Any:
        """Ask the API as the proxy does, and return what the answer says."""
        headers = {"Host": HOST, "X-Forwarded-Proto": "https", "Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def token(self, username: str) -> str:
        password = re.search(rf"^{username} +(\S+)", self.logins, re.MULTILINE)[1]
        return self.ask("/api/v1/auth/token", {"username": username, "password": password})["access"]

    def log(self, name: str) -> str:
        return (self.place / f"{name}.log").read_text(errors="replace")[-4000:]

    def _fill(self, value: str) -> str:
        """Put the places in, and the variables as the shell of whoever starts it has them."""
        if value.startswith("${"):
            name, _, default = value[2:-1].partition(":")
            value = VARIABLES.get(name) or default.lstrip("-")
        return self._places.get(value, value.replace("/data", self._places["/data"]))


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that PostgreSQL, which runs as another user, can reach; pytest's own are closed."""
    path = Path(tempfile.mkdtemp(prefix="factoryai-production-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def redis_url(place: Path) -> Iterator[str]:
    socket = place / "valkey.sock"
    process = subprocess.Popen(valkey.command(valkey.find_server(), socket), preexec_fn=tied_to_parent())
    deadline = time.monotonic() + PATIENCE_S
    while not valkey.answers(valkey.url(socket)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield valkey.url(socket)
    process.terminate()
    process.wait()


@pytest.fixture(scope="module")
def services(place: Path, redis_url: str) -> Iterator[Services]:
    """The services after `prepare`, on an empty PostgreSQL."""
    postgres = Postgres(place / "postgres")
    postgres.start()
    services = Services(place, postgres.url, redis_url)
    prepared = services.run("prepare")
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    yield services
    postgres.stop()


@pytest.fixture(scope="module")
def running(services: Services) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """All services that run on, with the demonstration in them."""
    added = services.run("demo")
    assert added.returncode == 0, added.stdout + added.stderr
    services.logins = added.stdout
    with ExitStack() as stack:
        processes = {}
        for name in RUNNING:
            processes[name] = services.start(name)
            stack.callback(processes[name].wait)
            stack.callback(processes[name].kill)
        yield processes


def test_the_deployment_check_has_nothing_to_say(services):
    checked = services.run("web", ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"])
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


def test_preparing_twice_changes_nothing(services):
    assert services.run("prepare").returncode == 0


def test_without_its_secrets_a_service_refuses_to_start(services):
    environment = {key: value for key, value in services.environment("web").items() if not key.endswith("KEY_FILE")}
    started = subprocess.run(
        ["python", "manage.py", "check"], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert started.returncode != 0
    assert "production needs both" in started.stderr


@pytest.mark.parametrize("name", RUNNING)
def test_each_service_becomes_healthy_by_its_own_check(services, running, name):
    check = services.compose["services"][name]["healthcheck"]["test"][1:]
    deadline = time.monotonic() + PATIENCE_S
    while (result := services.run(name, check)).returncode != 0:
        assert running[name].poll() is None, services.log(name)
        assert time.monotonic() < deadline, f"{result.stdout}{result.stderr}\n{services.log(name)}"
        time.sleep(1)


def test_the_demonstration_is_seen_counted_and_worked_on(services, running):
    """Network cameras, read by RTSP, become pictures and facts, and what the clock asks for is done by the worker."""
    deadline = time.monotonic() + PATIENCE_S
    while not web_answers("127.0.0.1", services.port, HOST):
        assert time.monotonic() < deadline, services.log("web")
        time.sleep(0.5)
    token = services.token("kavita")
    missing = {camera["slug"] for camera in services.ask("/api/v1/cameras", token=token)["results"]}
    assert len(missing) == len(SCENES)
    begun = {zone["zone"]: zone["since"] for zone in services.ask("/api/v1/occupancy/now", token=token)}

    def all_were_live() -> bool:
        """Each at some time: a busy machine may lose one again."""
        for slug in list(missing):
            if services.ask(f"/api/v1/cameras/{slug}/status", token=token)["state"] == "live":
                missing.discard(slug)
        return not missing

    def a_fact_was_recorded() -> bool:
        """Somebody counted or seen, or a plate read, whichever a busy machine gets to first."""
        lists = ("identity/sightings", "identity/unknown-faces", "vehicles/logs")
        zones = services.ask("/api/v1/occupancy/now", token=token)
        is_counted = any(zone["since"] != begun[zone["zone"]] for zone in zones)
        return is_counted or any(services.ask(f"/api/v1/{name}", token=token)["results"] for name in lists)

    def a_job_was_done() -> bool:
        jobs = services.ask("/api/v1/occupancy/scheduler-status", token=token)["jobs"]
        return any(job["last_result"] == "ok" for job in jobs)

    for came_true in (all_were_live, a_job_was_done, a_fact_was_recorded):
        while not came_true():
            logs = f"{services.log('cameras')}\n{services.log('worker')}"
            assert time.monotonic() < deadline, f"{came_true.__name__}: no\n{logs}"
            time.sleep(0.5)


def test_the_health_report_stands_on_postgresql(services, running):
    report = services.ask("/api/health")
    assert report["checks"]["database"] == {"status": "ok", "message": "postgresql answers."}
    assert report["checks"]["broker"]["status"] == "ok"


def test_a_host_nobody_named_is_refused(services, running):
    request = urllib.request.Request(f"http://127.0.0.1:{services.port}/login", headers={"Host": "elsewhere.example"})
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=30)
    assert refusal.value.code == 400


@pytest.mark.parametrize("name", ["cameras", "beat", "worker", "web", "scenes"])
def test_each_service_ends_by_itself_when_it_is_told_to(services, running, name):
    """Keep this the last: the services are gone afterwards."""
    running[name].terminate()
    grace_s = int(services.compose["services"][name]["stop_grace_period"].removesuffix("s"))
    assert running[name].wait(grace_s) in {0, -15}, services.log(name)
