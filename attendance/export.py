"""The payroll export of a period: a row per person and day, totals, adjustments; CSV or XLSX, always the same bytes.

Rows are streamed from the database, so that the size of a factory does not matter. Nothing in the file depends on when
or by whom it was made: it carries a hash of its content and the versions of the rules that gave it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from typing import IO, Any

import xlsxwriter
from django.db.models import Prefetch, QuerySet

from attendance.models import Adjustment, AttendancePolicy, DayRecord, Flag, PayPeriod
from attendance.models.days import Kind, Review
from attendance.rules.rounding import Mode, round_minutes

CHUNK = 2000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
DATE_0 = datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed stamp in the file's own properties
"""XLSX files carry a date of making; a fixed one keeps the bytes the same."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the export. Times are on the site's clock; minutes are whole; ``flags`` names kind and decision."""

    employee_code: str
    employee: str
    department: str
    date: str
    shift: str
    version: str
    status: str
    first_in: str
    last_out: str
    worked_minutes: int
    paid_minutes: int
    scheduled_minutes: int
    overtime_minutes: int
    after_start_minutes: int
    past_grace_minutes: int
    grace_used_minutes: int
    early_exit_minutes: int
    half_day_penalty: int
    flags: str


@dataclass(slots=True)
class Totals:
    """One person's sums over the period."""

    employee_code: str
    employee: str
    days_present: int = 0
    half_days: int = 0
    days_absent: int = 0
    days_on_leave: int = 0
    holidays: int = 0
    week_offs: int = 0
    late_days: int = 0
    worked_minutes: int = 0
    paid_minutes: int = 0
    overtime_minutes: int = 0
    half_day_penalties: int = 0
    adjusted_minutes: int = 0
    adjusted_overtime_minutes: int = 0


COUNTED_AS = {
    DayRecord.Status.PRESENT: "days_present",
    DayRecord.Status.HALF_DAY: "half_days",
    DayRecord.Status.ABSENT: "days_absent",
    DayRecord.Status.ON_LEAVE: "days_on_leave",
    DayRecord.Status.HOLIDAY: "holidays",
    DayRecord.Status.WEEK_OFF: "week_offs",
}


class Export:
    """Walks a period's records in order, adding up totals as it goes. Use one per file."""

    def __init__(self, period: PayPeriod) -> None:
        self.period = period
        self.totals: list[Totals] = []
        self.versions: set[str] = set()
        self._zone = period.site.zone
        policy = AttendancePolicy.objects.filter(site=period.site, effective_from__lte=period.last_date)
        self._policy = policy.order_by("effective_from").last()

    @property
    def heading(self) -> list[tuple[str, str]]:
        """What the file says about itself, but for its hash."""
        policy = self._policy
        rounding = "none"
        if policy and policy.pay_rounding != Mode.NONE:
            rounding = f"{policy.get_pay_rounding_display()}, {policy.pay_rounding_minutes} min"
        return [
            ("site", self.period.site.name),
            ("department", self.period.department or "everybody"),
            ("first date", self.period.first_date.isoformat()),
            ("last date", self.period.last_date.isoformat()),
            ("state", "locked" if self.period.is_locked else "open: figures may change"),
            ("time zone", self.period.site.timezone),
            ("policy", f"from {policy.effective_from}" if policy else "none"),
            ("rounding of pay", rounding),
        ]

    def rows(self) -> Iterator[Row]:
        """Yield the rows by person and date."""
        for record in _records(self.period).iterator(chunk_size=CHUNK):
            row = self._row(record)
            self._add_up(record, row)
            yield row

    def _row(self, record: DayRecord) -> Row:
        person = record.employee
        version = str(record.version) if record.version else ""
        if version:
            self.versions.add(f"{version} from {record.version.effective_from}")
        return Row(
            employee_code=person.code,
            employee=person.name,
            department=person.department,
            date=record.shift_date.isoformat(),
            shift=record.shift_name or "",
            version=version,
            status=record.get_status_display() if record.status else "no shift",
            first_in=self._clock(record.first_in),
            last_out=self._clock(record.last_out),
            worked_minutes=record.worked_minutes,
            paid_minutes=self._paid(record.worked_minutes),
            scheduled_minutes=record.scheduled_minutes,
            overtime_minutes=record.overtime_minutes,
            after_start_minutes=record.after_start_minutes,
            past_grace_minutes=record.past_grace_minutes,
            grace_used_minutes=record.grace_used_minutes,
            early_exit_minutes=record.early_exit_minutes,
            half_day_penalty=sum(_is_penalty(flag) for flag in record.flags.all()),
            flags="; ".join(f"{flag.kind} {flag.review}" for flag in record.flags.all()),
        )

    def _clock(self, at: datetime | None) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M:%S}" if at else ""

    def _paid(self, minutes: int) -> int:
        """Round at the level of pay, and nowhere else."""
        if self._policy is None:
            return minutes
        return round_minutes(minutes, self._policy.pay_rounding_minutes, Mode(self._policy.pay_rounding))

    def _add_up(self, record: DayRecord, row: Row) -> None:
        if not self.totals or self.totals[-1].employee_code != row.employee_code:
            self.totals.append(Totals(row.employee_code, row.employee))
        sums = self.totals[-1]
        if name := COUNTED_AS.get(record.status):  # type: ignore[call-overload]
            setattr(sums, name, getattr(sums, name) + 1)
        sums.late_days += any(flag.kind == Kind.LATE and flag.review != Review.EXCUSED for flag in record.flags.all())
        sums.worked_minutes += row.worked_minutes
        sums.paid_minutes += row.paid_minutes
        sums.overtime_minutes += row.overtime_minutes
        sums.half_day_penalties += row.half_day_penalty

    def adjustments(self) -> list[Adjustment]:
        """Return what this period settles, and add it to the totals; call it after `rows`."""
        found = list(
            Adjustment.objects.filter(settled_in=self.period)
            .select_related("employee")
            .order_by("employee__code", "shift_date", "slot")
        )
        by_code = {sums.employee_code: sums for sums in self.totals}
        for row in found:
            code = row.employee.code
            sums = by_code.setdefault(code, Totals(code, row.employee.name))
            sums.adjusted_minutes += row.worked_minutes
            sums.adjusted_overtime_minutes += row.overtime_minutes
        self.totals = [by_code[code] for code in sorted(by_code)]
        return found


def _records(period: PayPeriod) -> QuerySet[DayRecord]:
    rows = DayRecord.objects.filter(site=period.site).dated(period.first_date, period.last_date)
    if period.department:
        rows = rows.filter(employee__department=period.department)
    flags = Prefetch("flags", Flag.objects.order_by("kind").defer("why", "inputs"))
    return (
        rows.select_related("employee", "version__shift")
        .prefetch_related(flags)
        .defer("spans", "overtime", "shares")
        .order_by("employee__code", "shift_date", "slot")
    )


def _is_penalty(flag: Flag) -> bool:
    return flag.kind == Kind.LATES_HALF_DAY and flag.review != Review.EXCUSED


def table(period: PayPeriod) -> Iterator[list[Any]]:
    """Yield every line of the export in order: heading, days, totals, adjustments. The hash is of exactly these."""
    export = Export(period)
    yield from (list(pair) for pair in export.heading)
    yield []
    yield _names(Row)
    for row in export.rows():
        yield _values(row)
    adjustments = export.adjustments()
    yield []
    yield ["rules", *sorted(export.versions)]
    yield []
    yield _names(Totals)
    yield from (_values(sums) for sums in export.totals)
    if adjustments:
        yield []
        yield ["adjustments of earlier periods", "employee", "date", "worked_minutes", "overtime_minutes"]
        for one in adjustments:
            yield [
                one.employee.code,
                one.employee.name,
                one.shift_date.isoformat(),
                one.worked_minutes,
                one.overtime_minutes,
            ]


def _names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]


def _values(row: Any) -> list[Any]:
    return [getattr(row, name) for name in _names(type(row))]


def inert(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def content_hash(period: PayPeriod) -> str:
    """Return the SHA-256 of the export's content, whatever its format."""
    digest = sha256()
    for line in csv_lines(table(period)):
        digest.update(line.encode())
    return digest.hexdigest()


def csv_lines(rows: Iterator[Sequence[Any]]) -> Iterator[str]:
    """Yield rows as lines of CSV (RFC 4180)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([inert(value) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def export_csv(period: PayPeriod) -> Iterator[bytes]:
    """Yield the export as CSV in UTF-8, in pieces of some thousand rows; the first line is the content's hash."""
    yield f"content sha-256,{content_hash(period)}\r\n".encode()
    held: list[str] = []
    for line in csv_lines(table(period)):
        held.append(line)
        if len(held) >= CHUNK:
            yield "".join(held).encode()
            held = []
    yield "".join(held).encode()


def export_xlsx(period: PayPeriod, into: IO[bytes]) -> None:
    """Write the export as XLSX into a file, row by row; strings stay strings whatever they begin with."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(into, options) as book:
        book.set_properties({"created": DATE_0, "title": str(period)})
        sheet = book.add_worksheet("Payroll")
        sheet.write_row(0, 0, ["content sha-256", content_hash(period)])
        for number, row in enumerate(table(period), start=1):
            sheet.write_row(number, 0, [inert(value) for value in row])


def file_name(period: PayPeriod, suffix: str) -> str:
    """Return a name that says what is inside."""
    group = f"-{period.department}" if period.department else ""
    plain = "".join(letter if letter.isalnum() else "-" for letter in f"{period.site.slug}{group}")
    return f"payroll-{plain}-{period.first_date}-{period.last_date}.{suffix}"
