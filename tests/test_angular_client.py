"""The Angular client: built from the schema of this code, and its own tests against a real server on another origin."""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browsing import axe_file
from tests.feed_rig import PASSWORD, Rig
from tests.needs import needs_chromium
from tests.node_tools import CLIENT, PROJECT, Npm, needs_npm
from tests.synthetic_camera import SyntheticCamera

pytestmark = pytest.mark.system

POPULATE = """
import datetime as dt
from django.contrib.auth import get_user_model
from attendance.services.punches import NewPunch, record_punch, source_at
from attendance.tests.factories import assign, clock, make_employee, make_shift
from factoryai.sites.models import Membership, Site
from streaming.models import Camera
site = Site.objects.get(slug="pune")
farid = get_user_model().objects.get(username="farid")
for role in ("manager", "hr"):
    Membership.objects.create(user=farid, site=site, role=role)
gate = get_user_model().objects.create_user("gate-device", password="{password}")
Membership.objects.create(user=gate, site=site, role="device")
Camera.objects.update(roles=["gate"], direction="in")
asha = make_employee(site, "E1", "Asha")
assign(asha, make_shift(site, "A", "08:00", "17:00", grace_in_minutes=5))
at = clock("2026-03-02 08:20")
source = source_at(site=site, name="device:gate", kind="device")
record_punch(row=NewPunch(asha.pk, at, "in", "1"), employee=asha, source=source, at=at + dt.timedelta(minutes=1))
"""


class OnePage(http.server.SimpleHTTPRequestHandler):
    """Serves the built client: what is no file is its page, which then shows the address."""

    server_url = ""

    def do_GET(self) -> None:
        if self.path == "/config.json":
            body = f'{{"server": "{self.server_url}"}}'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        if not Path(self.translate_path(self.path)).is_file():
            self.path = "/index.html"
        super().do_GET()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def npm() -> Npm:
    """npm, after the code for the API was generated from the schema of this code."""
    npm = needs_npm()
    schema = CLIENT / "openapi.json"
    command = [sys.executable, "manage.py", "spectacular", "--format", "openapi-json", "--file", str(schema)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    done = npm.run("run", "api", FACTORYAI_SCHEMA=str(schema))
    assert done.returncode == 0, done.stdout + done.stderr
    return npm


@pytest.fixture(scope="module")
def built(npm) -> Path:
    done = npm.run("run", "build")
    assert done.returncode == 0, done.stdout + done.stderr
    return CLIENT / "dist" / "factory-ai" / "browser"


@pytest.fixture
def page_server(built) -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(OnePage, directory=str(built)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_the_clients_own_tests_pass_against_a_real_server(npm, page_server):
    chromium = needs_chromium()
    origin = f"http://127.0.0.1:{page_server.server_port}"
    with Rig(("gate",), FACTORYAI_CORS_ORIGINS=origin) as rig, SyntheticCamera(rig.redis_url, "gate", fps=5):
        rig.shell(POPULATE.format(password=PASSWORD))
        OnePage.server_url = rig.base
        done = npm.run(
            "test", FACTORYAI_URL=rig.base, CLIENT_URL=origin, NAME="farid", PASSWORD=PASSWORD,
            DEVICE="gate-device", CAMERA="gate", SITE="pune", CHROMIUM=str(chromium), AXE=str(axe_file()),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:] + rig.web_log()[-2000:]
    assert "# fail 0" in done.stdout or "ℹ fail 0" in done.stdout


def test_a_misspelt_field_fails_the_build(npm, tmp_path):
    copy = tmp_path / "client"
    shutil.copytree(CLIENT, copy, ignore=shutil.ignore_patterns("node_modules", "dist", ".angular", "tests"))
    (copy / "node_modules").symlink_to(CLIENT / "node_modules")
    page = copy / "src" / "app" / "pages" / "attendance.ts"
    text = page.read_text(encoding="utf-8")
    assert "day.worked_minutes" in text
    page.write_text(text.replace("day.worked_minutes", "day.worked_minuets"), encoding="utf-8")
    compiler = copy / "node_modules" / ".bin" / "ngc"
    done = subprocess.run(
        [compiler, "-p", "tsconfig.json", "--noEmit"],
        cwd=copy, env=npm.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert "worked_minuets" in done.stdout + done.stderr


def test_the_lock_file_names_no_registry():
    text = (CLIENT / "package-lock.json").read_text(encoding="utf-8")
    assert '"integrity": "sha512-' in text
    assert "resolved" not in text
    assert "http://" not in text
