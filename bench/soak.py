"""Viewers come and go every second: the slopes of memory, file descriptors and threads of the web process.

``python -m bench.soak [--minutes 30] [--viewers 20]``
"""

from __future__ import annotations

import argparse
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psutil

from bench.viewers import Server, ours
from tests.viewers import Viewer, watch

SAMPLE_S = 5.0
WARM_SHARE = 0.2
"""The first fifth is left out: pools and caches fill."""


@dataclass(frozen=True)
class Sample:
    at_s: float
    rss_mb: float
    files: int
    threads: int


def sample(process: psutil.Process, began: float) -> Sample:
    with process.oneshot():
        rss, files, threads = process.memory_info().rss / 1e6, process.num_fds(), process.num_threads()
    return Sample(time.monotonic() - began, rss, files, threads)


def slope_per_hour(samples: Sequence[Sample], name: str) -> float:
    """Return the least-squares slope of one figure."""
    at = np.array([item.at_s for item in samples]) / 3600
    return float(np.polyfit(at, [getattr(item, name) for item in samples], 1)[0])


def soak(server: Server, minutes: float, count: int) -> list[Sample]:
    """Keep about ``count`` viewers; each second the oldest goes and another comes, some in the middle of a picture."""
    process, began = psutil.Process(server.pid), time.monotonic()
    viewers: deque[Viewer] = deque()
    samples: list[Sample] = []
    while (now := time.monotonic() - began) < minutes * 60:
        tier = random.choice((b"tier=full", b"tier=medium", b"tier=tile"))
        viewers.append(Viewer(server.port, server.request.replace(b"tier=full", tier)))
        if len(viewers) > count:
            viewers.popleft().close()
        watch(list(viewers), 1.0)
        if not samples or now - samples[-1].at_s >= SAMPLE_S:
            samples.append(sample(process, began))
    while viewers:
        viewers.popleft().close()
    return samples


def report(samples: list[Sample]) -> None:
    settled = samples[int(len(samples) * WARM_SHARE) :]
    print(f"{len(samples)} samples over {samples[-1].at_s / 60:.1f} min")
    for name, unit in (("rss_mb", "MB"), ("files", "files"), ("threads", "threads")):
        first, last = getattr(settled[0], name), getattr(settled[-1], name)
        print(f"{unit:>8}: {first:8.1f} to {last:8.1f}, slope {slope_per_hour(settled, name):+.2f} an hour")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--viewers", type=int, default=20)
    args = parser.parse_args()
    with ours() as server:
        report(soak(server, args.minutes, args.viewers))


if __name__ == "__main__":
    main()
