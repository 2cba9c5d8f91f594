"""A gate with its people, and reads of the vehicles that come to it."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import Any

from factoryai.bulk import Received
from factoryai.sites.tests.factories import People, make_people
from streaming.frames import Observation
from streaming.models import Camera
from streaming.tests.factories import make_camera
from vehicles.models import ListEntry, PlateRead, Visit
from vehicles.services.incoming import NewRead
from vehicles.services.lists import add_entry
from vehicles.services.reads import record_plate, record_reads

NOON = dt.datetime(2026, 3, 2, 6, 30, tzinfo=dt.UTC)
"""Noon of a Monday in Pune."""

PLATE = "MH12AB1234"
OTHER = "MH12AB9876"

_events = itertools.count(1)


def after(**time: float) -> dt.datetime:
    """Return a time so long after noon."""
    return NOON + dt.timedelta(**time)


@dataclass
class Plant:
    """A site with a camera at the entry, one at the exit, one that sees both ways, and one at another site."""

    people: People
    entry: Camera
    exit: Camera
    yard: Camera
    elsewhere: Camera

    @property
    def site(self) -> Any:
        return self.people.site

    def row(self, plate: str = PLATE, *, at: dt.datetime = NOON, camera: Camera | None = None, **how: Any) -> NewRead:
        """Return a sure read at the entry, unless ``how`` says otherwise."""
        camera = camera or self.entry
        given = {"event_id": f"e{next(_events)}", "track": "", "confidence": 0.97, "direction": camera.direction, **how}
        return NewRead(camera=camera, plate=plate, captured_at=at, **given)

    def read(
        self, plate: str = PLATE, *, at: dt.datetime = NOON, now: dt.datetime | None = None, **how: Any
    ) -> PlateRead:
        """Record one read, a moment after it was captured, and return its line."""
        row = self.row(plate, at=at, **how)
        self.send(row, now=now or at)
        return PlateRead.objects.select_related("visit", "snapshot").get(event_id=row.event_id)

    def send(self, *rows: NewRead, now: dt.datetime = NOON, source: str = "device") -> Received:
        return record_reads(rows=rows, source=source, at=now)

    def block(self, plate: str = PLATE, **how: Any) -> ListEntry:
        return self.list("blocked", plate, **how)

    def allow(self, plate: str = PLATE, **how: Any) -> ListEntry:
        return self.list("allowed", plate, **{"kind": "staff", **how})

    def watch(self, plate: str = PLATE, **how: Any) -> ListEntry:
        return self.list("watch", plate, **how)

    def list(self, name: str, plate: str, **how: Any) -> ListEntry:
        given = {"reason": "Theft of material", "by": self.people.root, "at": NOON, "site": self.site, **how}
        return add_entry(list_name=name, plate=plate, **given)

    def visits(self) -> list[Visit]:
        return list(Visit.objects.order_by("began_at", "pk"))


def make_plant() -> Plant:
    people = make_people()

    def gate(slug: str, **fields: Any) -> Camera:
        return make_camera(fields.pop("site", people.site), slug, roles=["gate"], **fields)

    return Plant(
        people=people,
        entry=gate("gate-in", name="Gate 1", direction="in"),
        exit=gate("gate-out", name="Gate 2", direction="out"),
        yard=gate("yard", name="Yard"),
        elsewhere=gate("elsewhere", site=people.other_site, direction="in"),
    )


def observation(camera: Camera, plate: str = PLATE, *, at: dt.datetime = NOON, **data: Any) -> Observation:
    """Return what the analyser of a gate camera tells of one passage."""
    facts = {
        "track": "t1", "plate": plate, "raw": plate, "confidence": 0.97, "characters": [0.97] * len(plate),
        "candidates": [[plate, 0.99]], "box": [10, 20, 210, 70], "agreeing_reads": 3, "is_final": True,
        "picture": None, "direction": "",
    }  # fmt: skip
    given = {"event_id": data.pop("event_id")} if "event_id" in data else {}
    return Observation("plate", camera.slug, at.timestamp(), {**facts, **data}, **given)


def record(seen: Observation, *, now: dt.datetime = NOON) -> Received:
    return record_plate(observation=seen, at=now)
