"""Reads tables that people made, with the usual separators and encodings; bad lines are named by number and column."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_BYTES = 5_000_000
MOST_LINES = 50_000
SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class BadLine:
    """One thing to mend: the line as a spreadsheet numbers it, the column, a code, and a sentence."""

    line: int
    column: str
    code: str
    message: str


class BadCell(Exception):  # noqa: N818 - an expected answer, not a fault
    """A value that makes no sense; the reader of the line turns it into a `BadLine`."""

    def __init__(self, column: str, code: str, message: str) -> None:
        super().__init__(message)
        self.column, self.code, self.message = column, code, message


@dataclass(slots=True)
class Report:
    """What an import did, or would do."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: list[BadLine] = field(default_factory=list)

    @property
    def good(self) -> int:
        return self.added + self.changed + self.unchanged


@dataclass(frozen=True, slots=True)
class Importer:
    """One kind of table. ``run`` gets a site, the lines with their numbers, who, when, and a report to fill.

    ``columns`` maps a name to its explanation; those in ``required`` must be there.
    """

    title: str
    columns: Mapping[str, str]
    required: Sequence[str]
    run: Callable[..., None]
    example: str


def decode(raw: bytes) -> str:
    """Return the text of a file as spreadsheets write it: UTF-8 with or without a mark, or Windows-1252."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def read_table(text: str, importer: Importer, report: Report) -> list[tuple[int, dict[str, str]]]:
    """Return the lines of a table as dictionaries with their numbers; what cannot be read goes into the report."""
    if "\x00" in text:
        report.bad.append(BadLine(1, "", "not_text", "This is no text: save the table as CSV."))
        return []
    lines = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=_separator(text))
    try:
        names = [name.strip().lower() for name in next(lines, [])]
        if missing := [name for name in importer.required if name not in names]:
            known = ", ".join(importer.columns)
            message = f"The first line must name the columns; {', '.join(missing)} is missing. Known: {known}."
            report.bad.append(BadLine(1, missing[0], "missing_column", message))
            return []
        for name in names:
            if name and name not in importer.columns:
                report.bad.append(BadLine(1, name, "unknown_column", "This column is not known and not read."))
        return list(_lines(lines, names, report))
    except csv.Error as error:
        report.bad.append(BadLine(lines.line_num, "", "bad_csv", f"This line cannot be read: {error}."))
        return []


def _separator(text: str) -> str:
    first = text.partition("\n")[0]
    return max(SEPARATORS, key=first.count)


def _lines(lines: Any, names: Sequence[str], report: Report) -> Iterator[tuple[int, dict[str, str]]]:
    for count, cells in enumerate(lines):
        number = lines.line_num
        if count >= MOST_LINES:
            report.bad.append(BadLine(number, "", "too_many_lines", f"At most {MOST_LINES} lines at a time."))
            return
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            report.bad.append(BadLine(number, "", "too_many_cells", "This line has more cells than the first one."))
            continue
        yield number, {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name}


def each_line(
    lines: Sequence[tuple[int, dict[str, str]]], report: Report, read: Callable[[dict[str, str]], None]
) -> None:
    """Call ``read`` for every line; a `BadCell` it raises is reported and the next line read."""
    for number, cells in lines:
        try:
            read(cells)
        except BadCell as bad:
            report.bad.append(BadLine(number, bad.column, bad.code, bad.message))


def text_cell(cells: Mapping[str, str], name: str, longest: int, *, is_required: bool = True) -> str:
    """Return a cell's text."""
    value = cells.get(name, "")
    if is_required and not value:
        raise BadCell(name, "required", "This cell is empty.")
    if len(value) > longest:
        raise BadCell(name, "too_long", f"At most {longest} characters.")
    return value


def date_cell(cells: Mapping[str, str], name: str, *, is_required: bool = True) -> dt.date | None:
    """Return a cell's date, written 2026-03-01; None when it is empty and may be."""
    value = text_cell(cells, name, 30, is_required=is_required)
    if not value:
        return None
    try:
        day = dt.date.fromisoformat(value)
    except ValueError as error:
        raise BadCell(name, "bad_date", f"{value} is no date like 2026-03-01.") from error
    if not 1900 <= day.year <= 2199:
        raise BadCell(name, "bad_date", f"{value} lies too far away.")
    return day


def time_cell(cells: Mapping[str, str], name: str) -> dt.time:
    """Return a cell's time of the clock, written 08:00."""
    value = text_cell(cells, name, 30)
    try:
        at = dt.time.fromisoformat(value.rjust(5, "0"))
    except ValueError as error:
        raise BadCell(name, "bad_time", f"{value} is no time like 08:00.") from error
    if at.tzinfo is not None:
        raise BadCell(name, "bad_time", "Times are on the clock of the site, without an offset.")
    return at


def number_cell(cells: Mapping[str, str], name: str, default: int, most: int = 10_000) -> int:
    """Return a cell's whole number; an empty cell is ``default``."""
    value = text_cell(cells, name, 12, is_required=False)
    if not value:
        return default
    if not value.isascii() or not value.isdecimal() or int(value) > most:
        raise BadCell(name, "bad_number", f"{value} is no whole number from 0 to {most}.")
    return int(value)


def choice_cell(cells: Mapping[str, str], name: str, choices: Sequence[str], default: str) -> str:
    """Return one of ``choices``; an empty cell is ``default``."""
    value = text_cell(cells, name, 40, is_required=False).lower() or default
    if value not in choices:
        raise BadCell(name, "bad_choice", f"{value} is none of {', '.join(choices)}.")
    return value
