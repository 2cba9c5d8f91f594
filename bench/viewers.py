"""Viewers of one 720p camera at 10 fps: 1 to 300, beside the limit, an encode per viewer, and motion.

``python -m bench.viewers [--viewers 1,10,50,100,300] [--seconds 8] [--peers ours,bare,per-viewer,motion]``

Client, camera and server share the machine. CPU is the server's alone, in percent of one core; ages are from capture to
the last byte at the viewer. motion also decodes its camera, so it is compared by what a viewer adds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.peers import Motion
from factoryai.embedded.tether import tied_to_parent
from tests.feed_rig import PROJECT, Rig, can_connect, end, free_port, wait_until
from tests.viewers import Viewer, feed_request, watch

WARM_S = 2.0
COUNTS = (1, 10, 50, 100, 300)
PER_VIEWER_LIMIT = 50
"""More only shows the same collapse for longer."""


@dataclass(frozen=True)
class Server:
    """Something that serves MJPEG: its process, its port, and how to ask."""

    name: str
    pid: int
    port: int
    request: bytes
    limit: int = 100_000


@dataclass(frozen=True)
class Result:
    viewers: int
    fps_least: float
    fps_median: float
    age_p50_ms: float
    age_p95_ms: float
    cpu_percent: float
    threads: int
    rss_mb: float


def measure(server: Server, count: int, seconds: float) -> Result:
    """Open ``count`` viewers, let them settle, and measure for ``seconds``."""
    viewers = []
    for _ in range(count):
        viewers.append(Viewer(server.port, server.request))
        if len(viewers) % 20 == 0:
            watch(viewers, 0.05)
    watch(viewers, WARM_S + count / 100)
    for viewer in viewers:
        viewer.arrivals.clear()
        viewer.ages.clear()
    process = psutil.Process(server.pid)
    began, cpu_before = time.monotonic(), cpu_s(process)
    watch(viewers, seconds)
    took, cpu = time.monotonic() - began, cpu_s(process) - cpu_before
    threads, rss = process.num_threads(), process.memory_info().rss / 1e6
    for viewer in viewers:
        viewer.close()
    rates = [len(viewer.arrivals) / took for viewer in viewers]
    ages = sorted(1000 * age for viewer in viewers for age in viewer.ages) or [float("nan")]
    p50, p95 = (ages[min(len(ages) - 1, int(len(ages) * share))] for share in (0.5, 0.95))
    return Result(count, min(rates), statistics.median(rates), p50, p95, 100 * cpu / took, threads, rss)


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


@contextmanager
def started(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=PROJECT, preexec_fn=tied_to_parent())
    try:
        wait_until(lambda: can_connect(port), "the server", process)
        yield process
    finally:
        end(process)


@contextmanager
def ours() -> Iterator[Server]:
    """Serve by `manage.py serve`, with the pictures published by another process over Valkey."""
    with Rig(["gate"]) as rig:
        command = [sys.executable, "-m", "tests.synthetic_camera", "--redis", rig.redis_url, "--camera", "gate"]
        camera = subprocess.Popen(command, cwd=PROJECT, preexec_fn=tied_to_parent())
        try:
            request = feed_request("/api/video_feed?camera=gate&tier=full", rig.login())
            yield Server("Factory AI", rig.web.pid, rig.port, request)
        finally:
            end(camera)


@contextmanager
def peer(name: str, title: str, limit: int = 100_000) -> Iterator[Server]:
    port = free_port()
    with started([sys.executable, "-m", "bench.peers", name, "--port", str(port)], port) as process:
        yield Server(title, process.pid, port, feed_request("/"), limit)


@contextmanager
def motion() -> Iterator[Server | None]:
    if not Motion.is_here():
        print("motion is not installed (apt-get install motion): left out.")
        yield None
        return
    with tempfile.TemporaryDirectory() as folder, peer("bare", "its camera") as source:
        server = Motion(free_port(), source.port, Path(folder))
        server.start()
        try:
            wait_until(lambda: can_connect(server._port), "motion", server.process)
            time.sleep(5)  # its first seconds are slower than the rest
            yield Server("motion (decodes its camera too)", server.process.pid, server._port, feed_request("/"), 100)
        finally:
            end(server.process)


PEERS: dict[str, Callable[[], object]] = {
    "ours": ours,
    "bare": lambda: peer("bare", "bare socket loop (limit)"),
    "per-viewer": lambda: peer("per-viewer", "encode per viewer", PER_VIEWER_LIMIT),
    "motion": motion,
}


def run(name: str, counts: list[int], seconds: float) -> tuple[str, list[Result]]:
    with PEERS[name]() as server:
        if server is None:
            return name, []
        results = []
        print(
            f"\n{server.name}\n{'viewers':>8}{'fps least':>11}{'median':>8}{'age p50':>9}{'p95 ms':>8}{'CPU %':>7}"
            f"{'threads':>9}{'RSS MB':>8}"
        )
        for count in (count for count in counts if count <= server.limit):
            result = measure(server, count, seconds)
            results.append(result)
            print(
                f"{count:>8}{result.fps_least:>11.1f}{result.fps_median:>8.1f}{result.age_p50_ms:>9.0f}"
                f"{result.age_p95_ms:>8.0f}{result.cpu_percent:>7.1f}{result.threads:>9}{result.rss_mb:>8.0f}",
                flush=True,
            )
            time.sleep(1)
        return name, results


def compare(found: dict[str, list[Result]]) -> None:
    """Print the goals as ratios."""
    at = {name: {result.viewers: result for result in results} for name, results in found.items()}
    mine = at.get("ours", {})
    print("\nGoals")
    if 100 in mine and 100 in at.get("bare", {}):
        ratio = mine[100].cpu_percent / at["bare"][100].cpu_percent
        print(f"  CPU at 100 viewers: {ratio:.2f} x the bare loop (goal 1.5 or less)")
    if 100 in mine and 100 in at.get("motion", {}):
        added = [added_cpu(results) for results in (mine, at["motion"])]
        print(f"  CPU a viewer adds: {added[0]:.3f} % beside motion's {added[1]:.3f} %: {added[0] / added[1]:.2f} x")
        print(f"  whole CPU at 100: {mine[100].cpu_percent:.1f} % beside {at['motion'][100].cpu_percent:.1f} %")
    if 300 in mine:
        print(f"  least fps at 300 viewers: {mine[300].fps_least:.1f} (goal 9.5 or more)")
    if 1 in mine and 100 in mine:
        print(f"  threads added by 99 viewers: {mine[100].threads - mine[1].threads} (goal 0)")


def added_cpu(results: dict[int, Result]) -> float:
    return (results[100].cpu_percent - results[1].cpu_percent) / 99


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viewers", default=",".join(map(str, COUNTS)))
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--peers", default=",".join(PEERS))
    args = parser.parse_args()
    counts = [int(count) for count in args.viewers.split(",")]
    print(f"One 720p camera at 10 fps; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    compare(dict(run(name, counts, args.seconds) for name in args.peers.split(",")))


if __name__ == "__main__":
    main()
