"""A whole small installation for system tests and benches: Valkey, a SQLite file, the real ``manage.py serve``."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet

from factoryai.embedded import valkey
from factoryai.embedded.tether import tied_to_parent

PROJECT = Path(__file__).resolve().parent.parent
PASSWORD = "a long sentence to log in with"
POPULATE = """
from django.contrib.auth import get_user_model
from factoryai.sites.models import Membership, Site
from streaming.models import Camera
site = Site.objects.create(slug="pune", name="Pune")
other = Site.objects.create(slug="chennai", name="Chennai")
for name, place in (("farid", site), ("stranger", other)):
    user = get_user_model().objects.create_user(name, password="{password}")
    Membership.objects.create(user=user, site=place, role="security")
for slug in {slugs}:
    Camera.objects.create(site=site, slug=slug, name=slug.replace("-", " ").capitalize(), address="demo:street")
"""


class Rig:
    """Use as a context: everything is started on entering and gone after leaving."""

    def __init__(self, slugs: Sequence[str] = ("gate",), **settings: str) -> None:
        self.slugs, self.settings = list(slugs), settings
        self._field_key = Fernet.generate_key().decode()
        self.folder = Path(tempfile.mkdtemp(prefix="factoryai-feed-"))
        self.socket = self.folder / "valkey.sock"
        self.redis_url = valkey.url(self.socket)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._broker: subprocess.Popen[bytes] | None = None
        self.web: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Rig:
        try:
            self.start_broker()
            self._manage("migrate", "--verbosity", "0")
            self._manage("shell", "--verbosity", "0", "--command", POPULATE.format(slugs=self.slugs, password=PASSWORD))
            self.start_web()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for process in (self.web, self._broker):
            end(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FACTORYAI_")}
        return {
            **kept,
            "FACTORYAI_DATA_DIR": str(self.folder),
            "FACTORYAI_SECRET_KEY": "k" * 60,
            "FACTORYAI_FIELD_KEY": self._field_key,
            "DATABASE_URL": f"sqlite:///{self.folder / 'factoryai.sqlite3'}",
            "REDIS_URL": self.redis_url,
            "PYTHONUNBUFFERED": "1",
            **self.settings,
        }

    def start_broker(self) -> None:
        command = valkey.command(valkey.find_server(), self.socket)
        self._broker = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=tied_to_parent())
        wait_until(lambda: valkey.answers(self.redis_url), "Valkey")

    def stop_broker(self) -> None:
        end(self._broker)

    def start_web(self) -> None:
        log = (self.folder / "web.log").open("ab")
        command = [sys.executable, "manage.py", "serve", "--port", str(self.port)]
        self.web = subprocess.Popen(
            command, cwd=PROJECT, env=self.environment, stdout=log, stderr=log, preexec_fn=tied_to_parent()
        )
        wait_until(lambda: can_connect(self.port), "the web", self.web)

    def web_log(self) -> str:
        return (self.folder / "web.log").read_text(encoding="utf-8", errors="replace")

    def shell(self, code: str) -> None:
        """Run Python in the installation, for a change that another process makes."""
        self._manage("shell", "--verbosity", "0", "--command", code)

    def collect_static(self) -> None:
        """Serve the style sheets and scripts packed, as an installation does, from now on."""
        self._manage("collectstatic", "--noinput", "--verbosity", "0")
        end(self.web)
        self.start_web()

    def login(self, username: str = "farid") -> str:
        """Log in as a browser does and return the Cookie header."""
        jar = Jar()
        opener = urllib.request.build_opener(jar, NoRedirect)
        page = opener.open(f"{self.base}/login", timeout=10).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
        form = f"username={username}&password={PASSWORD.replace(' ', '+')}&csrfmiddlewaretoken={token}"
        headers = {"Referer": f"{self.base}/login", "Cookie": jar.header}
        request = urllib.request.Request(f"{self.base}/login", form.encode(), headers)
        with contextlib.suppress(urllib.error.HTTPError):  # a redirect, which is not followed
            opener.open(request, timeout=10)
        assert "sessionid" in jar.cookies, "the login was refused"
        return jar.header

    def get_json(self, path: str, cookie: str = "") -> tuple[int, dict]:
        request = urllib.request.Request(f"{self.base}{path}", headers={"Cookie": cookie} if cookie else {})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def _manage(self, *arguments: str) -> None:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=PROJECT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


class Jar(urllib.request.BaseHandler):
    """Keeps the cookies of one person."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def http_response(self, request: urllib.request.Request, response: object) -> object:
        for line in response.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response

    @property
    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def can_connect(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.5).close()
    except OSError:
        return False
    return True


def end(process: subprocess.Popen[bytes] | None) -> None:
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def wait_until(condition, what: str, process: subprocess.Popen[bytes] | None = None, limit_s: float = 120.0) -> None:
    """Wait until ``condition()`` holds. Fails when it does not, or when ``process`` ended."""
    deadline = time.monotonic() + limit_s
    while not condition():
        assert process is None or process.poll() is None, f"{what} ended with {process.returncode}"
        assert time.monotonic() < deadline, f"{what} took more than {limit_s:.0f} s"
        time.sleep(0.05)
