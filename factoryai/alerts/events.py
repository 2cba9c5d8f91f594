"""The numbered stream of events behind ``/ws/events``.

An event is written in the transaction of its cause, without a number: numbers given inside transactions become visible
out of order, and a reader who stands at 7 would never see the 6 that commits later. So numbers are given after the
commit, by whoever comes first, under the lock of one counter row. The lock is held until the numbers are committed,
hence a reader who sees ``n`` sees everything below ``n``, the numbers have no gaps, and ``?after=n`` misses nothing.
A process that dies before numbering leaves rows that the next writer, the next reader or the minute job picks up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from factoryai.alerts import nudges
from factoryai.alerts.models import Event, EventCounter
from factoryai.sites.models import Site

KEPT_FOR = dt.timedelta(days=7)
BATCH = 500


def record_event(*, site: Site, kind: str, object_id: object, at: dt.datetime) -> Event:
    """Write an event with its cause; open pages of the site hear of it after the commit."""
    event = Event.objects.create(site=site, kind=kind, object_id=str(object_id), at=at)
    transaction.on_commit(publish_events, robust=True)
    return event


def record_events(*, site: Site, kind: str, object_ids: Iterable[object], at: dt.datetime) -> None:
    """Write an event for each of several objects, in two statements."""
    Event.objects.bulk_create([Event(site=site, kind=kind, object_id=str(pk), at=at) for pk in object_ids])
    transaction.on_commit(publish_events, robust=True)


def publish_events() -> int:
    """Number what is committed and nudge the web processes; returns how many were numbered."""
    numbered = 0
    while count := _number_batch():
        numbered += count
    if numbered:
        nudges.events_changed()
    return numbered


def _number_batch() -> int:
    if not Event.objects.unnumbered().exists():
        return 0
    with transaction.atomic():
        counter = EventCounter.objects.select_for_update().get_or_create(pk=1)[0]
        events = list(Event.objects.unnumbered()[:BATCH])
        for seq, event in enumerate(events, counter.last_seq + 1):
            event.seq = seq
        Event.objects.bulk_update(events, ["seq"])
        EventCounter.objects.filter(pk=1).update(last_seq=counter.last_seq + len(events))
    return len(events)


def last_seq() -> int:
    """Return the highest number given so far."""
    return EventCounter.objects.filter(pk=1).values_list("last_seq", flat=True).first() or 0


def forget_events(*, before: dt.datetime) -> int:
    """Delete events older than ``before``; they are nudges, the facts stay in their own tables."""
    return Event.objects.filter(at__lt=before, seq__isnull=False).delete()[0]
