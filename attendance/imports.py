"""Shifts, rosters, days off and punches from tables, by the services that write them everywhere else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from attendance.models import Assignment, Holiday, Leave, Punch, Shift, ShiftVersion, Source
from attendance.models.shifts import LeavePart, read_cycle_days
from attendance.services.punches import NewPunch, judge_time, record_punches, source_at
from attendance.services.rosters import add_holiday, add_leave, assign_shift, save_shift
from factoryai.bulk import MOST_ROWS
from factoryai.csv_import import (
    BadCell,
    BadLine,
    Importer,
    Report,
    choice_cell,
    date_cell,
    each_line,
    number_cell,
    text_cell,
    time_cell,
)
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from identity.models import Employee

Lines = Sequence[tuple[int, dict[str, str]]]
DAY_LETTERS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}

NUMBERS = {
    "grace_in_minutes": 5, "grace_out_minutes": 0, "window_before_minutes": 120, "window_after_minutes": 240,
    "half_day_below_minutes": 0, "absent_below_minutes": 0, "break_minutes": 0,
}  # fmt: skip


def import_shifts(*, site: Site, lines: Lines, report: Report, by: Any, at: dt.datetime) -> None:
    """Add shifts, or versions of those that have the name; a version that exists from the date is left as it is."""

    def read(cells: dict[str, str]) -> None:
        fields = {
            "effective_from": date_cell(cells, "effective_from"),
            "starts_at": time_cell(cells, "starts_at"),
            "ends_at": time_cell(cells, "ends_at"),
            **{name: number_cell(cells, name, default) for name, default in NUMBERS.items()},
        }
        name = text_cell(cells, "name", 60)
        known = ShiftVersion.objects.filter(shift__site=site, shift__name=name)
        if known.filter(effective_from=fields["effective_from"]).exists():
            report.unchanged += 1
            return
        is_known = known.exists()
        _refused_as_cell(lambda: save_shift(site=site, name=name, fields=fields, by=by, at=at), "name")
        report.changed += is_known
        report.added += not is_known

    each_line(lines, report, read)


def _refused_as_cell(act: Any, column: str) -> None:
    """Turn what a service refuses into the fault of a cell, and undo what it had begun."""
    try:
        with transaction.atomic():
            act()
    except Refusal as refusal:
        raise BadCell(next(iter(refusal.fields), column), refusal.code, refusal.message) from refusal
    except ValidationError as error:
        name, found = next(iter(error.error_dict.items()))
        raise BadCell(name, found[0].code or "invalid", " ".join(found[0].messages)) from error


def import_assignments(*, site: Site, lines: Lines, report: Report, by: Any, at: dt.datetime) -> None:
    """Give people shifts; an assignment that exists already is left as it is."""
    people = {person.code: person for person in Employee.objects.for_site(site).select_related("site")}
    shifts = {shift.name: shift for shift in Shift.objects.filter(site=site).select_related("site")}

    def read(cells: dict[str, str]) -> None:
        code, name = text_cell(cells, "employee_code", 40), text_cell(cells, "shift", 60)
        if code not in people:
            raise BadCell("employee_code", "unknown_employee", f"There is no employee {code} at {site}.")
        if name not in shifts:
            raise BadCell("shift", "unknown_shift", f"There is no shift {name} at {site}.")
        row = Assignment(
            employee=people[code],
            shift=shifts[name],
            from_date=date_cell(cells, "from_date"),
            to_date=date_cell(cells, "to_date", is_required=False),
            weekdays=_weekdays(cells),
            **_cycle(cells),
        )
        same = {"employee": row.employee, "shift": row.shift, "from_date": row.from_date, "to_date": row.to_date}
        if Assignment.objects.filter(**same).exists():
            report.unchanged += 1
            return
        _refused_as_cell(lambda: assign_shift(assignment=row, at=at), "shift")
        report.added += 1

    each_line(lines, report, read)


def _cycle(cells: dict[str, str]) -> dict[str, Any]:
    """Read a roster that turns: its length, the days that are worked, and a first day; nothing when none is given."""
    days = text_cell(cells, "cycle_days", 60, is_required=False)
    length, anchor = number_cell(cells, "cycle_length", 0), date_cell(cells, "cycle_first_day", is_required=False)
    if not (days or length or anchor):
        return {}
    try:
        return {"cycle_length": length or None, "cycle_days": read_cycle_days(days), "cycle_anchor": anchor}
    except ValueError as error:
        raise BadCell("cycle_days", "bad_cycle", f"{days} are no days like 1-2 5.") from error


def _weekdays(cells: dict[str, str]) -> list[int] | None:
    value = text_cell(cells, "weekdays", 60, is_required=False).lower()
    if not value:
        return None
    names = value.replace(",", " ").split()
    if unknown := [name for name in names if name[:3] not in DAY_LETTERS]:
        raise BadCell("weekdays", "bad_weekdays", f"{unknown[0]} is no weekday like mon or sat.")
    return sorted({DAY_LETTERS[name[:3]] for name in names})


def import_holidays(*, site: Site, lines: Lines, report: Report, by: Any, at: dt.datetime) -> None:
    """Add a site's holidays; one that is on the date already takes the name of the line."""

    def read(cells: dict[str, str]) -> None:
        day, name = date_cell(cells, "date"), text_cell(cells, "name", 80)
        known = Holiday.objects.filter(site=site, date=day).first()
        if known is None:
            row = Holiday(site=site, date=day, name=name)
            _refused_as_cell(lambda: add_holiday(holiday=row, at=at), "date")
            report.added += 1
        elif known.name == name:
            report.unchanged += 1
        else:
            Holiday.objects.filter(pk=known.pk).update(name=name)
            report.changed += 1

    each_line(lines, report, read)


def import_leave(*, site: Site, lines: Lines, report: Report, by: Any, at: dt.datetime) -> None:
    """Add people's leave; the same dates and part of a person again are left as they are."""
    people = {person.code: person for person in Employee.objects.for_site(site).select_related("site")}

    def read(cells: dict[str, str]) -> None:
        code = text_cell(cells, "employee_code", 40)
        if code not in people:
            raise BadCell("employee_code", "unknown_employee", f"There is no employee {code} at {site}.")
        first = date_cell(cells, "from_date")
        row = Leave(
            employee=people[code],
            from_date=first,
            to_date=date_cell(cells, "to_date", is_required=False) or first,
            part=choice_cell(cells, "part", LeavePart.values, LeavePart.WHOLE),
            kind=text_cell(cells, "kind", 40, is_required=False) or "leave",
            note=text_cell(cells, "note", 200, is_required=False),
        )
        same = {"employee": row.employee, "from_date": row.from_date, "to_date": row.to_date, "part": row.part}
        if Leave.objects.filter(**same).exists():
            report.unchanged += 1
            return
        _refused_as_cell(lambda: add_leave(leave=row, at=at), "to_date")
        report.added += 1

    each_line(lines, report, read)


def import_punches(*, site: Site, lines: Lines, report: Report, by: Any, at: dt.datetime) -> None:
    """Record punches that were kept elsewhere; the same file again adds nothing. A time without an offset is local."""
    people = {person.code: person for person in Employee.objects.for_site(site).select_related("site")}
    source = source_at(site=site, name="import", kind=Source.Kind.IMPORT)
    rows: list[NewPunch] = []

    def read(cells: dict[str, str]) -> None:
        code = text_cell(cells, "employee_code", 40)
        if code not in people:
            raise BadCell("employee_code", "unknown_employee", f"There is no employee {code} at {site}.")
        moment = _moment(cells, site, at)
        way = choice_cell(cells, "direction", Punch.Direction.values, Punch.Direction.UNKNOWN)
        event = text_cell(cells, "event_id", 100, is_required=False)
        rows.append(
            NewPunch(people[code].pk, moment, way, event, place=text_cell(cells, "place", 80, is_required=False))
        )

    each_line(lines, report, read)
    mine = {person.pk: person for person in people.values()}
    for start in range(0, len(rows), MOST_ROWS):
        result = record_punches(rows=rows[start : start + MOST_ROWS], source=source, people=mine, at=at)
        report.added += result.accepted
        report.unchanged += result.duplicates
        report.bad += [BadLine(0, "at", code, message) for _, code, message in result.rejected]


def _moment(cells: dict[str, str], site: Site, now: dt.datetime) -> dt.datetime:
    value = text_cell(cells, "at", 40)
    try:
        moment = dt.datetime.fromisoformat(value)
        instant = (moment if moment.tzinfo else moment.replace(tzinfo=site.zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise BadCell("at", "bad_time", f"{value} is no time like 2026-03-01 08:00:00.") from error
    if refused := judge_time(instant, now):
        raise BadCell("at", *refused)
    return instant


SHIFTS = Importer(
    "shifts",
    {
        "name": "A name that exists gets a version.",
        "effective_from": "The first date it holds, like 2026-03-01.",
        "starts_at": "Like 08:00.",
        "ends_at": "Like 17:00; not after the start is the next day.",
        **{name: f"Minutes; empty is {default}." for name, default in NUMBERS.items()},
    },
    ("name", "effective_from", "starts_at", "ends_at"),
    import_shifts,
    "name,effective_from,starts_at,ends_at,grace_in_minutes\nA,2026-01-01,08:00,17:00,5\nN,2026-01-01,22:00,06:00,5\n",
)
ASSIGNMENTS = Importer(
    "rosters",
    {
        "employee_code": "The person.",
        "shift": "The name of a shift.",
        "from_date": "Like 2026-03-01.",
        "to_date": "Empty: until further notice.",
        "weekdays": "Like mon tue wed; empty is every working day.",
        "cycle_length": "For a roster that turns: how many days, like 4.",
        "cycle_days": "The days of a turn that are worked, from 1, like 1-2.",
        "cycle_first_day": "A first day of a turn, like 2026-03-01.",
    },
    ("employee_code", "shift", "from_date"),
    import_assignments,
    "employee_code,shift,from_date,to_date,weekdays\nE1042,A,2026-03-01,,mon tue wed thu fri sat\n",
)
HOLIDAYS = Importer(
    "holidays",
    {"date": "Like 2026-10-02.", "name": "What it is called."},
    ("date", "name"),
    import_holidays,
    "date,name\n2026-01-26,Republic Day\n2026-10-02,Gandhi Jayanti\n",
)
LEAVE = Importer(
    "leave",
    {
        "employee_code": "The person.",
        "from_date": "Like 2026-03-02.",
        "to_date": "The last day; empty is the same day.",
        "part": "whole, first_half or second_half; empty is whole.",
        "kind": "Such as annual or sick; empty is leave.",
        "note": "May be empty.",
    },
    ("employee_code", "from_date"),
    import_leave,
    "employee_code,from_date,to_date,part,kind\nE1042,2026-03-02,2026-03-06,,annual\nE1042,2026-03-09,,first_half,sick\n",
)
PUNCHES = Importer(
    "punches",
    {
        "employee_code": "The person.",
        "at": "Like 2026-03-01 08:00:00, on the clock of the site, or with an offset.",
        "direction": "in, out or unknown; empty is unknown.",
        "event_id": "Anything that names the punch; empty: person, second and direction.",
        "place": "May be empty.",
    },
    ("employee_code", "at"),
    import_punches,
    "employee_code,at,direction\nE1042,2026-03-02 07:58:11,in\nE1042,2026-03-02 17:03:40,out\n",
)
