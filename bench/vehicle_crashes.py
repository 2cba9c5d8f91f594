"""Kills the work of the gate at random steps of read, visit, alert and delivery; counts alarms lost and doubled.

``python -m bench.vehicle_crashes [--points 1000] [--seed 7]``: on a SQLite database of its own, in a temporary folder.
"""

from __future__ import annotations

import argparse
import sys
import time

from bench.gate_database import gate_database


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    wish = parser.parse_args()
    with gate_database():
        return crash(wish.points, wish.seed)


def crash(points: int, seed: int) -> int:
    from factoryai.alerts.models import Channel
    from factoryai.alerts.tests.receivers import web_receiver
    from vehicles.tests.crash_rig import Worker, crash_often
    from vehicles.tests.factories import NOON, make_plant

    plant, worker = make_plant(), Worker({})
    began = time.monotonic()
    try:
        with web_receiver() as receiver:
            Channel.objects.create(site=plant.site, name="Guard room", kind="webhook", target=receiver.url)
            rig = {"worker": worker, "camera": plant.entry, "by": plant.people.root, "receiver": receiver}
            tally = crash_often(**rig, at=NOON, points=points, seed=seed)
    finally:
        worker.stop()
    print(f"{tally}, in {time.monotonic() - began:.0f} s")
    return 1 if tally.lost or tally.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
