"""What facts that arrive after the lock would have changed: listed for the next period instead of written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from attendance.models import Adjustment, DayRecord, Flag, PayPeriod, Shift
from attendance.models.days import describe
from identity.models import Employee

Key = tuple[int, str]


def note_adjustments(
    people: Sequence[Employee],
    stored: Mapping[Key, DayRecord],
    wanted: Mapping[Key, tuple[DayRecord, list[Flag]]],
    first: date,
    last: date,
    at: datetime,
    count: int,
) -> tuple[list[Key], int]:
    """Return the keys of ``wanted`` that may be written, and how many adjustments are listed by now.

    The difference is to the record as it was locked, or as it was settled last; one that has gone again is taken off.
    """
    periods = locked_periods(people, first, last)
    if not periods and not any(row.state == DayRecord.State.LOCKED for row in stored.values()):
        return list(wanted), count
    departments = {person.pk: person.department for person in people}
    held: dict[Key, tuple[PayPeriod, date]] = {}
    for key in {*wanted, *stored}:
        row = stored.get(key) or wanted[key][0]
        if period := _period_of(row, departments[key[0]], periods):
            held[key] = (period, row.shift_date)
    differences = _differences(held, stored, wanted)
    _list(differences, held, people, first, last, at)
    return [key for key in wanted if key not in held], count + len(differences)


def locked_periods(people: Collection[Employee], first: date, last: date) -> list[PayPeriod]:
    """Return the locked periods of the people's sites that touch the dates."""
    sites = {person.site_id for person in people}
    rows = PayPeriod.objects.filter(site__in=sites, state=PayPeriod.State.LOCKED)
    return list(rows.filter(first_date__lte=last, last_date__gte=first))


def _period_of(row: DayRecord, department: str, periods: Sequence[PayPeriod]) -> PayPeriod | None:
    """Return the locked period that a record falls in; a locked record stays in it when the person changes groups."""
    dated = [one for one in periods if one.first_date <= row.shift_date <= one.last_date]
    own = next((one for one in dated if one.department in ("", department)), None)
    return own or (dated[0] if dated and row.state == DayRecord.State.LOCKED else None)


def _differences(
    held: Mapping[Key, tuple[PayPeriod, date]],
    stored: Mapping[Key, DayRecord],
    wanted: Mapping[Key, tuple[DayRecord, list[Flag]]],
) -> dict[Key, tuple[Any, Any]]:
    settled = {
        (row.employee_id, row.slot): row.after
        for row in Adjustment.objects.filter(
            employee__in={employee for employee, _ in held}, slot__in={slot for _, slot in held}
        )
        .exclude(settled_in=None)
        .order_by("pk")
    }
    names = _shift_names(wanted[key][0] for key in held if key in wanted)
    found = {}
    for key in held:
        before = settled.get(key, describe(stored[key], stored[key].shift_name) if key in stored else None)
        after = describe(wanted[key][0], names.get(wanted[key][0].version_id)) if key in wanted else None
        if before != after:
            found[key] = (before, after)
    return found


def _shift_names(rows: Any) -> dict[int, str]:
    versions = {row.version_id for row in rows if row.version_id}
    return dict(Shift.objects.filter(versions__in=versions).values_list("versions__pk", "name")) if versions else {}


def _list(
    differences: Mapping[Key, tuple[Any, Any]],
    held: Mapping[Key, tuple[PayPeriod, date]],
    people: Sequence[Employee],
    first: date,
    last: date,
    at: datetime,
) -> None:
    open_rows = Adjustment.objects.filter(
        employee__in=[person.pk for person in people], settled_in=None, shift_date__gte=first, shift_date__lte=last
    )
    listed = {(row.employee_id, row.slot): row for row in open_rows}
    Adjustment.objects.filter(pk__in=[row.pk for key, row in listed.items() if key not in differences]).delete()
    fresh = []
    for (employee, slot), (before, after) in differences.items():
        row = listed.get((employee, slot))
        if row is not None and (row.before, row.after) == (before, after):
            continue
        fresh.append(
            Adjustment(
                employee_id=employee,
                slot=slot,
                shift_date=held[employee, slot][1],
                period=held[employee, slot][0],
                before=before,
                after=after,
                worked_minutes=_delta("worked_minutes", before, after),
                overtime_minutes=_delta("overtime_minutes", before, after),
                found_at=at,
            )
        )
    Adjustment.objects.filter(
        pk__in=[listed[row.employee_id, row.slot].pk for row in fresh if (row.employee_id, row.slot) in listed]
    ).delete()
    Adjustment.objects.bulk_create(fresh, batch_size=500)


def _delta(name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> int:
    return (after or {}).get(name, 0) - (before or {}).get(name, 0)
