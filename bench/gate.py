"""A read until its alarm is at every socket: ``python -m bench.gate [--alarms 20] [--sockets 20]``.

What needs no installation, the long list among it, is `bench.vehicles`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

ALARM_GOAL_S = 1.0

READ = """
import time
from django.utils import timezone
from factoryai.alerts.models import Alert
from factoryai.sites.models import Site
from streaming.models import Camera
from vehicles.services.lists import add_entry
from vehicles.services.incoming import NewRead
from vehicles.services.reads import record_reads
camera = Camera.objects.select_related("site").get(slug="gate")
for number in range({count}):
    plate = f"MH14CT{{2000 + number}}"
    add_entry(list_name="blocked", plate=plate, reason="Bench", by=None, at=timezone.now(), site=camera.site)
for number in range({count}):
    plate, began = f"MH14CT{{2000 + number}}", time.time()
    row = NewRead(str(began), camera, str(number), plate, 0.97, timezone.now(), "in")
    record_reads(rows=[row], source="bench", at=timezone.now())
    print(Alert.objects.latest("pk").pk, began, flush=True)
    time.sleep(0.5)
"""


def measure_alarms(alarms: int, sockets: int) -> bool:
    """Measure from just before a read is recorded, by another process, to its alert at every socket."""
    from bench.dashboard import describe, listen
    from tests.feed_rig import PROJECT, Rig

    with Rig(["gate"]) as rig:
        cookie, ready = rig.login(), threading.Event()
        seconds = alarms * 1.2 + 20
        heard: Any = ThreadPoolExecutor(1).submit(lambda: asyncio.run(listen(rig, cookie, sockets, ready, seconds)))
        ready.wait()
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", READ.format(count=alarms)]
        said = subprocess.run(command, cwd=PROJECT, env=rig.environment, stdout=subprocess.PIPE, text=True, check=True)
        began = {pk: float(at) for pk, at in (line.split() for line in said.stdout.splitlines())}
        delays = sorted(at - began[alert] for alert, at in heard.result() if alert in began)
    print(f"\n{alarms} alarms, {sockets} sockets; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    return describe("read to alarm at the sockets", delays) <= ALARM_GOAL_S


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alarms", type=int, default=20)
    parser.add_argument("--sockets", type=int, default=20)
    wish = parser.parse_args()
    if not measure_alarms(wish.alarms, wish.sockets):
        raise SystemExit("the goal is missed")


if __name__ == "__main__":
    main()
