"""What a change would do: it is made, the days are derived, the differences counted, and everything taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from attendance.models import DayRecord, Shift
from attendance.services.rebuild import months, rebuild_people
from attendance.services.rosters import save_shift, spans_of_shift
from factoryai.sites.models import Site

MOST_PEOPLE = 300
"""People looked at; beyond them the preview counts for these."""


@dataclass(frozen=True, slots=True)
class Preview:
    """How many days of how many people would come out differently."""

    days: int
    people: int


def preview_shift(*, site: Site, name: str, fields: Mapping[str, Any], at: datetime) -> Preview:
    """Return what a version of a shift would change, without changing it."""
    with transaction.atomic():
        people, first, last = _touched(site, name, fields["effective_from"], at)
        _derive(site, people, first, last, at)
        before = _digests(people)
        save_shift(site=site, name=name, fields=fields, by=None, at=at)
        _derive(site, people, first, last, at)
        after = _digests(people)
        transaction.set_rollback(True)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return Preview(len(changed), len({employee for employee, _ in changed}))


def _touched(site: Site, name: str, since: date, at: datetime) -> tuple[list[int], date, date]:
    """Return who works a shift and on which dates from ``since`` on; nobody works one that is not there yet."""
    today = at.astimezone(site.zone).date()
    shift = Shift.objects.filter(site=site, name=name).first()
    if shift is None:
        return [], today, today
    spans = spans_of_shift(shift=shift, since=since, at=at)
    people = sorted({employee for employee, _, _ in spans})[:MOST_PEOPLE]
    return people, min((first for _, first, _ in spans), default=today), today


def _derive(site: Site, people: list[int], first: date, last: date, at: datetime) -> None:
    for start, end in months(first, last):
        rebuild_people(site=site.pk, employees=people, first=start, last=end, at=at)


def _digests(people: list[int]) -> dict[tuple[int, str], str]:
    """Return what people's records say, without the version's number, which changes by itself."""
    rows = DayRecord.objects.filter(employee__in=people).prefetch_related("flags")
    return {
        (row.employee_id, row.slot): f"{row.status}|{row.first_in}|{row.last_out}|{row.worked_minutes}|"
        f"{row.overtime_minutes}|{sorted((flag.kind, flag.minutes) for flag in row.flags.all())}"
        for row in rows
    }
