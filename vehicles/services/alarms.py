"""Alerts of listed vehicles: raised in the transaction of the visit, once a visit, whatever is read afterwards."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction

from factoryai.alerts.models import Severity
from factoryai.alerts.services import close_alert, note_alert, raise_alert
from factoryai.sites.models import Site
from vehicles.models import ListEntry, PlateRead, Vehicle, Visit
from vehicles.rules.lists import Hit, Level
from vehicles.rules.spelling import spell
from vehicles.services.lists import ListedEntry, find_listed, listed_entry
from vehicles.services.pictures import hold_for_alert

INSIDE = "It was inside when it was listed. "
BLOCKED, WATCHED = "blocked_plate", "watched_plate"


def raise_alarms(
    *, read: PlateRead, hit: Hit | None, watched: Hit | None, at: dt.datetime, is_inside: bool = False
) -> None:
    """Raise what a read of a visit calls for, in the caller's transaction, under the lock of the vehicle.

    ``is_inside``: the read is old, and the list has changed since.
    """
    if read.visit_id is None or not (hit or watched):
        return
    visit = Visit.objects.select_related("site").get(pk=read.visit_id)
    if hit and (visit.alerted_at is None or visit.level == Level.PROBABLE):
        _alarm(visit, read, hit, at, INSIDE if is_inside else "")
    if watched and not hit and visit.watched_at is None and visit.alerted_at is None:
        _announce(visit, read, watched, at, INSIDE if is_inside else "")


def hold_inside(*, site: Site, plates: Iterable[str]) -> None:
    """Lock those vehicles of some plates that are inside, by number as reads lock theirs.

    For a table that is listed line by line in one transaction: its alarms would lock them in the order of the lines,
    and reads and table would wait in a ring.
    """
    keys = {key for plate in plates for key in spell(plate).keys}
    inside = Visit.objects.still_open().filter(site=site).values_list("vehicle_id", "match_key")
    named = [vehicle for vehicle, key in inside if key in keys]
    list(Vehicle.objects.select_for_update(of=("self",)).filter(pk__in=named).order_by("pk"))


def alarm_inside(*, at: dt.datetime, keys: Collection[str] | None = None) -> int:
    """Alarm of vehicles that are inside while their plate is blocked or watched: nobody may read them again for hours.

    Runs in every transaction that changes a list, for its match ``keys``; and every few seconds for all, which finds
    what another program wrote, entries that begin meanwhile, and a vehicle whose read and whose entry were written at
    the same moment, neither seeing the other. Returns how many visits were told of.
    """
    vehicles = Visit.objects.unalarmed(at, keys).order_by("vehicle_id").values_list("vehicle_id", flat=True)
    return sum(_alarm_of(pk, at) for pk in list(vehicles))


@transaction.atomic
def _alarm_of(vehicle_pk: int, at: dt.datetime) -> int:
    """Alarm of one vehicle, under the lock that its reads take, if nobody has meanwhile."""
    vehicle = Vehicle.objects.select_for_update(of=("self",)).filter(pk=vehicle_pk).first()
    visit = Visit.objects.unalarmed(at).filter(vehicle=vehicle).first()
    read = PlateRead.objects.filter(visit=visit).select_related("camera").first() if visit else None
    if visit is None or read is None:
        return 0
    listed = find_listed([visit.match_key], [visit.site_id])
    level = Level.CRITICAL if visit.is_certain else Level.PROBABLE
    hits = [_hit(listed[name].get(visit.match_key, ()), level, at) for name in ("blocked", "watch")]
    raise_alarms(read=read, hit=hits[0], watched=hits[1], at=at, is_inside=True)
    return 1


def _hit(entries: Iterable[ListedEntry], level: Level, at: dt.datetime) -> Hit | None:
    return next((Hit(level, entry) for entry in entries if entry.holds(at)), None)


def raise_missed(*, visit: Visit, reads: Sequence[PlateRead], at: dt.datetime) -> None:
    """Raise what the reads of a visit call for and nobody was told: they were of another visit when they came.

    An entry that was removed since calls for nothing any more.
    """
    met = [read for read in reads if read.listed]
    if not met or visit.alerted_at:
        return
    rows = ListEntry.objects.kept().in_bulk({read.listed["entry"] for read in met})
    entries = {pk: listed_entry(row) for pk, row in rows.items()}
    for read in sorted(met, key=lambda read: (not read.level, read.level != Level.CRITICAL)):
        entry = entries.get(read.listed["entry"])
        if entry is None or not entry.holds(read.captured_at):
            continue
        if read.level:
            raise_alarms(read=read, hit=Hit(Level(read.level), entry), watched=None, at=at)
            return
        if visit.watched_at is None:
            raise_alarms(read=read, hit=None, watched=Hit(_surety(read), entry), at=at)
            return


def _surety(read: PlateRead) -> Level:
    is_exact = read.accepted and read.verdict == PlateRead.Verdict.VALID
    return Level.CRITICAL if is_exact else Level.PROBABLE


def urgency(visit: Visit) -> tuple[bool, ...]:
    """Return by what visits are ordered whose alert most needs an answer: blocked, unanswered, open, certain."""
    alert = visit.alert
    return (
        visit.alerted_at is None,
        visit.watched_at is None,
        alert is None or not alert.is_waiting,
        alert is None or not alert.is_open,
        visit.level != Level.CRITICAL,
    )


def join_alerts(*, kept: Visit, gone: Visit, at: dt.datetime) -> None:
    """Leave one open alert to two visits that were one; the caller saves ``kept``.

    One that waits for an answer is never closed for the sake of one that has its answer.
    """
    kept.level = Level.CRITICAL if Level.CRITICAL in (kept.level, gone.level) else kept.level or gone.level
    kept.alerted_at, kept.watched_at = kept.alerted_at or gone.alerted_at, kept.watched_at or gone.watched_at
    kept.alert = stays = kept.alert or gone.alert
    ends = gone.alert
    if stays is None or ends is None or stays == ends or not ends.is_open:
        return
    words = "A read that came late shows one stay: alert {}, “{}”, is of the same."
    if stays.is_waiting or not ends.is_waiting:
        close_alert(site=gone.site, key=ends.key, at=at, note=words.format(stays.pk, stays.title))
    else:
        note_alert(alert=ends, step="joined", note=words.format(stays.pk, stays.title), at=at)
    note_alert(alert=stays, step="joined", note=words.format(ends.pk, ends.title), at=at)


def _alarm(visit: Visit, read: PlateRead, hit: Hit, at: dt.datetime, remark: str) -> None:
    if visit.alerted_at is None:
        entry = _entry(hit)
        words = "Blocked vehicle" if hit.level is Level.CRITICAL else "Probably a blocked vehicle"
        visit.alert = raise_alert(
            site=visit.site,
            kind=BLOCKED,
            severity=entry.severity,
            title=f"{words}: {entry.plate}{_place(read)}",
            detail=f"{_sentence(entry.reason)}\n{remark}{_seen(read, visit)}{_doubt(read, hit)}",
            key=f"visit-{visit.pk}",
            at=at,
        )
        visit.alerted_at = at
        hold_for_alert(read, visit.alert)
    elif hit.level is Level.CRITICAL and visit.alert:
        note_alert(alert=visit.alert, step="certain", note=_seen(read, visit), at=at)
    visit.level = hit.level
    visit.save(update_fields=["alert", "alerted_at", "level"])


def _announce(visit: Visit, read: PlateRead, watched: Hit, at: dt.datetime, remark: str) -> None:
    entry = _entry(watched)
    words = "Watched vehicle" if watched.level is Level.CRITICAL else "Probably a watched vehicle"
    alert = raise_alert(
        site=visit.site,
        kind=WATCHED,
        severity=min(entry.severity, Severity.WARNING, key=list(Severity).index),
        title=f"{words}: {entry.plate}{_place(read)}",
        detail=f"{_sentence(entry.reason)}\n{remark}{_seen(read, visit)}",
        key=f"watched-visit-{visit.pk}",
        at=at,
    )
    visit.alert, visit.watched_at = alert, at
    visit.save(update_fields=["alert", "watched_at"])
    hold_for_alert(read, alert)


def _entry(hit: Hit) -> ListedEntry:
    assert isinstance(hit.entry, ListedEntry)
    return hit.entry


def _sentence(text: str) -> str:
    """Return a reason with its full stop: some screens show the lines of a detail as one."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _place(read: PlateRead) -> str:
    return f" at {read.camera.name}" if read.camera else ""


def _seen(read: PlateRead, visit: Visit) -> str:
    local = read.captured_at.astimezone(visit.site.zone)
    return f"Read at {local:%H:%M:%S on %d %b %Y}, confidence {read.confidence:.2f}."


def _doubt(read: PlateRead, hit: Hit) -> str:
    """Say what a probable alarm rests on."""
    return "" if hit.level is Level.CRITICAL else f" It was read as {read.raw}: look at the vehicle."
