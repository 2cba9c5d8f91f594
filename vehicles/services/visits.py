"""Visits are made of reads: kept up one by one as they come, and folded anew when one comes late or is taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from factoryai.alerts.services import note_alert, record_event
from factoryai.sites.models import Site
from streaming.models import Camera
from vehicles.models import GatePolicy, PlateRead, Vehicle, Visit
from vehicles.rules.visits import Limits, Sight, State, Stay, fold_sight, fold_sights, state_of
from vehicles.services.alarms import join_alerts, raise_missed, urgency

BATCH = 500
WITHDRAWN = "Its reads are of another visit or vehicle, or were discarded. Look at the log before you close the alert."


def lock_vehicle(*, site: Site, key: str, plate: str, camera: Camera, at: dt.datetime) -> Vehicle:
    """Return the vehicle's row, made when it is missing, locked until the end of the transaction."""
    fields = {"plate": plate, "first_seen_at": at, "last_seen_at": at, "last_camera": camera}
    Vehicle.objects.get_or_create(site=site, match_key=key, defaults=fields)
    return Vehicle.objects.select_for_update(of=("self",)).select_related("site").get(site=site, match_key=key)


def place_reads(*, vehicle: Vehicle, reads: Sequence[PlateRead], limits: Limits, at: dt.datetime) -> None:
    """Give new reads of a locked vehicle their visits; ``reads`` are in the order of capture and written already."""
    if not reads:
        return
    if reads[0].captured_at < vehicle.last_seen_at:
        derive_visits(vehicle=vehicle, limits=limits, at=at)
        for read in reads:
            read.refresh_from_db(fields=["visit"])
    else:
        _keep_up(vehicle, reads, limits, at)
    newest = reads[-1]
    if newest.captured_at >= vehicle.last_seen_at:
        vehicle.last_seen_at, vehicle.last_camera = newest.captured_at, newest.camera
    vehicle.first_seen_at = min(vehicle.first_seen_at, reads[0].captured_at)
    vehicle.save(update_fields=["last_seen_at", "last_camera", "first_seen_at"])


def latest_visit(vehicle: Vehicle) -> Visit | None:
    return Visit.objects.genuine().filter(vehicle=vehicle).order_by("-began_at", "-pk").first()


@dataclass(slots=True)
class _Going:
    """A visit with the new reads that it got; ``before`` is the state it had, None for one that begins."""

    visit: Visit
    before: str | None = None
    reads: list[PlateRead] = field(default_factory=list)


def _keep_up(vehicle: Vehicle, reads: Sequence[PlateRead], limits: Limits, at: dt.datetime) -> None:
    """Add the newest reads of a vehicle to the visit that goes on, or begin the next; each visit is saved once."""
    latest = latest_visit(vehicle)
    going = [_Going(latest, latest.state)] if latest else []
    for read in reads:
        sight = Sight(read.captured_at, read.direction)
        stay, is_new = fold_sight(going[-1].visit.stay if going else None, sight, limits)
        if is_new:
            if going and going[-1].visit.state == State.OPEN:
                going[-1].visit.state = State.NO_EXIT
            fields = {"match_key": vehicle.match_key, "plate": vehicle.plate, "began_at": read.captured_at}
            going.append(_Going(Visit(site=vehicle.site, vehicle=vehicle, **fields)))
        visit = going[-1].visit
        _put(visit, stay, state_of(stay, at, limits, is_latest=True))
        visit.reads_count += 1
        visit.is_certain = visit.is_certain or read.accepted or bool(read.reviewed_at)
        going[-1].reads.append(read)
    for one in going:
        if one.reads or one.visit.state != one.before:
            _save_going(one, at)


def _save_going(one: _Going, at: dt.datetime) -> None:
    one.visit.save()
    for start in range(0, len(one.reads), BATCH):
        batch = one.reads[start : start + BATCH]
        PlateRead.objects.filter(pk__in=[read.pk for read in batch]).update(visit=one.visit)
    for read in one.reads:
        read.visit = one.visit
    if one.visit.state != one.before:
        _tell(one.visit, at)


def derive_visits(*, vehicle: Vehicle, limits: Limits, at: dt.datetime) -> None:
    """Fold all reads of a locked vehicle anew: each visit keeps its row and its one alert.

    Of visits that became one, one alert stays open. A visit that was cut off another one gets an alert of its own.
    """
    reads = list(PlateRead.objects.filter(vehicle=vehicle).counting())
    rows = {visit.pk: visit for visit in Visit.objects.filter(vehicle=vehicle).select_related("alert")}
    folded = fold_sights([Sight(read.captured_at, read.direction) for read in reads], limits)
    free = dict(rows)
    claimed = [_claim(free, [reads[place] for place in places]) for _, places in folded]
    heirs = {
        reads[place].visit_id: visit
        for (_, places), visit in zip(reversed(folded), reversed(claimed), strict=True)
        for place in places
    }
    for visit in free.values():
        _let_go(visit, heirs.get(visit.pk), at)
    for number, ((stay, places), visit) in enumerate(zip(folded, claimed, strict=True), start=1):
        mine = [reads[place] for place in places]
        visit = visit or Visit(site=vehicle.site, vehicle=vehicle, match_key=vehicle.match_key, plate=vehicle.plate)
        before = (visit.state, visit.stay) if visit.pk else None
        _put(visit, stay, state_of(stay, at, limits, is_latest=number == len(folded)))
        visit.began_at, visit.reads_count = mine[0].captured_at, len(mine)
        visit.is_certain = any(read.accepted or read.reviewed_at for read in mine)
        visit.save()
        _move(mine, visit)
        raise_missed(visit=visit, reads=mine, at=at)
        if before != (visit.state, visit.stay):
            _tell(visit, at)


def _claim(free: dict[int, Visit], reads: Sequence[PlateRead]) -> Visit | None:
    """Take one of the rows that the reads of a visit had, the one with the alert that most needs an answer."""
    had = [free[read.visit_id] for read in reads if read.visit_id in free]
    return free.pop(min(had, key=urgency).pk) if had else None


def _move(reads: Sequence[PlateRead], visit: Visit) -> None:
    strays = [read.pk for read in reads if read.visit_id != visit.pk]
    for start in range(0, len(strays), BATCH):
        PlateRead.objects.filter(pk__in=strays[start : start + BATCH]).update(visit=visit)
    for read in reads:
        read.visit = visit


def _let_go(visit: Visit, heir: Visit | None, at: dt.datetime) -> None:
    """Withdraw a visit that has no reads left, or delete it where nothing refers to it; ``heir`` has its reads now."""
    if not (visit.alerted_at or visit.watched_at or visit.openings.exists()):
        visit.delete()
    elif visit.state != State.WITHDRAWN:
        _save(visit, state=State.WITHDRAWN, reads_count=0)
        if heir is not None:
            join_alerts(kept=heir, gone=visit, at=at)
        elif visit.alert:
            note_alert(alert=visit.alert, step="withdrawn", note=WITHDRAWN, at=at)
        _tell(visit, at)


def _put(visit: Visit, stay: Stay, state: State) -> None:
    visit.direction, visit.state = stay.direction, state
    visit.entered_at, visit.last_seen_at, visit.exited_at = stay.entered_at, stay.last_seen_at, stay.exited_at


def _save(visit: Visit, **changes: Any) -> None:
    for name, value in changes.items():
        setattr(visit, name, value)
    visit.save(update_fields=list(changes))


def _tell(visit: Visit, at: dt.datetime) -> None:
    record_event(site=visit.site, kind="visit", object_id=visit.pk, at=at)


def close_unseen(*, at: dt.datetime) -> int:
    """End the visits of which nothing was read for the time that their site's policy says; return how many."""
    policies = {policy.site_id: policy for policy in GatePolicy.objects.all()}
    count = 0
    for site in Site.objects.filter(visits__state=State.OPEN).distinct():
        before = at - (policies.get(site.pk) or GatePolicy(site=site)).limits.gone_after
        for visit in Visit.objects.for_site(site).unseen_since(before)[:BATCH]:
            count += _close(visit, before, at)
    return count


@transaction.atomic
def _close(visit: Visit, before: dt.datetime, at: dt.datetime) -> int:
    """Close one visit unless it was seen meanwhile."""
    closed = Visit.objects.unseen_since(before).filter(pk=visit.pk).update(state=State.NO_EXIT)
    if closed:
        _tell(visit, at)
    return closed
