"""The verbs on lists: add, change, remove; and the one question that every decision of the gate asks the database.

There is no cache. A decision is one look into the index of the plates, so an entry is in force from its commit on, in
every process, whoever changed it and however: through these verbs, a bulk update, or another program.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction

from factoryai.alerts.models import Severity
from factoryai.alerts.services import record_event
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from vehicles.models import ListEntry
from vehicles.rules.gate import Judgement, Verdict
from vehicles.rules.lists import Entry, Hit
from vehicles.services.policies import judge_typed

CHANGEABLE = ("reason", "severity", "kind", "direction", "valid_from", "valid_until")
PER_QUERY = 900
"""Keys in one look; SQLite of old took 999 parameters."""

SELECT = """SELECT match_key, id, list, plate, reason, severity, kind, direction, valid_from, valid_until
FROM vehicles_listentry
WHERE match_key IN ({keys}) AND removed_at IS NULL AND (site_id IS NULL OR site_id IN ({sites}))"""


@dataclass(frozen=True, slots=True)
class ListedEntry(Entry):
    """An entry as decisions see it, with the row it comes from."""

    pk: int = 0
    list: str = ""
    severity: str = Severity.CRITICAL
    kind: str = ""


def listed_entry(row: ListEntry) -> ListedEntry:
    """Return a row as decisions see it."""
    return ListedEntry(
        row.match_key, row.plate, row.reason, row.valid_from, row.valid_until, row.direction, row.pk, row.list,
        row.severity, row.kind,
    )  # fmt: skip


Listed = Mapping[str, Mapping[str, Sequence[ListedEntry]]]
"""List → match key → its entries."""


def find_listed(keys: Iterable[str], sites: Sequence[int]) -> Listed:
    """Return the entries of ``keys`` at ``sites`` (ids) and everywhere, as they stand in the database at this moment;
    of a vehicle that is blocked twice, the gravest first.

    Dates are not looked at here: an entry says itself whether it holds. Costs one look into an index.
    """
    found: dict[str, dict[str, list[ListedEntry]]] = {name: {} for name in ListEntry.List.values}
    wanted = list(dict.fromkeys(keys))
    for start in range(0, len(wanted), PER_QUERY):
        for row in _select(wanted[start : start + PER_QUERY], sites):
            key, pk, name, plate, reason, severity, kind, direction, begins, ends = row
            entry = ListedEntry(key, plate, reason, _aware(begins), _aware(ends), direction, pk, name, severity, kind)
            found[name].setdefault(key, []).append(entry)
    for entries in found["blocked"].values():
        entries.sort(key=_gravity, reverse=True)
    return found


def _gravity(entry: ListedEntry) -> int:
    return list(Severity).index(Severity(entry.severity))


def _select(keys: Sequence[str], sites: Sequence[int]) -> Sequence[tuple[Any, ...]]:
    """Ask in plain SQL: building the same question out of models takes five times as long as answering it."""
    holes = {"keys": ", ".join(["%s"] * len(keys)), "sites": ", ".join(["%s"] * len(sites)) or "NULL"}
    with connection.cursor() as cursor:
        cursor.execute(SELECT.format(**holes), [*keys, *sites])
        return cursor.fetchall()


def _aware(at: Any) -> dt.datetime | None:
    """Return an instant as PostgreSQL gives it, or as SQLite keeps it: text in UTC."""
    if isinstance(at, str):
        at = dt.datetime.fromisoformat(at)
    return at.replace(tzinfo=dt.UTC) if at is not None and at.tzinfo is None else at


def facts_of_hit(hit: Hit | None) -> dict[str, Any]:
    """Return what a read keeps of the entry it met: what the list said then stays true of the read."""
    if hit is None or not isinstance(hit.entry, ListedEntry):
        return {}
    entry = hit.entry
    return {"entry": entry.pk, "list": entry.list, "plate": entry.plate, "reason": entry.reason}


def judge_listed_plate(text: str, site: Site | None, rules: tuple[Any, ...] | None = None) -> Judgement:
    """Judge a plate that a person puts on a list; raises `Refusal` ``bad_plate`` for one that no read could meet.

    ``rules`` are those of the site where the caller has them already.
    """
    judgement = judge_typed(site, text, rules)
    if judgement.verdict is Verdict.VALID and judgement.match_key:
        return judgement
    meant = judgement.candidates or ((judgement.normalised,) if judgement.normalised else ())
    if judgement.match_key is None and judgement.verdict is Verdict.REVIEW and not judgement.candidates:
        words = "This is an old mark that cannot be told from a plate cut off: it cannot be listed."
    elif meant:
        words = f"This is not a plate as it stands. Is {' or '.join(meant)} meant?"
    else:
        words = "This is no number plate that the gate knows."
    raise Refusal("bad_plate", words, 400, {"plate": words})


@transaction.atomic
def add_entry(
    *, list_name: str, plate: str, reason: str, by: Any, at: dt.datetime, site: Site | None = None, **fields: Any
) -> ListEntry:
    """Put a plate on a list, of one site or, with ``site`` None, everywhere; ``fields`` are those of `CHANGEABLE`.

    Raises `Refusal`: ``bad_plate``, ``reason_required``, ``bad_dates``, ``everywhere_not_allowed`` (403),
    ``already_listed`` (409). An expired entry of the plate makes way.
    """
    require_scope(by, site)
    judgement = judge_listed_plate(plate, site)
    entry = ListEntry(
        site=site, list=list_name, plate=judgement.normalised, match_key=judgement.match_key,
        added_by=by, changed_by=by, added_at=at, **fields,
    )  # fmt: skip
    entry.reason = reason.strip()[:300]
    _check(entry)
    same = ListEntry.objects.filter(site=site, list=list_name, match_key=entry.match_key)
    same.expired(at).change(at=at, removed_at=at, removed_by=by)
    try:
        with transaction.atomic():
            entry.save(at=at)
    except IntegrityError as error:
        words = f"{entry.plate} is on this list already. Change that entry, or remove it first."
        raise Refusal("already_listed", words, 409, {"plate": words}) from error
    tell_changed(entry, at)
    return entry


@transaction.atomic
def change_entry(*, entry: ListEntry, changes: Mapping[str, Any], by: Any, at: dt.datetime) -> ListEntry:
    """Change what may be changed of an entry; raises `Refusal`, 409 ``already_removed`` when it is history."""
    require_scope(by, entry.site)
    for name, value in changes.items():
        if name not in CHANGEABLE:
            raise Refusal("read_only", f"{name}: This field cannot be changed.", fields={name: "It cannot be changed."})
        setattr(entry, name, value.strip() if name == "reason" else value)
    _check(entry)
    rows = ListEntry.objects.kept().filter(pk=entry.pk)
    if not rows.change(at=at, changed_by=by, **{name: getattr(entry, name) for name in changes}):
        raise Refusal("already_removed", "This entry is removed already.", 409)
    entry.refresh_from_db()
    tell_changed(entry, at)
    return entry


@transaction.atomic
def remove_entries(*, entries: Iterable[ListEntry], by: Any, at: dt.datetime) -> int:
    """Take entries off their lists and return how many were still on; they stay as history."""
    chosen = list(entries)
    for entry in chosen:
        require_scope(by, entry.site)
    rows = ListEntry.objects.kept().filter(pk__in=[entry.pk for entry in chosen])
    removed = rows.change(at=at, removed_at=at, removed_by=by)
    for entry in chosen:
        tell_changed(entry, at)
    return removed


@transaction.atomic
def expire_entries(*, entries: Iterable[ListEntry], by: Any, at: dt.datetime) -> int:
    """Let entries end now and return how many held until then; one that begins later is removed instead."""
    chosen = list(entries)
    for entry in chosen:
        require_scope(by, entry.site)
    rows = ListEntry.objects.filter(pk__in=[entry.pk for entry in chosen])
    later = rows.kept().filter(valid_from__gte=at)
    ended = later.change(at=at, removed_at=at, removed_by=by)
    ended += rows.in_force(at).change(at=at, valid_until=at, changed_by=by)
    for entry in chosen:
        tell_changed(entry, at)
    return ended


def require_scope(by: Any, site: Site | None) -> None:
    """Raise `Refusal` (403) when somebody who is no superuser writes for every site at once."""
    if site is None and by is not None and not by.is_superuser:
        words = "Only an administrator lists a plate for every site. Choose a site."
        raise Refusal("everywhere_not_allowed", words, 403, {"site": words})


def tell_changed(entry: ListEntry, at: dt.datetime) -> None:
    """Tell open pages; an entry for everywhere is shown anew when the page is loaded."""
    if entry.site is not None:
        record_event(site=entry.site, kind="listed_plate", object_id=entry.pk, at=at)


def _check(entry: ListEntry) -> None:
    if not entry.reason:
        raise Refusal("reason_required", "A listed plate has a reason.", fields={"reason": "Write the reason."})
    if entry.valid_from and entry.valid_until and entry.valid_until <= entry.valid_from:
        words = "It ends before it begins."
        raise Refusal("bad_dates", words, fields={"valid_until": words})
    if entry.list == ListEntry.List.ALLOWED and not entry.kind:
        raise Refusal("kind_required", "Say staff, visitor or contractor.", fields={"kind": "Choose one."})
