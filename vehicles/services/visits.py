"""Visits are made of reads: kept up one by one as they come, and folded anew when one comes late or is taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery

from factoryai.alerts.events import record_events
from factoryai.alerts.services import note_alert, record_event
from factoryai.sites.models import Site
from streaming.models import Camera
from vehicles.models import GatePolicy, PlateRead, Vehicle, Visit
from vehicles.rules.visits import Limits, Sight, State, Stay, fold_sight, fold_sights, state_of
from vehicles.services.alarms import join_alerts, raise_missed, urgency
from vehicles.services.rows import write_changes

BATCH = 500
KEPT_UP = ["direction", "state", "entered_at", "last_seen_at", "exited_at", "reads_count", "is_certain"]
"""What a read changes of the visit that goes on."""

WITHDRAWN = "Its reads are of another visit or vehicle, or were discarded. Look at the log before you close the alert."


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a vehicle is entered when the site meets it for the first time."""

    plate: str
    camera: Camera | None
    at: dt.datetime


def lock_vehicles(*, site: Site, wanted: Mapping[str, Wanted]) -> dict[str, Vehicle]:
    """Return the vehicles of some match keys, made where they are missing, locked until the end of the transaction.

    Whoever locks several makes the missing first, by key, and then locks all, by number: no two wait in a ring.
    """
    rows = Vehicle.objects.filter(site=site, match_key__in=wanted)
    missing = sorted(set(wanted) - set(rows.values_list("match_key", flat=True)))
    if missing:
        made = [_enter(site, key, wanted[key]) for key in missing]
        Vehicle.objects.bulk_create(made, ignore_conflicts=True)
    vehicles = list(rows.select_for_update(of=("self",)).order_by("pk")) if wanted else []
    for vehicle in vehicles:
        vehicle.site = site
    return {vehicle.match_key: vehicle for vehicle in vehicles}


def _enter(site: Site, key: str, one: Wanted) -> Vehicle:
    return Vehicle(
        site=site, match_key=key, plate=one.plate, first_seen_at=one.at, last_seen_at=one.at, last_camera=one.camera
    )


def place_read(*, vehicle: Vehicle, read: PlateRead, limits: Limits, at: dt.datetime) -> None:
    """Give a read that is written already, of a locked vehicle, its visit."""
    if is_late(vehicle, [read]):
        read.visit = derive_visits(vehicle=vehicle, limits=limits, at=at)[read.pk]
    else:
        keep_up(reads={vehicle: [read]}, limits=limits, at=at)
        read.save(update_fields=["visit"])
    note_seen({vehicle: [read]})


def is_late(vehicle: Vehicle, reads: Sequence[PlateRead]) -> bool:
    """Whether the first of ``reads``, in the order of capture, is older than what is known of the vehicle."""
    return reads[0].captured_at < vehicle.last_seen_at


def note_seen(reads: Mapping[Vehicle, Sequence[PlateRead]]) -> None:
    """Write when and where locked vehicles were seen first and last."""
    for vehicle, some in reads.items():
        if some[-1].captured_at >= vehicle.last_seen_at:
            vehicle.last_seen_at, vehicle.last_camera = some[-1].captured_at, some[-1].camera
        vehicle.first_seen_at = min(vehicle.first_seen_at, some[0].captured_at)
    write_changes(reads, ["last_seen_at", "last_camera", "first_seen_at"])


def latest_visits(vehicles: Collection[Vehicle]) -> dict[int, Visit]:
    """Return the latest visit of each vehicle by the vehicle's number; two queries for all of them."""
    newest = Visit.objects.genuine().filter(vehicle=OuterRef("pk")).order_by("-began_at", "-pk").values("pk")[:1]
    rows = Vehicle.objects.order_by().filter(pk__in=[vehicle.pk for vehicle in vehicles])
    pks = rows.annotate(newest=Subquery(newest)).values_list("newest", flat=True)
    return {visit.vehicle_id: visit for visit in Visit.objects.filter(pk__in=[pk for pk in pks if pk])}


@dataclass(slots=True)
class _Going:
    """A visit with the new reads that it got; ``before`` is the state it had, None for one that begins."""

    visit: Visit
    before: str | None = None
    reads: list[PlateRead] = field(default_factory=list)


def keep_up(*, reads: Mapping[Vehicle, Sequence[PlateRead]], limits: Limits, at: dt.datetime) -> None:
    """Give the newest reads of locked vehicles their visits, the one that goes on or the next.

    ``reads`` are in the order of capture and need not be written yet: the caller writes their ``visit``.
    """
    latest = latest_visits(reads) if reads else {}
    going = [
        one for vehicle, some in reads.items() for one in _go_on(vehicle, latest.get(vehicle.pk), some, limits, at)
    ]
    old = [one.visit for one in going if one.visit.pk and (one.reads or one.visit.state != one.before)]
    write_changes(old, KEPT_UP)
    Visit.objects.bulk_create([one.visit for one in going if not one.visit.pk])
    for one in going:
        for read in one.reads:
            read.visit = one.visit
    changed = [one.visit for one in going if one.visit.state != one.before]
    if changed:
        record_events(site=changed[0].site, kind="visit", object_ids=[visit.pk for visit in changed], at=at)


def _go_on(
    vehicle: Vehicle, latest: Visit | None, reads: Sequence[PlateRead], limits: Limits, at: dt.datetime
) -> list[_Going]:
    """Add the newest reads of a vehicle to its latest visit, or begin the next; nothing is written."""
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
    return going


def derive_visits(*, vehicle: Vehicle, limits: Limits, at: dt.datetime) -> dict[int, Visit]:
    """Fold all reads of a locked vehicle anew, and return the visit of each by the number of the read.

    Each visit keeps its row and its one alert: of visits that became one, one alert stays open; one that was cut off
    another gets an alert of its own.
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
    return {read.pk: read.visit for read in reads if read.visit}


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
