"""Employees from a table: one line a person, known by the code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from factoryai.csv_import import BadCell, Importer, Report, date_cell, each_line, text_cell
from factoryai.sites.models import Site
from identity.models import Employee
from identity.services.people import save_employee

COLUMNS = {
    "code": "The number on the badge or the payroll; a code that exists has its person changed.",
    "name": "The person's name.",
    "department": "May be empty.",
    "joined_date": "Like 2026-03-01; may be empty.",
    "left_date": "The last day of work; may be empty.",
}


def import_employees(
    *, site: Site, lines: Sequence[tuple[int, dict[str, str]]], report: Report, by: Any, at: Any
) -> None:
    """Add people, or change those whose code is known. A column that is not in the table is left as it is."""
    known = {person.code: person for person in Employee.objects.for_site(site)}
    seen: set[str] = set()

    def read(cells: dict[str, str]) -> None:
        fields = _fields(cells)
        if fields["code"] in seen:
            raise BadCell("code", "repeated", "This code stands in an earlier line already.")
        seen.add(fields["code"])
        _save(site, known.get(fields["code"]), fields, report)

    each_line(lines, report, read)


def _fields(cells: dict[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"code": text_cell(cells, "code", 40), "name": text_cell(cells, "name", 120)}
    if "department" in cells:
        fields["department"] = text_cell(cells, "department", 80, is_required=False)
    for name in ("joined_date", "left_date"):
        if name in cells:
            fields[name] = date_cell(cells, name, is_required=False)
    if fields.get("joined_date") and fields.get("left_date") and fields["left_date"] < fields["joined_date"]:
        raise BadCell("left_date", "end_before_start", "Nobody leaves before joining.")
    return fields


def _save(site: Site, person: Employee | None, fields: dict[str, Any], report: Report) -> None:
    if person is None:
        save_employee(Employee(site=site, **fields))
        report.added += 1
        return
    changed = [name for name, value in fields.items() if getattr(person, name) != value]
    joined, left = fields.get("joined_date", person.joined_date), fields.get("left_date", person.left_date)
    if joined and left and left < joined:
        raise BadCell("left_date", "end_before_start", "Nobody leaves before joining.")
    for name in changed:
        setattr(person, name, fields[name])
    if changed:
        save_employee(person)
        report.changed += 1
    else:
        report.unchanged += 1


EMPLOYEES = Importer(
    "employees",
    COLUMNS,
    ("code", "name"),
    import_employees,
    "code,name,department,joined_date\nE1042,Asha Rao,Assembly,2024-04-01\n",
)
