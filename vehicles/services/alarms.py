"""Alerts of listed vehicles: raised in the transaction of the visit, once a visit, whatever is read afterwards."""

from __future__ import annotations

import datetime as dt

from factoryai.alerts.models import Severity
from factoryai.alerts.services import raise_alert
from vehicles.models import PlateRead, Visit
from vehicles.rules.lists import Hit, Level
from vehicles.services.lists import ListedEntry
from vehicles.services.pictures import hold_for_alert

BLOCKED, WATCHED = "blocked_plate", "watched_plate"


def raise_alarms(*, read: PlateRead, hit: Hit | None, watched: Hit | None, at: dt.datetime) -> None:
    """Raise what a read of a visit calls for, in the caller's transaction, under the lock of the vehicle."""
    if read.visit_id is None or not (hit or watched):
        return
    visit = Visit.objects.select_related("site").get(pk=read.visit_id)
    if hit and (visit.alerted_at is None or visit.level == Level.PROBABLE):
        _alarm(visit, read, hit, at)
    if watched and not hit and visit.watched_at is None and visit.alerted_at is None:
        _announce(visit, read, watched, at)


def _alarm(visit: Visit, read: PlateRead, hit: Hit, at: dt.datetime) -> None:
    if visit.alerted_at is None:
        entry = _entry(hit)
        words = "Blocked vehicle" if hit.level is Level.CRITICAL else "Probably a blocked vehicle"
        visit.alert = raise_alert(
            site=visit.site,
            kind=BLOCKED,
            severity=entry.severity,
            title=f"{words}: {entry.plate}{_place(read)}",
            detail=f"{_sentence(entry.reason)}\n{_seen(read, visit)}{_doubt(read, hit)}",
            key=f"visit-{visit.pk}",
            at=at,
        )
        visit.alerted_at = at
        hold_for_alert(read, visit.alert)
    visit.level = hit.level
    visit.save(update_fields=["alert", "alerted_at", "level"])


def _announce(visit: Visit, read: PlateRead, watched: Hit, at: dt.datetime) -> None:
    entry = _entry(watched)
    words = "Watched vehicle" if watched.level is Level.CRITICAL else "Probably a watched vehicle"
    alert = raise_alert(
        site=visit.site,
        kind=WATCHED,
        severity=min(entry.severity, Severity.WARNING, key=list(Severity).index),
        title=f"{words}: {entry.plate}{_place(read)}",
        detail=f"{_sentence(entry.reason)}\n{_seen(read, visit)}",
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
