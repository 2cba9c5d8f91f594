"""Records punches: facts that are written once, whoever sends them and however often.

The unique key of source and event decides every race; a repeat is a normal outcome.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from attendance.models import DayRecord, Progress, Punch, Source
from attendance.rules.matching import Direction, PunchState, punch_key
from attendance.rules.shifts import DAY
from attendance.services.rebuild import mark_dirty, rebuild_people
from factoryai.alerts.nudges import ask_worker
from factoryai.bulk import Received, refuse_too_many
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from identity.models import Employee

CLOCK_SLACK = timedelta(minutes=5)
"""How far ahead of the server a device's clock may be."""

LONGEST_AGO = timedelta(days=5 * 366)
"""A terminal whose battery is empty says 2000 or 2010; such a time is no fact at all."""

BELIEVED_AGO = timedelta(days=90)
"""A terminal may have been cut off for a quarter of a year. An older punch of one is kept for HR to see, and attendance
is not kept from its date on: one wrong clock would make everybody absent for years. A table or HR may say so."""

REBUILD_TASK = "attendance.rebuild"
REUSED = ("event_id_reused", "This event id was used for another person before: send one of its own.")
UNKNOWN_EMPLOYEE = ("unknown_employee", "There is no such employee here.")


@dataclass(frozen=True, slots=True)
class NewPunch:
    """One punch as it was sent; ``at`` is aware. Without an ``event_id`` person, second and direction make one."""

    employee: int
    at: datetime
    direction: str = Direction.UNKNOWN.value
    event_id: str = ""
    confidence: float | None = None
    is_doubtful: bool = False
    snapshot: uuid.UUID | None = None
    place: str = ""

    @property
    def key(self) -> str:
        return self.event_id or punch_key(self.employee, self.at, self.direction)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One punch recorded at once: its day as it stands now, and whether it told nothing that was not known."""

    punch: Punch
    record: DayRecord | None
    is_duplicate: bool


def source_at(*, site: Site, name: str, kind: str) -> Source:
    """Return the source of this name, made when it reports for the first time; an attendance camera is waited for."""
    is_required = kind == Source.Kind.CAMERA
    defaults = {"kind": kind, "is_required": is_required}
    return Source.objects.get_or_create(site=site, name=name[:120], defaults=defaults)[0]


def judge_time(at: datetime, now: datetime) -> tuple[str, str] | None:
    """Return why a time is refused, as code and message; None for a good one."""
    if at > now + CLOCK_SLACK:
        return "in_future", "This time has not come yet; check the device's clock."
    if now - at > LONGEST_AGO:
        return "long_ago", "This time lies more than five years back; check the device's clock."
    return None


@transaction.atomic
def record_punches(
    *, rows: Sequence[NewPunch], source: Source, people: Mapping[int, Employee], at: datetime
) -> Received:
    """Record up to 1,000 punches of one source; a bad row never spoils its neighbours, and a repeat is no second fact.

    ``people`` are those of the source's site by id; anybody else is refused as unknown. The source's row is locked, so
    that lots of one source take turns; a single punch of it takes no lock, and the constraint decides between the two.
    Days are derived right after the commit.
    """
    refuse_too_many(rows)
    Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    result, fresh = _insert_lot(rows, source, people, at)
    spans = _dates(fresh, source.site)
    mark_dirty(spans)
    if fresh:
        _keep_since_the_first(source, fresh, at)
        transaction.on_commit(rebuild_soon, robust=True)
    return result


def _insert_lot(
    rows: Sequence[NewPunch], source: Source, people: Mapping[int, Employee], at: datetime
) -> tuple[Received, list[NewPunch]]:
    """Insert what is new; return what became of the rows, and those of them that are new facts.

    Where somebody else has just inserted one of the events, the next look knows it: it takes no more looks than events.
    """
    while True:
        result, fresh = _sort_out(rows, source, people, at)
        try:
            with transaction.atomic():
                Punch.objects.bulk_create([_punch(row, source, people, at) for row in fresh], batch_size=1000)
        except IntegrityError:
            if not _owners(fresh, source):
                raise
        else:
            return result, fresh


def _sort_out(
    rows: Sequence[NewPunch], source: Source, people: Mapping[int, Employee], at: datetime
) -> tuple[Received, list[NewPunch]]:
    """Return what becomes of the rows, and those of them that are new facts."""
    result, good = Received(), []
    known = _owners(rows, source)
    owners, first = dict(known), {}
    for index, row in enumerate(rows):
        if refused := _refuse(row, people, owners, at):
            result.rejected.append((index, *refused))
        else:
            owners[row.key] = row.employee
            first.setdefault(row.key, row)
            good.append(row)
    fresh = [row for key, row in first.items() if key not in known]
    result.accepted, result.duplicates = len(fresh), len(good) - len(fresh)
    return result, fresh


def _keep_since_the_first(source: Source, rows: Iterable[NewPunch], at: datetime) -> None:
    """Note the date of the first punch that is believed to tell when attendance begins; see `BELIEVED_AGO`."""
    is_of_people = source.kind in (Source.Kind.IMPORT, Source.Kind.MANUAL)
    believed = [row.at for row in rows if is_of_people or at - row.at <= BELIEVED_AGO]
    if believed:
        keep_since(source.site, min(believed).astimezone(source.site.zone).date())


def keep_since(site: Site, day: date) -> None:
    """Note the first date on which anybody punched; an earlier one has the site's days gone through again."""
    if Progress.objects.filter(site=site, kept_since__lte=day).exists():
        return
    Progress.objects.get_or_create(site=site)
    Progress.objects.filter(site=site).exclude(kept_since__lte=day).update(kept_since=day, finalised_until=None)


def rebuild_soon() -> None:
    """Ask a worker to derive the days now; the schedule does it within seconds without."""
    ask_worker(REBUILD_TASK)


def _owners(rows: Sequence[NewPunch], source: Source) -> dict[str, int]:
    """Return the events that the source has sent before, each with the person it was about."""
    found = Punch.objects.filter(source=source, event_id__in={row.key for row in rows})
    return dict(found.values_list("event_id", "employee_id"))


def _refuse(
    row: NewPunch, people: Mapping[int, Employee], owners: Mapping[str, int], at: datetime
) -> tuple[str, str] | None:
    """Return why a row is refused; a counter that began again after a reset must not swallow another's punches."""
    if row.employee not in people:
        return UNKNOWN_EMPLOYEE
    if owners.get(row.key, row.employee) != row.employee:
        return REUSED
    return judge_time(row.at, at)


def _punch(row: NewPunch, source: Source, people: Mapping[int, Employee], at: datetime, by: Any = None) -> Punch:
    offset = row.at.astimezone(source.site.zone).utcoffset() or timedelta()
    return Punch(
        employee_id=people[row.employee].pk,
        at=row.at.astimezone(UTC),
        offset_minutes=int(offset.total_seconds()) // 60,
        received_at=at,
        source=source,
        direction=row.direction,
        event_id=row.key,
        confidence=row.confidence,
        is_doubtful=row.is_doubtful,
        snapshot=row.snapshot,
        place=row.place[:80],
        by=by,
    )


def _dates(rows: Sequence[NewPunch], site: Site) -> list[tuple[int, date, date]]:
    days: dict[int, list[date]] = {}
    for row in rows:
        days.setdefault(row.employee, []).append(row.at.astimezone(site.zone).date())
    return [(employee, min(found), max(found)) for employee, found in days.items()]


@transaction.atomic
def record_punch(*, row: NewPunch, employee: Employee, source: Source, at: datetime, by: Any = None) -> Outcome:
    """Record one punch and derive its day at once.

    A repeat of the event is the fact that was; a repeat of the entry is kept as a duplicate that changes nothing.
    Raises `Refusal` with ``in_future`` or ``long_ago``, or ``event_id_reused`` (409) for an event of another person.
    """
    if refused := judge_time(row.at, at):
        raise Refusal(*refused)
    Employee.objects.select_for_update(no_key=True).get(pk=employee.pk)
    punch, is_fresh = _insert(row, employee, source, at, by)
    if punch.employee_id != employee.pk:
        raise Refusal(*REUSED, 409)
    day = punch.at.astimezone(employee.site.zone).date()
    if is_fresh:
        _keep_since_the_first(source, [row], at)
    done = rebuild_people(site=employee.site_id, employees=[employee.pk], first=day, last=day, at=at)
    slot, state = done.slots.get(punch.pk, ("", PunchState.SUPERSEDED))
    record = find_record(employee, slot, day)
    is_repeat = state is PunchState.DUPLICATE or (not is_fresh and not row.event_id)
    return Outcome(punch, record, is_repeat)


def _insert(row: NewPunch, employee: Employee, source: Source, at: datetime, by: Any) -> tuple[Punch, bool]:
    punch = _punch(row, source, {employee.pk: employee}, at, by)
    known = Punch.objects.filter(source=source, event_id=row.key).first()
    if known is not None:
        return known, False
    try:
        with transaction.atomic():
            punch.save()
    except IntegrityError:
        return Punch.objects.get(source=source, event_id=row.key), False
    return punch, True


def find_record(employee: Employee, slot: str, day: date) -> DayRecord | None:
    """Return the record that a punch stands in; off shift it is the one of its date that carries the flag."""
    rows = DayRecord.objects.filter(employee=employee).with_names().prefetch_related("flags__reviewed_by")
    if slot:
        return rows.filter(slot=slot).first()
    near = rows.dated(day - DAY, day + DAY).filter(shift_date=day).order_by("starts_at", "slot")
    return near.filter(flags__kind="off_shift").first() or near.first()
