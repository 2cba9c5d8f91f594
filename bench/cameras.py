"""What a camera costs the machine: cameras per core without and with detection, memory of each, beside bare decoding.

``python -m bench.cameras [--cameras 4] [--seconds 15]``

The cameras are real RTSP servers (720p, 10 fps, motion JPEG) whose own processes are not counted. CPU is in percent of
one core, of the camera process and all its readers. The limit is one bare OpenCV loop per camera that only decodes.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from factoryai.embedded import valkey
from factoryai.embedded.tether import tied_to_parent
from tests.rtsp import rtsp_camera

SIZE = (1280, 720)
SOURCE_FPS = 10.0
WARM_S = 8.0
BARE = (
    "import os, sys, cv2\n"
    "from streaming.reader import environment\n"
    "os.environ.update(environment('rtsp'))\n"
    "c = cv2.VideoCapture(sys.argv[1], cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])\n"
    "while c.read()[0]: pass\n"
)


@dataclass(frozen=True)
class Row:
    name: str
    cameras: int
    cpu_percent: float
    memory_mb: float

    @property
    def per_camera(self) -> float:
        return self.cpu_percent / self.cameras


def measure(name: str, cameras: int, process: psutil.Process, seconds: float) -> Row:
    """Return the CPU and the memory (proportional set size) of a process and its children over ``seconds``."""
    time.sleep(WARM_S)
    before, began = cpu_of(process), time.monotonic()
    time.sleep(seconds)
    cpu = (cpu_of(process) - before) / (time.monotonic() - began) * 100
    memory = sum(member.memory_full_info().pss for member in family(process)) / 1e6
    return Row(name, cameras, cpu, memory)


def family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def cpu_of(process: psutil.Process) -> float:
    return sum(sum(member.cpu_times()[:2]) for member in family(process))


def bare(urls: list[str], seconds: float) -> Row:
    """Decode every camera in a loop of its own that does nothing else."""
    command = [sys.executable, "-c", BARE]
    shell = "; ".join([*(f"'{command[0]}' -c \"$BARE\" {url} &" for url in urls), "wait"]).replace("&;", "&")
    environment = {**os.environ, "BARE": BARE}
    process = subprocess.Popen(["/bin/sh", "-c", shell], env=environment, start_new_session=True)
    try:
        return measure("bare decoding", len(urls), psutil.Process(process.pid), seconds)
    finally:
        for member in family(psutil.Process(process.pid)):
            member.kill()
        process.wait()


@contextlib.contextmanager
def installation(urls: list[str], *, detect_fps: float) -> Iterator[dict[str, str]]:
    """Make a database with the cameras, and a Valkey; yield the environment of a camera process on them."""
    with tempfile.TemporaryDirectory(prefix="factoryai-bench-") as folder:
        socket = Path(folder) / "valkey.sock"
        server = subprocess.Popen(
            valkey.command(valkey.find_server(), socket), stdout=subprocess.DEVNULL, preexec_fn=tied_to_parent()
        )
        environment = {
            **os.environ,
            "FACTORYAI_DATA_DIR": folder,
            "REDIS_URL": valkey.url(socket),
            "FACTORYAI_CAMERA_NETWORKS": "127.0.0.0/8",
        }
        try:
            call = [sys.executable, "manage.py"]
            subprocess.run([*call, "migrate", "--verbosity", "0"], env=environment, check=True)
            subprocess.run(
                [*call, "shell", "-c", _rows(urls, detect_fps)], env=environment, check=True, stdout=subprocess.DEVNULL
            )
            yield environment
        finally:
            server.terminate()
            server.wait()


def _rows(urls: list[str], detect_fps: float) -> str:
    return (
        "from factoryai.sites.models import Site; from streaming.models import Camera\n"
        "site = Site.objects.create(slug='bench', name='Bench')\n"
        f"for n, url in enumerate({urls!r}):\n"
        f"    Camera.objects.create(site=site, slug=f'c{{n}}', name=f'C{{n}}', address=url, detect_fps={detect_fps})\n"
    )


def ours(urls: list[str], seconds: float, *, detect_fps: float) -> Row:
    name = f"camera process, detection {detect_fps:g} fps" if detect_fps else "camera process, no detection"
    with installation(urls, detect_fps=detect_fps) as environment:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run_cameras"],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=tied_to_parent(),
        )
        try:
            return measure(name, len(urls), psutil.Process(process.pid), seconds)
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=15)
    wanted = parser.parse_args()
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(rtsp_camera(size=SIZE, fps=SOURCE_FPS)) for _ in range(wanted.cameras)]
        urls = [camera.address for camera in made]
        rows = [
            bare(urls, wanted.seconds),
            ours(urls, wanted.seconds, detect_fps=0),
            ours(urls, wanted.seconds, detect_fps=5),
        ]
    limit = rows[0]
    print(f"{wanted.cameras} cameras, {SIZE[0]}x{SIZE[1]} at {SOURCE_FPS:g} fps, nobody watching, {wanted.seconds:g} s")
    print(f"{'':36}{'CPU %':>8}{'per camera':>12}{'per core':>10}{'x limit':>9}{'MB/camera':>11}")
    for row in rows:
        per_core = 100 / row.per_camera if row.per_camera else float("inf")
        print(
            f"{row.name:36}{row.cpu_percent:8.1f}{row.per_camera:12.2f}{per_core:10.1f}"
            f"{row.cpu_percent / max(limit.cpu_percent, 1e-9):9.2f}{row.memory_mb / row.cameras:11.1f}"
        )


if __name__ == "__main__":
    main()
