"""Writing reads into the log, many vehicles at once, with the visits, alerts and openings that follow from them.

What belongs to the reads of one vehicle commits together, under the lock of its row. Vehicles that come in one list
are locked in one order and share their statements: a thousand reads of three hundred vehicles take some 250 of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from factoryai.alerts.services import record_event
from factoryai.sites.models import Site
from vehicles.models import GatePolicy, PlateRead, Vehicle
from vehicles.rules.gate import Verdict
from vehicles.rules.lists import Decision, decide_gate
from vehicles.rules.spelling import shown, spell
from vehicles.services.alarms import raise_alarms
from vehicles.services.gates import freshness, plan_opening
from vehicles.services.incoming import Judged, way_of
from vehicles.services.lists import Listed, facts_of_hit, find_listed
from vehicles.services.pictures import discard_picture
from vehicles.services.visits import Wanted, derive_visits, is_late, keep_up, lock_vehicles, note_seen

AT_ONCE = 50
"""Vehicles that are locked together: a read of one of them from elsewhere waits for some tens of milliseconds."""

TRIES = 4
"""Each finds the events that another sender has recorded meanwhile, and leaves them out."""

AGREE_WITHIN = dt.timedelta(seconds=10)
"""Reads of one track this close together agree; a gate opens for a car that is there, not for one that was."""

MOST_CANDIDATES = 10

Groups = Mapping[str, Sequence[Judged]]
"""Match key → the reads of its vehicle, in the order of capture; with an empty key, those of none."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What all the reads of a list have in common."""

    site: Site
    policy: GatePolicy
    source: str
    at: dt.datetime


def write_groups(batch: Batch, groups: Groups) -> int:
    """Write the reads of a list, vehicle by vehicle in the order of their keys; return how many were new."""
    keys, count = sorted(groups), 0
    for start in range(0, len(keys), AT_ONCE):
        count += _write_some(batch, {key: groups[key] for key in keys[start : start + AT_ONCE]})
    return count


def _write_some(batch: Batch, groups: Groups) -> int:
    """Write the reads of some vehicles; the constraint lets one in of an event that two senders record at once."""
    for tries in range(1, TRIES + 1):
        try:
            kept = _write_once(batch, groups)
        except IntegrityError:
            if tries == TRIES:
                raise
            continue
        written = {id(one) for one in kept}
        for group in groups.values():
            for one in group:
                if id(one) not in written:
                    discard_picture(one.snapshot, batch.at)
        return len(kept)
    raise AssertionError("the last try returns or raises")


@transaction.atomic
def _write_once(batch: Batch, groups: Groups) -> list[Judged]:
    """Write the lines of the log with all that follows from them; return those that were new."""
    wanted = {
        key: Wanted(group[0].plate, group[0].row.camera, group[0].row.captured_at) for key, group in groups.items()
    }
    vehicles = lock_vehicles(site=batch.site, wanted={key: one for key, one in wanted.items() if key})
    new = _still_new(batch, groups)
    listed = find_listed(
        {key for group in new.values() for one in group for key in one.judgement.keys}, [batch.site.pk]
    )
    _decide(batch, new, listed, vehicles)
    placings = {key: [one for one in group if one.counts] for key, group in new.items() if key}
    _place(batch, {key: group for key, group in placings.items() if group}, new, vehicles)
    for group in placings.values():
        for one in group:
            _follow(one, batch.at)
    kept = [one for group in new.values() for one in group]
    waiting = [one.read for one in kept if one.read and one.read.review == PlateRead.Review.PENDING]
    if waiting:
        record_event(site=batch.site, kind="plate_read", object_id=waiting[-1].pk, at=batch.at)
    return kept


def _still_new(batch: Batch, groups: Groups) -> dict[str, list[Judged]]:
    """Leave out what somebody else has recorded while the locks were waited for."""
    ids = [one.row.event_id for group in groups.values() for one in group]
    rows = PlateRead.objects.filter(source=batch.source, event_id__in=ids)
    known = set(rows.values_list("event_id", flat=True))
    return {key: [one for one in group if one.row.event_id not in known] for key, group in groups.items()}


def _place(batch: Batch, placings: Groups, new: Groups, vehicles: Mapping[str, Vehicle]) -> None:
    """Write the lines, each with its visit. Vehicles of which a read comes late are folded anew afterwards."""
    for key, group in new.items():
        for one in group:
            one.read = _line(one, vehicles.get(key), batch)
    reads = {vehicles[key]: [one.read for one in group] for key, group in placings.items()}
    late = {vehicle: some for vehicle, some in reads.items() if is_late(vehicle, some)}
    keep_up(
        reads={vehicle: some for vehicle, some in reads.items() if vehicle not in late},
        limits=batch.policy.limits,
        at=batch.at,
    )
    PlateRead.objects.bulk_create([one.read for group in new.values() for one in group])
    for vehicle, some in late.items():
        visits = derive_visits(vehicle=vehicle, limits=batch.policy.limits, at=batch.at)
        for read in some:
            read.visit = visits[read.pk]
    note_seen(reads)


def _follow(one: Judged, at: dt.datetime) -> None:
    """Do what a read that counts calls for."""
    raise_alarms(read=one.read, hit=one.hit, watched=one.watched, at=at)
    if one.decision is Decision.OPEN:
        plan_opening(read=one.read, at=at)


def _decide(batch: Batch, groups: Groups, listed: Listed, vehicles: Mapping[str, Vehicle]) -> None:
    """Decide what the gate does with each read of a vehicle, by the lists as they stand now."""
    times = _times_by_track(batch, groups, vehicles)
    for key, group in groups.items():
        for one in group if key else ():
            one.look_up(listed)
            one.agreeing_reads = _agreeing(one, key, times)
            _decide_one(one, listed, batch.at)


def _decide_one(one: Judged, listed: Listed, at: dt.datetime) -> None:
    row = one.row
    facts = (one.judgement, one.hit, listed["allowed"], row.captured_at)
    one.decision, one.why = Decision.HOLD, ""
    if not one.is_torn:
        one.decision = decide_gate(*facts, direction=row.direction, agreeing_reads=one.agreeing_reads)
    if one.decision is Decision.OPEN and way_of(row.camera) not in ("", row.direction or way_of(row.camera)):
        one.decision, one.why = Decision.HOLD, "wrong_way"
    elif one.decision is Decision.OPEN and abs(at - row.captured_at) > freshness(row.camera):
        one.decision, one.why = Decision.HOLD, "late"
    elif one.decision is Decision.HOLD:
        one.why = _why_held(one, listed)


Times = dict[tuple[str, int, str], list[dt.datetime]]
"""Vehicle, camera and track → when it said the same."""


def _times_by_track(batch: Batch, groups: Groups, vehicles: Mapping[str, Vehicle]) -> Times:
    """Return when each track said the same before, just long enough ago to agree; one query for all tracks."""
    asking = [
        (key, *one.sight)
        for key, group in groups.items()
        for one in group
        if key and one.row.track and one.row.agreeing_reads is None
    ]
    times: Times = {(key, camera, track): [] for key, camera, track, _ in asking}
    if times:
        first = min(at for *_, at in asking) - AGREE_WITHIN
        rows = PlateRead.objects.order_by().filter(
            source=batch.source, track__in={track for _, _, track, _ in asking}, vehicle__in=vehicles.values(),
            verdict="valid", accepted=True, captured_at__gte=first,
        )  # fmt: skip
        keys = {vehicle.pk: key for key, vehicle in vehicles.items()}
        for vehicle, camera, track, captured_at in rows.values_list("vehicle", "camera", "track", "captured_at"):
            times.setdefault((keys[vehicle], camera, track), []).append(captured_at)
    return times


def _agreeing(one: Judged, key: str, times: Times) -> int:
    """Count the instants at which the track said the same within `AGREE_WITHIN`, this one included.

    A read without a track stands alone. Two of one instant are of one picture, however often a device sends it.
    """
    row, (camera, track, now) = one.row, one.sight
    if row.agreeing_reads is not None:
        return row.agreeing_reads
    if not track or not one.is_accepted or one.judgement.verdict is not Verdict.VALID:
        return 1
    same = times[key, camera, track]
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


def _line(one: Judged, vehicle: Vehicle | None, batch: Batch) -> PlateRead:
    row, judgement = one.row, one.judgement
    return PlateRead(
        site=batch.site, camera=row.camera, source=batch.source, event_id=row.event_id, track=row.track,
        captured_at=row.captured_at, recorded_at=batch.at, direction=row.direction,
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
