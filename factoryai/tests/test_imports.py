"""The contracts of pyproject.toml: imports point one way, rules are pure."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import factoryai

ROOT = Path(factoryai.__file__).resolve().parent.parent


def test_imports_keep_the_contracts():
    lint = Path(sys.executable).with_name("lint-imports")
    command = [str(lint), "--config", "pyproject.toml", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
