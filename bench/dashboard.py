"""From an alert's cause to the screens: open dashboards in Chromium and bare sockets, alerts raised by another process.

``python -m bench.dashboard [--pages 5] [--sockets 40] [--alerts 30] [--every 0.7]``

Everything shares the machine, browsers included. Measured from just before the transaction of the alert to the event at
each socket, and to the alert in the document of each page. Goal: p95 of 1 s on the pages.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from websockets.asyncio.client import connect

from factoryai.embedded.tether import tied_to_parent
from tests.browsing import chromium, cookies_of, wait_for
from tests.feed_rig import PROJECT, Rig

GOAL_S = 1.0
SETTLE_S = 3.0
RAISE = """
import time
from django.utils import timezone
from factoryai.alerts.services import raise_alert
from factoryai.sites.models import Site
site = Site.objects.get(slug="pune")
for number in range({count}):
    began = time.time()
    alert = raise_alert(site=site, kind="bench", severity="warning", title=f"At {{began:.6f}}", key=f"bench-{{number}}",
                        at=timezone.now())
    print(alert.pk, began, flush=True)
    time.sleep({every})
"""
WATCH = """() => {
  window.cameAfter = {};
  const look = () => {
    for (const link of document.querySelectorAll(".alert-title a")) {
      const began = link.textContent.match(/^At ([0-9.]+)$/)?.[1];
      if (began && !(began in window.cameAfter)) window.cameAfter[began] = Date.now() / 1000 - began;
    }
  };
  new MutationObserver(look).observe(document.getElementById("block-alerts"), { childList: true, subtree: true });
}"""


async def listen(rig: Rig, cookie: str, count: int, ready: Any, seconds: float) -> list[tuple[str, float]]:
    """Hold ``count`` sockets open and return (alert, instant) of every event that came."""
    heard: list[tuple[str, float]] = []
    address = f"ws://127.0.0.1:{rig.port}/ws/events"

    async def one() -> None:
        async with connect(address, additional_headers={"Cookie": cookie, "Origin": rig.base}) as socket:
            async for text in socket:
                event, at = json.loads(text), time.time()
                if event["kind"] == "alert":
                    heard.append((event["id"], at))

    tasks = [asyncio.create_task(one()) for _ in range(count)]
    await asyncio.sleep(SETTLE_S)
    ready.set()
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return heard


def start_raising(rig: Rig, count: int, every_s: float) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "manage.py",
        "shell",
        "--verbosity",
        "0",
        "--command",
        RAISE.format(count=count, every=every_s),
    ]
    return subprocess.Popen(
        command, cwd=PROJECT, env=rig.environment, stdout=subprocess.PIPE, text=True, preexec_fn=tied_to_parent()
    )


def listen_beside(rig: Rig, cookie: str, args: argparse.Namespace, seconds: float) -> tuple[Any, Any]:
    """Start the sockets in a thread; returns its future, once they are open."""
    ready = threading.Event()
    pool = ThreadPoolExecutor(1)
    return pool.submit(lambda: asyncio.run(listen(rig, cookie, args.sockets, ready, seconds))), ready


def measure(rig: Rig, args: argparse.Namespace) -> tuple[list[float], list[float], int]:
    """Return the seconds to the sockets and to the pages, and how many pages missed an alert."""
    cookie = rig.login()
    with chromium() as browser:
        context = browser.new_context(base_url=rig.base)
        context.add_cookies(cookies_of(cookie, rig.base))
        pages = [context.new_page() for _ in range(args.pages)]
        for page in pages:
            page.goto("/", wait_until="commit")
            wait_for(page, "document.getElementById('live')?.dataset.state === 'live'")
            page.evaluate(WATCH)
        last_s = args.alerts * (args.every + 0.3) + 25
        sockets, ready = listen_beside(rig, cookie, args, last_s)
        ready.wait()
        raiser = start_raising(rig, args.alerts, args.every)
        began = dict(line.split() for line in raiser.stdout or ())
        pages[0].wait_for_timeout(4000)
        came = [page.evaluate("window.cameAfter") for page in pages]
        heard = sockets.result()
    first: dict[tuple[str, float], float] = {}
    for alert, at in heard:
        if alert in began:
            first.setdefault((alert, at), at - float(began[alert]))
    missed = sum(len(one) < args.alerts for one in came)
    return sorted(first.values()), sorted(value for one in came for value in one.values()), missed


def describe(name: str, seconds: Sequence[float]) -> float:
    p50, p95 = (seconds[min(len(seconds) - 1, int(len(seconds) * share))] for share in (0.5, 0.95))
    print(
        f"{name}: {len(seconds)} times; p50 {1000 * p50:.0f} ms, p95 {1000 * p95:.0f} ms, "
        f"most {1000 * seconds[-1]:.0f} ms"
    )
    return p95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--sockets", type=int, default=40)
    parser.add_argument("--alerts", type=int, default=30, help="at most 30 stand on a screen")
    parser.add_argument("--every", type=float, default=0.7, metavar="SECONDS")
    args = parser.parse_args()
    print(f"{args.pages} pages, {args.sockets} sockets; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with Rig(["gate"]) as rig:
        sockets, pages, missed = measure(rig, args)
    describe("to the sockets", sockets)
    p95 = describe("to the pages  ", pages)
    print(f"  {p95 / GOAL_S:.2f} of the goal of {GOAL_S:.0f} s; {missed} pages missed an alert")
    if missed or p95 > GOAL_S:
        raise SystemExit("the goal is missed")


if __name__ == "__main__":
    main()
