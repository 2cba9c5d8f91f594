"""One slow viewer (300 kB/s) and ten that stop reading, beside fifty healthy ones of a 720p camera at 10 fps.

``python -m bench.slow_viewers [--seconds 20]``
"""

from __future__ import annotations

import argparse
import statistics
import time

import psutil

from bench.viewers import Server, ours
from tests.viewers import Viewer, watch

HEALTHY, STALLED = 50, 10
SLOW_RATE = 300_000
SMALL_BUFFER = 65_536


def fps(viewers: list[Viewer], seconds: float) -> tuple[float, float]:
    """Forget what came, watch, and return least and median pictures a second."""
    for viewer in viewers:
        viewer.arrivals.clear()
        viewer.ages.clear()
    watch(viewers, seconds)
    rates = [len(viewer.arrivals) / seconds for viewer in viewers if viewer.rate is None]
    return min(rates), statistics.median(rates)


def connected(server: Server, ports: set[int]) -> set[int]:
    """Return which of the clients' ports the server is still connected to."""
    found = psutil.Process(server.pid).net_connections("tcp4")
    return {item.raddr.port for item in found if item.raddr and item.status == psutil.CONN_ESTABLISHED} & ports


def time_to_drop(server: Server, healthy: list[Viewer], stalled: list[Viewer]) -> float:
    """Return the seconds from their coming until the server has let go of every viewer that stopped reading."""
    began, ports = time.monotonic(), {viewer.socket.getsockname()[1] for viewer in stalled}
    while connected(server, ports) != ports:
        watch(healthy, 0.05)
    while connected(server, ports) and time.monotonic() - began < 60:
        watch(healthy, 0.1)
    return time.monotonic() - began


def measure(server: Server, seconds: float) -> None:
    healthy = [Viewer(server.port, server.request) for _ in range(HEALTHY)]
    watch(healthy, 3)
    before, memory = fps(healthy, seconds / 2), psutil.Process(server.pid).memory_info().rss
    slow = Viewer(server.port, server.request, rate=SLOW_RATE, receive_buffer=SMALL_BUFFER)
    stalled = [Viewer(server.port, server.request, rate=0, receive_buffer=SMALL_BUFFER) for _ in range(STALLED)]
    dropped_s = time_to_drop(server, [*healthy, slow], stalled)
    slow.ages.clear()
    after = fps([*healthy, slow], seconds)
    growth_mb = (psutil.Process(server.pid).memory_info().rss - memory) / 1e6
    ages = sorted(slow.ages)
    print(f"healthy fps least/median: {before[0]:.1f}/{before[1]:.1f} alone, {after[0]:.1f}/{after[1]:.1f} beside them")
    print(f"  ratio {after[0] / before[0]:.2f} (goal 1)")
    if ages:
        print(
            f"slow viewer: {len(ages) / seconds:.1f} fps, age median {ages[len(ages) // 2]:.2f} s, "
            f"most {ages[-1]:.2f} s (goal 1.5 or less)"
        )
    print(f"stalled viewers gone after {dropped_s:.1f} s (goal 6 or less)")
    print(f"memory growth {growth_mb:.1f} MB (goal under 10)")
    for viewer in (*healthy, slow, *stalled):
        viewer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    with ours() as server:
        measure(server, seconds)


if __name__ == "__main__":
    main()
