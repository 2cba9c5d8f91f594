"""The payroll export of a period: a row per person and day, totals, adjustments; CSV or XLSX, always the same bytes.

Rows are streamed from the database, so that the size of a factory does not matter. Nothing in the file depends on when
or by whom it was made: it carries a hash of its content and the versions of the rules that gave it.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import IO, Any

import xlsxwriter
from django.db.models import QuerySet

from attendance.models import Adjustment, AttendancePolicy, DayRecord, Flag, FrozenPayroll, PayPeriod, ShiftVersion
from attendance.models.days import Kind, Review
from attendance.models.shifts import LeavePart
from attendance.rules.rounding import Mode, round_minutes
from attendance.services.limits import limits_of, minutes_beyond
from factoryai.csv_export import inert
from identity.models import Employee

CHUNK = 2000
PEOPLE = 200
DATE_0 = datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed stamp in the file's own properties
"""XLSX files carry a date of making; a fixed one keeps the bytes the same."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the export. Times are on the site's clock; minutes are whole; ``flags`` names kind and decision.

    ``worked_by_date`` shares out a shift that is cut at midnight: ``2026-03-02 121; 2026-03-03 362``.
    """

    employee_code: str
    employee: str
    department: str
    date: str
    shift: str
    version: str
    status: str
    leave: str
    first_in: str
    last_out: str
    worked_minutes: int
    worked_by_date: str
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
    """One person's sums over the period.

    ``beyond_law_minutes`` are beyond the law's hours of a day or a week, each once; empty where no law is watched.
    """

    employee_code: str
    employee: str
    days_present: int = 0
    half_days: int = 0
    days_absent: int = 0
    days_on_leave: int = 0
    half_days_on_leave: int = 0
    holidays: int = 0
    week_offs: int = 0
    late_days: int = 0
    worked_minutes: int = 0
    paid_minutes: int = 0
    overtime_minutes: int = 0
    beyond_law_minutes: int | str = ""
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


STATUS_WORDS = dict(DayRecord.Status.choices)
LEAVE_WORDS = dict(LeavePart.choices)
HALVES = {LeavePart.FIRST_HALF.label, LeavePart.SECOND_HALF.label}


class Export:
    """Walks a period's records in order, adding up totals as it goes. Use one per file."""

    def __init__(self, period: PayPeriod) -> None:
        self.period = period
        self.totals: list[Totals] = []
        self.versions: set[str] = set()
        self._versions: dict[int, tuple[str, str]] = {}
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
        for chunk in _chunks(_records(self.period).iterator(chunk_size=CHUNK)):
            flags = _flags_of([values[0] for values in chunk])
            for values in chunk:
                found = flags.get(values[0], ())
                row = self._row(values, found)
                self._add_up(values[6], row, found)
                yield row

    def _row(self, values: Sequence[Any], flags: Sequence[tuple[str, str]]) -> Row:
        _, code, name, department, day, version, status, leave, first_in, last_out, *minutes = values
        worked, shares, scheduled, overtime, after_start_s, past_grace, grace_used, early = minutes
        shift, label = self._named(version)
        return Row(
            employee_code=code,
            employee=name,
            department=department,
            date=day.isoformat(),
            shift=shift,
            version=label,
            status=STATUS_WORDS.get(status, "no shift"),
            leave=LEAVE_WORDS.get(leave, ""),
            first_in=self._clock(first_in),
            last_out=self._clock(last_out),
            worked_minutes=worked,
            worked_by_date="; ".join(f"{on} {share}" for on, share in sorted(shares.items())),
            paid_minutes=self._paid(worked),
            scheduled_minutes=scheduled,
            overtime_minutes=overtime,
            after_start_minutes=after_start_s // 60,
            past_grace_minutes=past_grace,
            grace_used_minutes=grace_used,
            early_exit_minutes=early,
            half_day_penalty=sum(_counts(flag, Kind.LATES_HALF_DAY) for flag in flags),
            flags="; ".join(f"{kind} {review}" for kind, review in flags),
        )

    def _named(self, version: int | None) -> tuple[str, str]:
        """Return the names of a shift and of its version, and note the version for the foot of the file."""
        if version is None:
            return "", ""
        if version not in self._versions:
            found = ShiftVersion.objects.select_related("shift").get(pk=version)
            self._versions[version] = (found.shift.name, str(found))
            self.versions.add(f"{found} from {found.effective_from}")
        return self._versions[version]

    def _clock(self, at: datetime | None) -> str:
        return f"{at.astimezone(self._zone):%Y-%m-%d %H:%M:%S}" if at else ""

    def _paid(self, minutes: int) -> int:
        """Round at the level of pay, and nowhere else."""
        if self._policy is None:
            return minutes
        return round_minutes(minutes, self._policy.pay_rounding_minutes, Mode(self._policy.pay_rounding))

    def _add_up(self, status: str, row: Row, flags: Sequence[tuple[str, str]]) -> None:
        if not self.totals or self.totals[-1].employee_code != row.employee_code:
            self.totals.append(Totals(row.employee_code, row.employee))
        sums = self.totals[-1]
        if name := COUNTED_AS.get(status):
            setattr(sums, name, getattr(sums, name) + 1)
        sums.half_days_on_leave += row.leave in HALVES
        sums.late_days += any(_counts(flag, Kind.LATE) for flag in flags)
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

    def add_beyond_law(self) -> None:
        """Add the hours beyond the law's to the totals; call it last."""
        limits = limits_of(self.period.site)
        for sums in _chunks(self.totals, PEOPLE) if limits else ():
            people = Employee.objects.filter(site=self.period.site, code__in=[one.employee_code for one in sums])
            codes = dict(people.values_list("pk", "code"))
            found = minutes_beyond(limits, list(codes), self.period.first_date, self.period.last_date)
            by_code = {codes[person]: minutes for person, minutes in found.items()}
            for one in sums:
                one.beyond_law_minutes = by_code.get(one.employee_code, 0)


FIELDS = (
    "pk", "employee__code", "employee__name", "employee__department", "shift_date", "version_id", "status", "leave",
    "first_in", "last_out", "worked_minutes", "shares", "scheduled_minutes", "overtime_minutes", "after_start_s",
    "past_grace_minutes", "grace_used_minutes", "early_exit_minutes",
)  # fmt: skip


def _records(period: PayPeriod) -> QuerySet:
    rows = DayRecord.objects.filter(site=period.site).dated(period.first_date, period.last_date)
    if period.department:
        rows = rows.filter(employee__department=period.department)
    return rows.order_by("employee__code", "shift_date", "slot").values_list(*FIELDS)


def _chunks(rows: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    rest = iter(rows)
    while chunk := list(islice(rest, size)):
        yield chunk


def _flags_of(days: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """Return kind and review of the flags of days, in one query."""
    found: dict[int, list[tuple[str, str]]] = {}
    rows = Flag.objects.filter(day__in=days).order_by("day", "kind")
    for day, kind, review in rows.values_list("day_id", "kind", "review"):
        found.setdefault(day, []).append((kind, review))
    return found


def _counts(flag: tuple[str, str], kind: str) -> bool:
    """Whether a flag is of ``kind`` and not excused."""
    return flag[0] == kind and flag[1] != Review.EXCUSED


def table(period: PayPeriod) -> Iterator[list[Any]]:
    """Yield every line of the export in order; a locked period gives what was frozen with it."""
    frozen = FrozenPayroll.objects.filter(period=period).first() if period.is_locked else None
    if frozen is None:
        return live_table(period)
    return thaw(bytes(frozen.content))


def live_table(period: PayPeriod) -> Iterator[list[Any]]:
    """Yield heading, days, totals and adjustments as they are now. The hash is of exactly these lines."""
    export = Export(period)
    yield from (list(pair) for pair in export.heading)
    yield []
    yield _names(Row)
    for row in export.rows():
        yield _values(row)
    adjustments = export.adjustments()
    export.add_beyond_law()
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


def freeze(rows: Iterable[Sequence[Any]]) -> tuple[bytes, str]:
    """Return the lines packed, and the SHA-256 of their CSV: what is kept with a lock."""
    packed, digest = io.BytesIO(), sha256()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            digest.update(csv_line(row).encode())
    return packed.getvalue(), digest.hexdigest()


def thaw(content: bytes) -> Iterator[list[Any]]:
    """Yield the lines that `freeze` packed."""
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        for line in file:
            yield json.loads(line)


def content_hash(period: PayPeriod) -> str:
    """Return the SHA-256 of the export's content, whatever its format; a locked period knows it."""
    if period.is_locked and period.content_hash:
        return period.content_hash
    digest = sha256()
    for row in table(period):
        digest.update(csv_line(row).encode())
    return digest.hexdigest()


def csv_line(row: Sequence[Any]) -> str:
    """Return a row as one line of CSV (RFC 4180)."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([inert(value) for value in row])
    return buffer.getvalue()


def export_csv(period: PayPeriod, digest: str, into: IO[bytes]) -> None:
    """Write the export as CSV in UTF-8; the first line is the content's hash."""
    into.write(csv_line(["content sha-256", digest]).encode())
    for row in table(period):
        into.write(csv_line(row).encode())


def export_xlsx(period: PayPeriod, digest: str, into: IO[bytes]) -> None:
    """Write the export as XLSX, row by row; strings stay strings whatever they begin with."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(into, options) as book:
        # No name of the site here: it may be changed after the lock, and the bytes may not.
        title = f"Payroll {period.first_date} to {period.last_date}"
        book.set_properties({"created": DATE_0, "title": title})
        sheet = book.add_worksheet("Payroll")
        sheet.write_row(0, 0, ["content sha-256", digest])
        for number, row in enumerate(table(period), start=1):
            sheet.write_row(number, 0, [inert(value) for value in row])


def file_name(period: PayPeriod, suffix: str) -> str:
    """Return a name that says what is inside."""
    group = f"-{period.department}" if period.department else ""
    plain = "".join(letter if letter.isalnum() else "-" for letter in f"{period.site.slug}{group}")
    return f"payroll-{plain}-{period.first_date}-{period.last_date}.{suffix}"
