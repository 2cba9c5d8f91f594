"""Recording reads: each is judged, and becomes a line of the log with its verdict, whatever that is.

All reads of one vehicle are written in one transaction (`vehicles.services.recording`), under the lock of the
vehicle's row: the lines, the visit, the alert with its deliveries, and the call to the gate that is to be made.
Whatever dies, all of it is there or none.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import replace

from factoryai.bulk import Received, refuse_too_many, sort_out
from factoryai.sites.models import Site
from streaming.frames import Observation
from streaming.models import Camera
from vehicles.models import PlateRead
from vehicles.rules.gate import Judgement, judge_plate
from vehicles.rules.spelling import spell
from vehicles.rules.voting import is_part
from vehicles.services.incoming import Judged, NewRead, way_of
from vehicles.services.lists import find_listed
from vehicles.services.pictures import keep_picture, open_picture
from vehicles.services.policies import policy_of, rules_of
from vehicles.services.recording import MOST_CANDIDATES, Batch, write_groups
from vehicles.services.tracks import Companions, companions_of, settle_track, spans_of, spans_to_settle

CLOCK_SLACK = dt.timedelta(minutes=5)
"""How far ahead of the server a device's clock may be."""

LIKELY = 0.1
"""Share of the reader's belief from which another reading of an uncertain plate is worth an alarm."""


def record_reads(*, rows: Sequence[NewRead], source: str, at: dt.datetime) -> Received:
    """Record up to 1,000 reads of ``source``; a bad row never spoils its neighbours, a repeated event changes nothing.

    Every read is logged, whatever its verdict. When this returns, all of them are in the database.
    """
    refuse_too_many(rows)
    good, rejected = sort_out(rows, lambda row: judge_row(row, at))
    fresh, accepted = _without_repeats(good, source), 0
    for site in {row.camera.site for row in fresh}:
        here = [row for row in fresh if row.camera.site == site]
        accepted += _record_at(site, here, source, at)
    return Received(accepted, len(good) - accepted, rejected)


def record_plate(*, observation: Observation, at: dt.datetime) -> Received:
    """Record one plate that an analyser noticed, exactly once by its event id, with its picture.

    Raises `Camera.DoesNotExist` for a camera that is gone.
    """
    camera = Camera.objects.select_related("site").get(slug=observation.camera)
    data = observation.data
    row = NewRead(
        event_id=observation.event_id,
        camera=camera,
        track=str(data["track"])[:100],
        plate=data["plate"] or data["raw"],
        raw=data["raw"],
        confidence=float(data["confidence"]),
        captured_at=dt.datetime.fromtimestamp(observation.captured_at, dt.UTC),
        direction=data.get("direction") or way_of(camera),
        agreeing_reads=int(data["agreeing_reads"]),
        is_final=bool(data["is_final"]),
        jpeg=open_picture(data),
        characters=data["characters"],
        candidates=[(text, score) for text, score in data["candidates"]],
        box=data["box"],
    )
    return record_reads(rows=[row], source=f"camera:{camera.slug}"[:80], at=at)


def judge_row(row: NewRead, at: dt.datetime) -> tuple[str, str] | None:
    """Return why a row is refused at ``at``, as code and message; None for a good one."""
    if not 0 < len(row.event_id) <= 100:
        return "bad_event_id", "An event id has 1 to 100 characters."
    if not 0 <= row.confidence <= 1 or math.isnan(row.confidence):
        return "bad_confidence", "A confidence lies between 0 and 1."
    if row.direction not in ("", "in", "out"):
        return "bad_direction", "The direction is in, out or empty."
    if row.captured_at > at + CLOCK_SLACK:
        return "in_future", "This time has not come yet; check the device's clock."
    return None


def _without_repeats(rows: Sequence[NewRead], source: str) -> list[NewRead]:
    first = {row.event_id: row for row in reversed(rows)}
    used = PlateRead.objects.filter(source=source, event_id__in=list(first))
    known = set(used.values_list("event_id", flat=True))
    return [row for key, row in reversed(first.items()) if key not in known]


def _record_at(site: Site, rows: Sequence[NewRead], source: str, at: dt.datetime) -> int:
    """Record the reads of one site, vehicle by vehicle; return how many are new."""
    policy = policy_of(site)
    rules = rules_of(site)
    judged = [Judged(row, _with_likely(judge_plate(row.plate, row.confidence, *rules), row)) for row in rows]
    spans = spans_of(source, [one.sight for one in judged])
    _mark_torn(judged, companions_of(spans))
    listed = find_listed({key for one in judged for key in one.judgement.keys}, [site.pk])
    groups: dict[str, list[Judged]] = {}
    for one in sorted(judged, key=lambda one: one.row.captured_at):
        one.look_up(listed)
        one.snapshot = keep_picture(one.row.camera, one.row.jpeg, one.row.captured_at, at)
        groups.setdefault(one.vehicle_key, []).append(one)
    count = write_groups(Batch(site, policy, source, at), groups)
    for span in spans_to_settle(spans):
        settle_track(span=span, limits=policy.limits, at=at)
    return count


def _with_likely(judgement: Judgement, row: NewRead) -> Judgement:
    """Add the vehicles that the reader itself thinks likely; a plate that is accepted is no other one."""
    if judgement.accepted:
        return judgement
    others = [spell(text).keys for text, score in row.candidates[:MOST_CANDIDATES] if score >= LIKELY]
    keys = dict.fromkeys([*judgement.keys, *(key for keys in others for key in keys)])
    return replace(judgement, keys=tuple(keys))


def _mark_torn(judged: Sequence[Judged], companions: Companions) -> None:
    """Mark reads that are a part of a longer one of their passage, and doubtful ones that a better read has settled."""
    tracks: dict[tuple[int, str], list[Judged]] = {}
    for one in judged:
        tracks.setdefault(one.sight[:2], []).append(one)
    for span, known in companions.items():
        mates = [one for one in tracks[span.camera, span.track] if span.first <= one.row.captured_at <= span.last]
        here = {one.judgement.normalised or "" for one in mates if one.judgement.accepted}
        for one in mates:
            plate = one.judgement.normalised or spell(one.row.plate).part
            one.is_torn = bool(plate) and any(is_part(plate, other) for other in known | here)
            one.is_settled = not one.is_accepted and (bool(known) or bool(here and not one.is_torn))
