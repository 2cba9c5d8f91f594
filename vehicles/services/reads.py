"""Recording reads: each is a line of the log with its verdict; those that count make visits, alerts and openings.

All reads of one vehicle are written in one transaction, under the lock of the vehicle's row: the lines, the visit, the
alert with its deliveries, and the call to the gate that is to be made. Whatever dies, all of it is there or none.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import IntegrityError, transaction

from factoryai.alerts.services import record_event
from factoryai.bulk import Received, refuse_too_many, sort_out
from factoryai.sites.models import Site
from identity.models import Snapshot
from streaming.frames import Observation
from streaming.models import Camera
from vehicles.models import GatePolicy, PlateRead, Vehicle
from vehicles.rules.gate import Judgement, Verdict, judge_plate
from vehicles.rules.lists import Decision, Hit, decide_gate, find_blocked
from vehicles.rules.spelling import shown, spell
from vehicles.rules.voting import is_part
from vehicles.services.alarms import raise_alarms
from vehicles.services.gates import freshness, plan_opening
from vehicles.services.lists import Listed, facts_of_hit, find_listed
from vehicles.services.pictures import discard_picture, keep_picture, open_picture
from vehicles.services.policies import policy_of, rules_of
from vehicles.services.tracks import Companions, companions_of, settle_track, spans_of, spans_to_settle
from vehicles.services.visits import lock_vehicle, place_reads

CLOCK_SLACK = dt.timedelta(minutes=5)
"""How far ahead of the server a device's clock may be."""

AGREE_WITHIN = dt.timedelta(seconds=10)
"""Reads of one track this close together agree; a gate opens for a car that is there, not for one that was."""

LIKELY = 0.1
"""Share of the reader's belief from which another reading of an uncertain plate is worth an alarm."""

MOST_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class NewRead:
    """One read as it came in. ``agreeing_reads`` None: count those of the track here. ``jpeg`` is its picture."""

    event_id: str
    camera: Camera
    track: str
    plate: str
    confidence: float
    captured_at: dt.datetime
    direction: str = ""
    agreeing_reads: int | None = None
    is_final: bool = True
    jpeg: bytes | None = None
    characters: Sequence[float] = ()
    candidates: Sequence[tuple[str, float]] = ()
    box: Sequence[float] = ()
    raw: str = ""


@dataclass(slots=True)
class Judged:
    """A read on its way into the log."""

    row: NewRead
    judgement: Judgement
    is_torn: bool = False
    is_settled: bool = False
    hit: Hit | None = None
    watched: Hit | None = None
    decision: Decision = Decision.HOLD
    why: str = ""
    agreeing_reads: int = 1
    snapshot: Snapshot | None = None
    read: PlateRead | None = None

    @property
    def sight(self) -> tuple[int, str, dt.datetime]:
        return self.row.camera.pk, self.row.track, self.row.captured_at

    @property
    def is_accepted(self) -> bool:
        return self.judgement.accepted and not self.is_torn

    @property
    def counts(self) -> bool:
        """Whether it makes a visit: it is accepted, or it is an alarm."""
        return self.is_accepted or self.hit is not None

    @property
    def vehicle_key(self) -> str:
        """The vehicle it is of: its own, or the blocked one that it may be."""
        if self.is_accepted:
            return self.judgement.match_key or ""
        return self.hit.entry.key if self.hit else ""


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


def way_of(camera: Camera) -> str:
    """Return the direction that a camera's place gives its reads; empty when it sees both ways."""
    return camera.direction if camera.direction in (Camera.Direction.IN, Camera.Direction.OUT) else ""


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
        _look_up(one, listed)
        one.snapshot = keep_picture(one.row.camera, one.row.jpeg, one.row.captured_at, at)
        groups.setdefault(one.vehicle_key, []).append(one)
    count = 0
    for key, group in sorted(groups.items()):
        count += _record_group(site, key, group, policy, source, at)
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


def _look_up(one: Judged, listed: Listed) -> None:
    """Say what the lists say of a read."""
    if one.is_torn:
        one.hit = one.watched = None
        return
    at = one.row.captured_at
    one.hit = find_blocked(one.judgement, listed["blocked"], at)
    one.watched = find_blocked(one.judgement, listed["watch"], at)


@transaction.atomic
def _record_group(
    site: Site, key: str, group: Sequence[Judged], policy: GatePolicy, source: str, at: dt.datetime
) -> int:
    """Write the reads of one vehicle, or with an empty key those of none, with all that follows from them."""
    vehicle = _lock(site, key, group) if key else None
    if vehicle:
        listed = find_listed({key for one in group for key in one.judgement.keys}, [site.pk])
        group = _still_new(group, source, at)
        _decide(group, listed, vehicle, source, at)
    kept = _write(group, vehicle, source, at)
    if vehicle and kept:
        counting = [one for one in kept if one.counts]
        place_reads(vehicle=vehicle, reads=[one.read for one in counting], limits=policy.limits, at=at)
        for one in counting:
            raise_alarms(read=one.read, hit=one.hit, watched=one.watched, at=at)
            if one.decision is Decision.OPEN:
                plan_opening(read=one.read, at=at)
    waiting = [one.read for one in kept if one.read and one.read.review == PlateRead.Review.PENDING]
    if waiting:
        record_event(site=site, kind="plate_read", object_id=waiting[-1].pk, at=at)
    return len(kept)


def _lock(site: Site, key: str, group: Sequence[Judged]) -> Vehicle:
    first = group[0]
    plate = first.judgement.normalised if first.is_accepted else first.hit.entry.plate if first.hit else key
    return lock_vehicle(site=site, key=key, plate=plate or key, camera=first.row.camera, at=first.row.captured_at)


def _still_new(group: Sequence[Judged], source: str, at: dt.datetime) -> list[Judged]:
    """Leave out what somebody else has recorded while the vehicle's lock was waited for."""
    ids = [one.row.event_id for one in group]
    known = set(PlateRead.objects.filter(source=source, event_id__in=ids).values_list("event_id", flat=True))
    for one in group:
        if one.row.event_id in known:
            discard_picture(one.snapshot, at)
    return [one for one in group if one.row.event_id not in known]


def _decide(group: Sequence[Judged], listed: Listed, vehicle: Vehicle, source: str, at: dt.datetime) -> None:
    """Decide what the gate does with each read, by the lists as they stand now."""
    times = _times_by_track(group, vehicle, source)
    for one in group:
        _look_up(one, listed)
        row, judgement = one.row, one.judgement
        one.agreeing_reads = _agreeing(one, times)
        facts = (judgement, one.hit, listed["allowed"], row.captured_at)
        one.decision = Decision.HOLD
        if not one.is_torn:
            one.decision = decide_gate(*facts, direction=row.direction, agreeing_reads=one.agreeing_reads)
        if one.decision is Decision.OPEN and way_of(row.camera) not in ("", row.direction or way_of(row.camera)):
            one.decision, one.why = Decision.HOLD, "wrong_way"
        elif one.decision is Decision.OPEN and abs(at - row.captured_at) > freshness(row.camera):
            one.decision, one.why = Decision.HOLD, "late"
        elif one.decision is Decision.HOLD:
            one.why = _why_held(one, listed)


Times = dict[tuple[int, str], list[dt.datetime]]
"""Camera and track → when it said the same."""


def _times_by_track(group: Sequence[Judged], vehicle: Vehicle, source: str) -> Times:
    """Return when each track said the same before, just long enough ago to agree; one query for all tracks."""
    asking = [one.sight for one in group if one.row.track and one.row.agreeing_reads is None]
    times: Times = {(camera, track): [] for camera, track, _ in asking}
    if times:
        first = min(at for _, _, at in asking) - AGREE_WITHIN
        tracks = {track for _, track, _ in asking}
        rows = PlateRead.objects.filter(
            source=source, track__in=tracks, vehicle=vehicle, verdict="valid", accepted=True, captured_at__gte=first
        )
        for camera, track, captured_at in rows.values_list("camera", "track", "captured_at"):
            times.setdefault((camera, track), []).append(captured_at)
    return times


def _agreeing(one: Judged, times: Times) -> int:
    """Count the instants at which the track said the same within `AGREE_WITHIN`, this one included.

    A read without a track stands alone. Two of one instant are of one picture, however often a device sends it.
    """
    row, (camera, track, now) = one.row, one.sight
    if row.agreeing_reads is not None:
        return row.agreeing_reads
    if not track or not one.is_accepted or one.judgement.verdict is not Verdict.VALID:
        return 1
    same = times[camera, track]
    same.append(now)
    return len({at for at in same if now - AGREE_WITHIN <= at <= now})


def _why_held(one: Judged, listed: Listed) -> str:
    if not one.is_accepted or one.judgement.verdict is not Verdict.VALID:
        return "not_certain"
    entries = [e for e in listed["allowed"].get(one.vehicle_key, ()) if e.holds(one.row.captured_at)]
    if not entries:
        return "not_listed"
    is_right_way = any(not e.direction or e.direction == one.row.direction for e in entries)
    return "one_read" if is_right_way else "wrong_way"


def _write(group: Sequence[Judged], vehicle: Vehicle | None, source: str, at: dt.datetime) -> list[Judged]:
    """Write the lines, at once; return those that were new."""
    for one in group:
        one.read = _line(one, vehicle, source, at)
    try:
        with transaction.atomic():
            PlateRead.objects.bulk_create([one.read for one in group if one.read])
    except IntegrityError:
        return _write_one_by_one(group, source, at)
    return list(group)


def _write_one_by_one(group: Sequence[Judged], source: str, at: dt.datetime) -> list[Judged]:
    """Write the lines that are new: another sender of the same event was faster, and the constraint lets one in."""
    kept = []
    for one in group:
        assert one.read is not None
        one.read.pk = None
        try:
            with transaction.atomic():
                one.read.save(force_insert=True)
        except IntegrityError:
            if not PlateRead.objects.filter(source=source, event_id=one.row.event_id).exists():
                raise
            discard_picture(one.snapshot, at)
            continue
        kept.append(one)
    return kept


def _line(one: Judged, vehicle: Vehicle | None, source: str, at: dt.datetime) -> PlateRead:
    row, judgement = one.row, one.judgement
    return PlateRead(
        site=row.camera.site, camera=row.camera, source=source, event_id=row.event_id, track=row.track,
        captured_at=row.captured_at, recorded_at=at, direction=row.direction,
        raw=shown(row.raw or row.plate), text=spell(row.plate).part[:64], plate=judgement.normalised or "",
        match_key=judgement.match_key or "", family=judgement.family or "", confidence=row.confidence,
        characters=[round(float(score), 4) for score in row.characters][:64],
        candidates=_candidates(one), agreeing_reads=one.agreeing_reads, is_final=row.is_final,
        box=[round(float(edge), 1) for edge in row.box][:4], verdict=judgement.verdict, accepted=one.is_accepted,
        reasons=[*judgement.reasons, *(["torn"] if one.is_torn else [])],
        corrected_positions=list(judgement.corrected_positions), decision=one.decision, why=one.why,
        level=one.hit.level if one.hit else "", listed=facts_of_hit(one.hit or one.watched),
        vehicle=vehicle if one.counts else None, counts=one.counts, snapshot=one.snapshot, review=_review(one),
    )  # fmt: skip


def _candidates(one: Judged) -> list[str]:
    """Return what a person may choose from: the gate's readings first, then the reader's own."""
    texts = [*one.judgement.candidates, *(spell(text).part for text, _ in one.row.candidates[:MOST_CANDIDATES])]
    return list(dict.fromkeys(text for text in texts if text))[:MOST_CANDIDATES]


def _review(one: Judged) -> str:
    """Whatever was not accepted waits for a person, unless a better read of the same track has settled it."""
    if one.is_accepted or one.is_torn:
        return PlateRead.Review.NONE
    return PlateRead.Review.SUPERSEDED if one.is_settled and not one.hit else PlateRead.Review.PENDING
