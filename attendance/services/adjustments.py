"""What facts that arrive after the lock would have changed: listed for the next period instead of written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from attendance.models import Adjustment, DayRecord, PayPeriod
from attendance.models.days import describe
from attendance.rules.days import DayRecord as DerivedRecord
from attendance.rules.shifts import DAY
from identity.models import Employee

Key = tuple[int, str]
"""A person's id, and the slot that names a record among theirs."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of a row that is there."""

    pk: int
    digest: str
    period: int | None
    shift_date: date


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was derived for a slot of a person."""

    person: Employee
    slot: str
    record: DerivedRecord
    digest: str

    @property
    def key(self) -> Key:
        return (self.person.pk, self.slot)

    def described(self) -> dict[str, Any]:
        """Return what matters for pay, in the words of `describe`."""
        record = self.record
        return {
            "shift": record.shift,
            "status": record.status.value if record.status else "",
            "leave": record.leave.value if record.leave else "",
            "first_in": record.first_in.isoformat() if record.first_in else None,
            "last_out": record.last_out.isoformat() if record.last_out else None,
            "worked_minutes": record.worked_minutes,
            "overtime_minutes": record.overtime_minutes,
            "after_start_minutes": record.after_start_minutes,
            "early_exit_minutes": record.early_exit_minutes,
        }


def stored_records(people: Sequence[Employee], first: date, last: date) -> dict[Key, Stored]:
    """Return the rows that are there for people on the dates, by slot."""
    rows = DayRecord.objects.filter(employee__in=people).dated(first, last)
    fields = rows.values_list("employee_id", "slot", "pk", "digest", "period_id", "shift_date")
    return {(employee, slot): Stored(*rest) for employee, slot, *rest in fields}


def hold_back(
    people: Sequence[Employee],
    stored: Mapping[Key, Stored],
    wanted: Mapping[Key, Wanted],
    first: date,
    last: date,
    at: datetime,
) -> tuple[set[Key], int]:
    """Return the slots that may not be written because their period is locked, and how many adjustments stand there.

    The difference is to the record as it was locked, or as it was settled last; one that has gone again is taken off.
    """
    periods = locked_periods(people, first - DAY, last + DAY)
    if not periods and not any(row.period for row in stored.values()):
        return set(), 0
    departments = {person.pk: person.department for person in people}
    held: dict[Key, tuple[PayPeriod, date]] = {}
    for key in {*wanted, *stored}:
        row = stored.get(key)
        day = row.shift_date if row else wanted[key].record.shift_date
        if period := period_of(day, departments[key[0]], periods, row):
            held[key] = (period, day)
    differences = _differences(held, stored, wanted)
    _list(differences, held, people, first, last, at)
    return set(held), len(differences)


def locked_periods(people: Collection[Employee], first: date, last: date) -> list[PayPeriod]:
    """Return the locked periods of the people's sites that touch the dates."""
    sites = {person.site_id for person in people}
    rows = PayPeriod.objects.filter(site__in=sites, state=PayPeriod.State.LOCKED)
    return list(rows.filter(first_date__lte=last, last_date__gte=first))


def period_of(day: date, department: str, periods: Sequence[PayPeriod], row: Stored | None) -> PayPeriod | None:
    """Return the locked period that a record falls in: the one it was locked with, also when the person has changed
    departments since; else the one of the person's department."""
    if row is not None and row.period is not None:
        return next(one for one in periods if one.pk == row.period)
    dated = (one for one in periods if one.first_date <= day <= one.last_date)
    return next((one for one in dated if one.department in ("", department)), None)


def _differences(
    held: Mapping[Key, object], stored: Mapping[Key, Stored], wanted: Mapping[Key, Wanted]
) -> dict[Key, tuple[Any, Any]]:
    settled = _settled(held)
    rows = DayRecord.objects.filter(pk__in=[stored[key].pk for key in held if key in stored])
    frozen = {
        (row.employee_id, row.slot): describe(row, row.shift_name) for row in rows.select_related("version__shift")
    }
    found = {}
    for key in held:
        before = settled.get(key, frozen.get(key))
        after = wanted[key].described() if key in wanted else None
        if before != after:
            found[key] = (before, after)
    return found


def _settled(held: Mapping[Key, object]) -> dict[Key, Any]:
    """Return what each slot was settled at last."""
    people, slots = {employee for employee, _ in held}, {slot for _, slot in held}
    rows = Adjustment.objects.filter(employee__in=people, slot__in=slots).exclude(settled_in=None)
    return {(row.employee_id, row.slot): row.after for row in rows.order_by("pk")}


def _list(
    differences: Mapping[Key, tuple[Any, Any]],
    held: Mapping[Key, tuple[PayPeriod, date]],
    people: Sequence[Employee],
    first: date,
    last: date,
    at: datetime,
) -> None:
    open_rows = Adjustment.objects.filter(
        employee__in=[person.pk for person in people],
        settled_in=None,
        shift_date__gte=first - DAY,
        shift_date__lte=last + DAY,
    )
    by_slot = {(row.employee_id, row.slot): row for row in open_rows}
    listed = {key: row for key, row in by_slot.items() if first <= row.shift_date <= last or key in held}
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
