"""The history of the lists: one line for every entry that was added, changed, removed or erased."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.forms.models import model_to_dict
from django.utils import timezone

from vehicles.models.lists import ListChange, ListEntry

FACTS = ("plate", "kind", "reason", "severity", "direction", "valid_from", "valid_until", "removed_at", "site")
Action = ListChange.Action


def facts_of(entry: ListEntry) -> dict[str, Any]:
    """Return what people decide about an entry, as text for the history."""
    plain = model_to_dict(entry, fields=FACTS)
    encode = DjangoJSONEncoder().default
    return {name: value if _is_plain(value) else encode(value) for name, value in plain.items()}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


@contextmanager
def changes_written(entries: Sequence[ListEntry]) -> Iterator[None]:
    """Write what happens within to ``entries``, which were read before; call it inside a transaction."""
    before = {entry.pk: facts_of(entry) for entry in entries}
    yield
    after = {entry.pk: entry for entry in ListEntry._base_manager.filter(pk__in=before)}
    at = timezone.now()
    lines = []
    for entry in entries:
        now = after.get(entry.pk)
        facts = facts_of(now) if now else {}
        if facts != before[entry.pk]:
            lines.append(_line(now or entry, before[entry.pk], facts, at))
    ListChange.objects.bulk_create(lines)


def write_added(entries: Sequence[ListEntry]) -> None:
    """Write the first line of each entry."""
    ListChange.objects.bulk_create([_line(entry, {}, facts_of(entry), entry.added_at) for entry in entries])


def _line(entry: ListEntry, before: dict[str, Any], after: dict[str, Any], at: Any) -> ListChange:
    if not before:
        action = Action.ADDED
    elif not after:
        action = Action.ERASED
    else:
        is_removed = after["removed_at"] is not None and before["removed_at"] is None
        action = Action.REMOVED if is_removed else Action.CHANGED
    return ListChange(
        entry_number=entry.pk,
        site_id=entry.site_id,
        list=entry.list,
        plate=entry.plate,
        action=action,
        at=at,
        by_id=entry.removed_by_id if action == Action.REMOVED else entry.changed_by_id,
        before=before,
        after=after,
    )
