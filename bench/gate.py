"""The gate's database: a long blocked list asked at every decision, and a read until its alarm is at every socket.

``python -m bench.gate [--plates 100000] [--alarms 20] [--sockets 20] [--no-sockets]``; `bench.vehicles` runs the first
part too. The list is asked of SQLite in a file of its own; times of the list are processor time.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

MATCH_GOAL_US = 50
ALARM_GOAL_S = 1.0
ASKED = 3000

READ = """
import time
from django.utils import timezone
from factoryai.alerts.models import Alert
from factoryai.sites.models import Site
from streaming.models import Camera
from vehicles.services.lists import add_entry
from vehicles.services.reads import NewRead, record_reads
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


def measure_list(count: int) -> None:
    """Fill a list of ``count`` plates and ask it as a decision does."""
    with tempfile.TemporaryDirectory() as folder:
        _set_up(Path(folder))
        _ask(count, Path(folder))


def _set_up(folder: Path) -> None:
    from cryptography.fernet import Fernet

    os.environ.update(
        DATABASE_URL=f"sqlite:///{folder / 'gate.sqlite3'}",
        FACTORYAI_DATA_DIR=str(folder),
        FACTORYAI_FIELD_KEY=Fernet.generate_key().decode(),
        DJANGO_SETTINGS_MODULE="factoryai.settings",
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _ask(count: int, folder: Path) -> None:
    from django.utils import timezone

    from factoryai.sites.models import Site
    from vehicles.models import ListEntry
    from vehicles.rules.gate import judge_plate
    from vehicles.rules.lists import find_blocked
    from vehicles.services.lists import find_listed

    site, at, dice = Site.objects.create(slug="pune", name="Pune"), timezone.now(), random.Random(5)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    keys: dict[str, str] = {}
    while len(keys) < count:
        office, series, number = dice.randint(1, 50), "".join(dice.choices(letters, k=2)), dice.randint(1, 9999)
        keys[f"MH-{office}-{series}-{number}"] = f"MH{office:02}{series}{number:04}"
    ListEntry.objects.bulk_create(
        [
            ListEntry(site=site, list="blocked", plate=plate, match_key=key, reason="Bench", added_at=at)
            for key, plate in keys.items()
        ],
        batch_size=5000,
    )
    before = psutil.Process().memory_info().rss
    listed = [judge_plate(plate, 0.99) for plate in dice.sample(list(keys.values()), min(ASKED, count))]
    others = [judge_plate(f"KA01{plate[4:]}", 0.99) for plate in dice.sample(list(keys.values()), min(ASKED, count))]
    kept = {}
    print(f"\n{f'{count:,} blocked plates, one decision':44}{'median us':>12}{'p95 us':>10}")
    for name, judgements in (("a plate that is on the list", listed), ("a plate that is not", others)):
        times = []
        for judgement in judgements:
            began = time.thread_time()
            hit = find_blocked(judgement, find_listed(judgement.keys, [site.pk])["blocked"], at)
            times.append((time.thread_time() - began) * 1e6)
            assert (hit is not None) is (judgements is listed) or judgement.verdict != "valid"
        kept[name] = statistics.median(times)
        print(f"{name:44}{kept[name]:12.1f}{sorted(times)[int(len(times) * 0.95)]:10.1f}")
    grown = psutil.Process().memory_info().rss - before
    size = sum(path.stat().st_size for path in folder.glob("gate.sqlite3*"))
    print(f"memory of the process for the list: {grown / 1e6:.1f} MB (nothing is cached); file {size / 1e6:.0f} MB")
    print(f"{max(kept.values()) / MATCH_GOAL_US:.2f} of the goal of {MATCH_GOAL_US} us")


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
    parser.add_argument("--plates", type=int, default=100_000)
    parser.add_argument("--alarms", type=int, default=20)
    parser.add_argument("--sockets", type=int, default=20)
    parser.add_argument("--no-sockets", action="store_true")
    wish = parser.parse_args()
    measure_list(wish.plates)
    if not wish.no_sockets and not measure_alarms(wish.alarms, wish.sockets):
        raise SystemExit("the goal is missed")


if __name__ == "__main__":
    main()
