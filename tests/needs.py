"""What some tests need from the machine. On CI nothing may be missing; elsewhere the test says what to install."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

GSTREAMER_PROBE = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0');"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
    "import sys; sys.exit(not all(map(Gst.ElementFactory.find, ('x264enc', 'rtph264pay', 'decodebin', 'appsrc'))))"
)
GSTREAMER_PACKAGES = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad "
    "gstreamer1.0-plugins-ugly gstreamer1.0-libav"
)


def needs_gstreamer() -> Path:
    """Return the Python that runs Debian's gst-rtsp-server, or skip (fail on CI)."""
    python = Path("/usr/bin/python3")
    if not _runs_gstreamer(python):
        lack(f"gst-rtsp-server is not installed: apt-get install {GSTREAMER_PACKAGES}")
    return python


def needs_chromium() -> Path:
    """Return the path of Chromium, or skip (fail on CI)."""
    return needs_program("chromium", "chromium")


def needs_ffprobe() -> Path:
    """Return the path of ffprobe, or skip (fail on CI)."""
    return needs_program("ffprobe", "ffmpeg")


def needs_program(name: str, package: str) -> Path:
    """Return the path of a program on the search path, or skip (fail on CI) naming the Debian package it is in."""
    path = shutil.which(name)
    if not path:
        lack(f"{name} is not installed: apt-get install {package}")
    return Path(path)


def needs_footage(name: str) -> Path:
    """Return a clip or photograph, or skip: they are not part of the project.

    `FACTORYAI_FOOTAGE` names the folder that holds ``video``, ``faces`` and ``plates``, or one of these three.
    """
    folder = os.environ.get("FACTORYAI_FOOTAGE")
    places = [Path(folder), Path(folder).parent] if folder else []
    found = next((place / name for place in places if (place / name).is_file()), None)
    if found is None:
        pytest.skip(f"FACTORYAI_FOOTAGE names no folder with {name}")
    return found


def lack(reason: str) -> NoReturn:
    """Skip the running test with ``reason``; under ``CI=true`` fail it, for there nothing is left out."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{reason} (nothing is skipped under CI=true)", pytrace=False)
    pytest.skip(reason)


@cache
def _runs_gstreamer(python: Path) -> bool:
    if not python.is_file():
        return False
    return subprocess.run([python, "-c", GSTREAMER_PROBE], capture_output=True, check=False).returncode == 0
