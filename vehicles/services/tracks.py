"""Reads of one track are of one vehicle: a longer one shows that a shorter was torn, a sure one settles doubts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Min, Q

from vehicles.models import PlateRead, Vehicle
from vehicles.rules.visits import Limits
from vehicles.rules.voting import is_part
from vehicles.services.visits import derive_visits

Review = PlateRead.Review


SAME_PASSAGE = dt.timedelta(minutes=15)
"""Reads of one track further apart are of two passages: many devices count their tracks anew when they start."""


@dataclass(frozen=True, slots=True)
class Span:
    """The reads of one track that came in together. Tracks of two cameras are never one, whatever they are called."""

    source: str
    camera: int
    track: str
    first: dt.datetime
    last: dt.datetime

    @property
    def begins(self) -> dt.datetime:
        return self.first - SAME_PASSAGE

    @property
    def ends(self) -> dt.datetime:
        return self.last + SAME_PASSAGE

    def logged(self) -> Any:
        """Return what the log has of the passage."""
        rows = PlateRead.objects.filter(source=self.source, camera=self.camera, track=self.track)
        return rows.filter(captured_at__range=(self.begins, self.ends))


def spans_of(source: str, sights: Iterable[tuple[int, str, dt.datetime]]) -> list[Span]:
    """Return the passages that reads, each a camera, a track and its time, are of; one without a track is of none."""
    spans: list[Span] = []
    for camera, track, at in sorted(set(sights)):
        last = spans[-1] if spans else None
        if not track:
            continue
        if last and (last.camera, last.track) == (camera, track) and at <= last.ends:
            spans[-1] = replace(last, last=at)
        else:
            spans.append(Span(source, camera, track, at, at))
    return spans


Companions = Mapping[Span, set[str]]
"""The plates that were accepted before in each passage."""


def companions_of(spans: Sequence[Span]) -> Companions:
    """Return what the log knows of the passages already; one query for all of them."""
    seen = {"first": Min("captured_at"), "last": Max("captured_at")}
    rows = _logged(spans).filter(accepted=True).values("camera", "track", "plate").annotate(**seen) if spans else ()
    plates: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in rows:
        plates.setdefault((row["camera"], row["track"]), []).append(row)
    return {
        span: {
            row["plate"]
            for row in plates.get((span.camera, span.track), ())
            if row["first"] <= span.ends and row["last"] >= span.begins
        }
        for span in spans
    }


def spans_to_settle(spans: Sequence[Span]) -> list[Span]:
    """Return the passages in which a read waits beside others, or two vehicles were seen; others need nothing."""
    if not spans:
        return []
    facts = {
        "reads": Count("pk"),
        "waiting": Count("pk", filter=Q(review=Review.PENDING)),
        "vehicles": Count("vehicle", filter=Q(counts=True), distinct=True),
    }
    rows = _logged(spans).values("camera", "track").annotate(**facts).filter(reads__gt=1)
    doubtful = rows.filter(Q(waiting__gt=0) | Q(vehicles__gt=1)).values_list("camera", "track")
    wanted = set(doubtful)
    return [span for span in spans if (span.camera, span.track) in wanted]


def _logged(spans: Sequence[Span]) -> Any:
    rows = PlateRead.objects.order_by().filter(source=spans[0].source, camera__in={span.camera for span in spans})
    period = min(span.begins for span in spans), max(span.ends for span in spans)
    return rows.filter(track__in={span.track for span in spans}, captured_at__range=period)


def settle_track(*, span: Span, limits: Limits, at: dt.datetime) -> None:
    """Take back what a better read of the passage has shown to be wrong, and keep one read of it for review.

    It may be called at any time and again: it looks at the passage as a whole.
    """
    rows = span.logged()
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
        if read.accepted and any(is_part(read.plate, other) for other in accepted):
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
