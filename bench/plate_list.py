"""A long blocked list asked as every decision of the gate asks it; `bench.vehicles` runs it.

The list lies in SQLite in a file of its own; times are processor time.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import psutil

MATCH_GOAL_US = 50
ASKED = 3000


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
    ListEntry._base_manager.bulk_create(
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
