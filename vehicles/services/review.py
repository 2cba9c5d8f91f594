"""What a person says of a read that was not accepted. It may raise an alarm and make a visit; it never opens a gate."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from factoryai.alerts.services import record_event
from factoryai.rest import Refusal
from vehicles.models import PlateRead, Vehicle
from vehicles.rules.gate import Judgement, Verdict
from vehicles.rules.lists import find_blocked
from vehicles.services.alarms import raise_alarms
from vehicles.services.lists import facts_of_hit, find_listed
from vehicles.services.policies import judge_typed, policy_of
from vehicles.services.visits import Wanted, derive_visits, lock_vehicles, place_read

Review = PlateRead.Review


def decide_read(*, read: PlateRead, verb: str, by: Any, at: dt.datetime, plate: str = "") -> PlateRead:
    """Accept a read as it stands, correct it to ``plate``, or discard it.

    Of two people at once the first decides; the other gets 409 ``already_decided``. Raises `Refusal` 400 ``bad_plate``
    for a correction that is no plate, and ``no_plate`` for accepting a read that may be several plates, or none.
    """
    judgement = None if verb == "discard" else _said(read, plate if verb == "correct" else read.plate)
    review = {"accept": Review.ACCEPTED, "correct": Review.CORRECTED, "discard": Review.DISCARDED}[verb]
    with transaction.atomic():
        vehicles = _lock_all(read, judgement)
        rows = PlateRead.objects.awaiting_review().filter(pk=read.pk)
        if not rows.update(review=review, reviewed_at=at, reviewed_by=by):
            raise Refusal("already_decided", "Somebody has decided this already.", 409)
        read.refresh_from_db()
        if judgement is None:
            _take_out(read, vehicles, at)
        else:
            _take_as(read, judgement, vehicles, at)
        record_event(site=read.site, kind="plate_read", object_id=read.pk, at=at)
    return read


def _said(read: PlateRead, plate: str) -> Judgement:
    if not plate:
        raise Refusal("no_plate", "This read may be several plates. Choose one, or write what it is.")
    judgement = judge_typed(read.site, plate)
    if judgement.verdict in (Verdict.VALID, Verdict.CORRECTED) and judgement.match_key:
        return judgement
    meant = " or ".join(judgement.candidates)
    words = f"This is not a plate as it stands. Is {meant} meant?" if meant else "This is no plate."
    raise Refusal("bad_plate", words, 400, {"plate": words})


def _lock_all(read: PlateRead, judgement: Judgement | None) -> dict[str, Vehicle]:
    """Lock the vehicle it was taken for and the one it is."""
    plates = {read.vehicle.match_key: read.vehicle.plate} if read.vehicle else {}
    if judgement and judgement.match_key:
        plates[judgement.match_key] = judgement.normalised or ""
    wanted = {key: Wanted(plate, read.camera, read.captured_at) for key, plate in plates.items()}
    return lock_vehicles(site=read.site, wanted=wanted)


def _take_out(read: PlateRead, vehicles: dict[str, Vehicle], at: dt.datetime) -> None:
    PlateRead.objects.filter(pk=read.pk).update(counts=False, visit=None, vehicle=None, level="", listed={})
    for vehicle in vehicles.values():
        derive_visits(vehicle=vehicle, limits=policy_of(read.site).limits, at=at)
    read.refresh_from_db()


def _take_as(read: PlateRead, judgement: Judgement, vehicles: dict[str, Vehicle], at: dt.datetime) -> None:
    """Make the read one of the vehicle that a person named, and raise what that calls for."""
    limits, vehicle = policy_of(read.site).limits, vehicles[judgement.match_key or ""]
    was_counted_for = read.vehicle_id if read.counts else None
    listed = find_listed(judgement.keys, [read.site_id])
    hit = find_blocked(judgement, listed["blocked"], read.captured_at)
    watched = find_blocked(judgement, listed["watch"], read.captured_at)
    PlateRead.objects.filter(pk=read.pk).update(
        plate=judgement.normalised, match_key=judgement.match_key, family=judgement.family or "",
        vehicle=vehicle, counts=True, visit=read.visit_id if was_counted_for == vehicle.pk else None,
        level=hit.level if hit else "", listed=facts_of_hit(hit or watched),
    )  # fmt: skip
    read.refresh_from_db()
    for other in vehicles.values():
        if other.pk != vehicle.pk:
            derive_visits(vehicle=other, limits=limits, at=at)
    if was_counted_for == vehicle.pk:
        derive_visits(vehicle=vehicle, limits=limits, at=at)
        read.refresh_from_db()
    else:
        place_read(vehicle=vehicle, read=read, limits=limits, at=at)
    raise_alarms(read=read, hit=hit, watched=watched, at=at)
