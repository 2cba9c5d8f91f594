"""Kills the work of the gate between any two steps, lets it begin again, and looks for alarms lost or doubled.

Used by `test_crashes` for a handful of points and by ``python -m bench.vehicle_crashes`` for a thousand.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from factoryai.alerts.delivery import CLAIM_FOR
from factoryai.alerts.models import Alert, Delivery
from factoryai.alerts.tests.receivers import Received
from vehicles.models import PlateRead, Visit
from vehicles.services.lists import add_entry

STEP = dt.timedelta(minutes=1)
_numbers = itertools.count(1000)


class Worker:
    """The process whose children are killed."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vehicles.tests.crash_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "factoryai.settings", **environment},
        )
        assert self._line() == "ready"

    def run(self, wish: dict[str, Any]) -> int | None:
        """Do one piece of work; return its steps, None when it was killed."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        took = None
        while (line := self._line()) not in ("over", "killed"):
            took = int(line.removeprefix("took "))
        if line == "over" and took is None:
            raise RuntimeError("the work failed; what it said is on standard error")
        return took

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass
class Tally:
    """What the kills led to."""

    points: int = 0
    kills: int = 0
    steps: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        found = f"{len(self.lost)} lost, {len(self.doubled)} doubled"
        return f"{self.points} points in {self.steps} steps, {self.kills} kills: {found}"


def crash_often(
    *, worker: Worker, camera: Any, by: Any, receiver: Received, at: dt.datetime, points: int, seed: int = 7
) -> Tally:
    """Kill the work at ``points`` random steps, each time with two blocked cars of its own, and begin it again.

    A car that stands there is read three times. The device sends again what was not acknowledged. Afterwards each car
    has one visit and one alert, told to the receiver under one id.
    """
    dice, tally = random.Random(seed), Tally(points=points)
    tally.steps = worker.run(_wish(camera, by, at)) or 0
    for _ in range(points):
        at += STEP
        wish = _wish(camera, by, at)
        tally.kills += worker.run({**wish, "dies_at": dice.randrange(tally.steps)}) is None
        for later in (dt.timedelta(0), CLAIM_FOR):
            worker.run({**wish, "at": (at + later).isoformat()})
        _look(wish, receiver, tally)
        at += CLAIM_FOR
    return tally


def _wish(camera: Any, by: Any, at: dt.datetime) -> dict[str, Any]:
    plates = [f"MH14CT{next(_numbers)}", f"KA03MX{next(_numbers)}"]
    for plate in plates:
        add_entry(list_name="blocked", plate=plate, reason="Theft", by=by, at=at, site=camera.site)
    reads = [(plate, f"{plate}-{number}") for number in range(3) for plate in plates]
    return {
        "camera": camera.slug, "reads": reads, "at": at.isoformat(), "captured_at": at.isoformat(),
        "dies_at": None, "delivers": True,
    }  # fmt: skip


def _look(wish: dict[str, Any], receiver: Received, tally: Tally) -> None:
    for plate in {plate for plate, _ in wish["reads"]}:
        visits = list(Visit.objects.filter(plate=plate))
        alerts = list(Alert.objects.filter(key__in=[f"visit-{visit.pk}" for visit in visits]))
        ids = {body["delivery"] for body in receiver.bodies if body["id"] in [alert.pk for alert in alerts]}
        sent = Delivery.objects.filter(alert__in=alerts, state="sent").count()
        is_told = PlateRead.objects.filter(plate=plate).count() == 3 and sent == 1 and ids
        if not (visits and alerts and is_told):
            tally.lost.append(plate)
        if len(visits) > 1 or len(alerts) > 1 or len(ids) > 1:
            tally.doubled.append(plate)
