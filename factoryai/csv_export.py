"""Tables that leave as CSV: read alike by people and spreadsheets, and never taken for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpResponse

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet begins a formula with, blanks before it included, full width too (OWASP, CSV injection)."""


def inert(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe stands before text that looks like one."""
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA):
        return f"'{value}"
    return value


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> HttpResponse:
    """Answer with a file called ``name``. UTF-8 with its mark, which is how spreadsheets know it."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response)
    writer.writerow(head)
    writer.writerows([inert(value) for value in row] for row in rows)
    return response
