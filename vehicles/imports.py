"""Lists of plates from tables. The same services as everywhere else write them, line by line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import transaction

from factoryai.alerts.models import Severity
from factoryai.csv_import import BadCell, Importer, Report, choice_cell, date_cell, each_line, text_cell
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from vehicles.models import ListEntry
from vehicles.services.alarms import hold_inside
from vehicles.services.lists import add_entry, change_entry, judge_listed_plate

Lines = Sequence[tuple[int, dict[str, str]]]
COLUMNS = {
    "plate": "As it is written on the vehicle, with or without spaces.",
    "reason": "Why it is on the list.",
    "severity": "info, warning or critical; critical when empty.",
    "valid_from": "First day, like 2026-03-01; at once when empty.",
    "valid_until": "Last day, that day included; without end when empty.",
}
ALLOWED_COLUMNS = {
    **COLUMNS,
    "kind": "staff, visitor or contractor; staff when empty.",
    "direction": "in or out; both when empty.",
}


def import_entries(list_name: str, *, site: Site, lines: Lines, report: Report, by: Any, at: dt.datetime) -> None:
    """Add plates to a list of a site; one that is on it already is changed where the table says otherwise."""
    is_allowed = list_name == ListEntry.List.ALLOWED
    if not is_allowed:
        hold_inside(site=site, plates=[cells.get("plate", "") for _, cells in lines])

    def read(cells: dict[str, str]) -> None:
        plate = text_cell(cells, "plate", 64)
        fields = _fields(cells, site, is_allowed=is_allowed)
        try:
            judgement = judge_listed_plate(plate, site)
            same = ListEntry.objects.filter(site=site, list=list_name, match_key=judgement.match_key)
            known = same.kept().exclude(pk__in=same.expired(at).values("pk")).first()
            with transaction.atomic():
                if known is None:
                    add_entry(list_name=list_name, plate=plate, by=by, at=at, site=site, **fields)
                    report.added += 1
                    return
                changes = {name: value for name, value in fields.items() if getattr(known, name) != value}
                if changes:
                    change_entry(entry=known, changes=changes, by=by, at=at)
        except Refusal as refusal:
            raise BadCell(next(iter(refusal.fields), "plate"), refusal.code, refusal.message) from refusal
        report.changed += bool(changes)
        report.unchanged += not changes

    each_line(lines, report, read)


def _fields(cells: dict[str, str], site: Site, *, is_allowed: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "reason": text_cell(cells, "reason", 300),
        "severity": choice_cell(cells, "severity", Severity.values, Severity.CRITICAL),
        "valid_from": _midnight(date_cell(cells, "valid_from", is_required=False), site),
        "valid_until": _midnight(date_cell(cells, "valid_until", is_required=False), site, days=1),
    }
    if is_allowed:
        fields["kind"] = choice_cell(cells, "kind", ListEntry.Kind.values, ListEntry.Kind.STAFF)
        fields["direction"] = choice_cell(cells, "direction", ["in", "out", ""], "")
    return fields


def _midnight(day: dt.date | None, site: Site, days: int = 0) -> dt.datetime | None:
    return dt.datetime.combine(day + dt.timedelta(days=days), dt.time(), site.zone) if day else None


def _importer(list_name: str, title: str, columns: dict[str, str], example: str) -> Importer:
    return Importer(title, columns, ("plate", "reason"), partial(import_entries, list_name), example)


BLOCKED = _importer(
    ListEntry.List.BLOCKED, "blocked plates", COLUMNS,
    "plate,reason,severity,valid_until\n"
    "MH 12 AB 1234,Theft of material,critical,\nKA01EK0171,Unpaid damage,warning,2026-12-31",
)  # fmt: skip
ALLOWED = _importer(
    ListEntry.List.ALLOWED, "allowed plates", ALLOWED_COLUMNS,
    "plate,kind,reason,direction,valid_until\nMH14CT9876,staff,Accounts,,\nGJ05AB1234,contractor,Scaffolding,in,2026-04-30",
)  # fmt: skip
WATCH = _importer(
    ListEntry.List.WATCH, "watched plates", COLUMNS,
    "plate,reason,severity,valid_until\nDL3CAB1234,Tell the plant manager,info,2026-03-31",
)  # fmt: skip
