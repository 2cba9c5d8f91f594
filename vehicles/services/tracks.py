"""Reads of one track are of one vehicle: a longer one shows that a shorter was torn, a sure one settles doubts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Count

from vehicles.models import PlateRead, Vehicle
from vehicles.rules.visits import Limits, is_torn
from vehicles.services.visits import derive_visits

Review = PlateRead.Review


@dataclass(slots=True)
class Companions:
    """The plates that were accepted before in each track."""

    plates: dict[str, set[str]] = field(default_factory=dict)

    def has_longer(self, track: str, plate: str, others: Sequence[str]) -> bool:
        return is_torn(plate, [*self.plates.get(track, ()), *others])

    def has_accepted(self, track: str) -> bool:
        return bool(self.plates.get(track))


def companions_of(source: str, tracks: Iterable[str]) -> Companions:
    """Return what the log knows of ``tracks`` already."""
    found = Companions()
    rows = PlateRead.objects.filter(source=source, track__in=[track for track in tracks if track], accepted=True)
    for track, plate in rows.order_by().values_list("track", "plate").distinct():
        found.plates.setdefault(track, set()).add(plate)
    return found


def tracks_to_settle(source: str, tracks: Iterable[str]) -> list[str]:
    """Return those of ``tracks`` that have more than one read: one alone contradicts nobody."""
    rows = PlateRead.objects.filter(source=source, track__in=[track for track in tracks if track]).order_by("track")
    return list(rows.values("track").annotate(reads=Count("pk")).filter(reads__gt=1).values_list("track", flat=True))


def settle_track(*, source: str, track: str, limits: Limits, at: dt.datetime) -> None:
    """Take back what a better read of the track has shown to be wrong, and keep one read of it for review.

    It may be called at any time and again: it looks at the track as a whole.
    """
    rows = PlateRead.objects.filter(source=source, track=track)
    accepted = set(rows.filter(accepted=True).order_by().values_list("plate", flat=True))
    waiting = rows.awaiting_review()
    if accepted:
        waiting.filter(counts=False).update(review=Review.SUPERSEDED)
        _take_back(rows, accepted, limits, at)
    elif newest := waiting.order_by("-captured_at", "-pk").values_list("pk", flat=True).first():
        waiting.filter(counts=False).exclude(pk=newest).update(review=Review.SUPERSEDED)


def _take_back(rows: Iterable[PlateRead], accepted: set[str], limits: Limits, at: dt.datetime) -> None:
    """Take torn reads, and alarms that rested on a doubt which a sure read has settled, out of their visits."""
    counting = rows.filter(counts=True).exclude(reviewed_at__isnull=False)  # type: ignore[attr-defined]
    if counting.order_by().values("vehicle").distinct().count() < 2:
        return
    sure = set(counting.filter(accepted=True).order_by().values_list("vehicle", flat=True))
    for read in counting.order_by("pk"):
        if read.accepted and is_torn(read.plate, accepted):
            _uncount(read, "torn", limits, at)
        elif not read.accepted and sure and read.vehicle_id not in sure:
            _uncount(read, "settled", limits, at)


@transaction.atomic
def _uncount(read: PlateRead, reason: str, limits: Limits, at: dt.datetime) -> None:
    vehicle = Vehicle.objects.select_for_update().get(pk=read.vehicle_id)
    review = Review.NONE if reason == "torn" else Review.SUPERSEDED
    changes = {"counts": False, "reasons": [*read.reasons, reason], "review": review, "visit": None}
    if reason == "torn":
        changes["accepted"] = False
    if PlateRead.objects.filter(pk=read.pk, counts=True).update(**changes):
        derive_visits(vehicle=vehicle, limits=limits, at=at)
