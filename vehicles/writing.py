"""What every way of writing a list has in common, the services', Django's own verbs and the admin's: the plate as the
gate knows it with its match key, a line of history, and the alarm of a vehicle that is inside already."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db.models import QuerySet

from factoryai.sites.models import Site
from vehicles.history import changes_written, write_added
from vehicles.models.lists import ListEntry
from vehicles.services.rows import write_changes

KEYED = frozenset({"plate", "match_key", "site", "site_id"})
"""Fields that say which vehicle an entry means: where one changes, the key is worked out anew."""

MOST_KEYS = 500
"""Changed entries of which only their own vehicles are looked for; of more, all that are inside."""


def settle_keys(entries: Sequence[ListEntry]) -> None:
    """Give entries the plate as the gate writes it and the key of its vehicle; raises `Refusal` ``bad_plate``."""
    from vehicles.services.lists import judge_listed_plate
    from vehicles.services.policies import rules_of

    rules: dict[Site | None, tuple[Any, ...]] = {}
    for entry in entries:
        if entry.site not in rules:
            rules[entry.site] = rules_of(entry.site)
        judgement = judge_listed_plate(entry.plate, entry.site, rules[entry.site])
        entry.plate, entry.match_key = judgement.normalised or "", judgement.match_key or ""


def locked_entries(pks: Collection[int]) -> list[ListEntry]:
    """Return entries as they stand, locked by number until the end of the transaction: of two who change one at once
    the second sees what the first has done, and its history says so."""
    rows = ListEntry._base_manager.select_for_update(of=("self",)).filter(pk__in=pks)
    return list(rows.order_by("pk"))


@contextmanager
def additions_taken(entries: Sequence[ListEntry], at: dt.datetime) -> Iterator[None]:
    """Write what belongs to entries that are added within; call it inside a transaction."""
    settle_keys(entries)
    yield
    write_added(entries)
    _alarm(entries, at)


@contextmanager
def changes_taken(entries: Sequence[ListEntry], fields: Collection[str], at: dt.datetime) -> Iterator[None]:
    """Write what belongs to ``entries``, whose ``fields`` are changed within; call it inside a transaction."""
    with changes_written(entries):
        yield
        if KEYED & set(fields):
            _rekey([entry.pk for entry in entries])
    _alarm(ListEntry._base_manager.filter(pk__in=[entry.pk for entry in entries]), at)


def _rekey(pks: Sequence[int]) -> None:
    rows = list(ListEntry._base_manager.filter(pk__in=pks).select_related("site"))
    before = [(row.plate, row.match_key) for row in rows]
    settle_keys(rows)
    changed = [row for row, was in zip(rows, before, strict=True) if was != (row.plate, row.match_key)]
    write_changes(changed, ["plate", "match_key"])


def _alarm(entries: Collection[ListEntry] | QuerySet[ListEntry], at: dt.datetime) -> None:
    from vehicles.services.alarms import alarm_inside

    alarming = [e for e in entries if e.list != ListEntry.List.ALLOWED and e.standing(at) == "in force"]
    if alarming:
        alarm_inside(at=at, keys={e.match_key for e in alarming} if len(alarming) <= MOST_KEYS else None)
