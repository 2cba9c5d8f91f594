"""The people of the demonstration, their shifts, and a week of punches: so that HR's desk shows what it is for."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass

from django.db import transaction

from attendance.models import Assignment, AttendancePolicy, Shift, Source
from attendance.services.punches import NewPunch, record_punches, source_at
from attendance.services.rebuild import rebuild_dirty
from attendance.services.rosters import assign_shift, save_shift
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from identity.models import Consent, Employee
from identity.pictures import encode_picture
from identity.services.enrolment import enrol_picture, record_consent
from streaming.scenes import cast
from streaming.scenes.faces import photograph
from streaming.scenes.relief import Face

log = logging.getLogger(__name__)

DAYS = 6
PHOTOS = 2
ENROLLED = {"1001": cast.ASHA.face, "1002": cast.RAVI.face, "1004": cast.OMAR.face}
DEVICE = "device:reader at the turnstiles"


@dataclass(frozen=True)
class Worker:
    """One person, and what each of the last days was like: entry and exit, or one of them missing, or neither."""

    code: str
    name: str
    department: str
    shift: str
    days: tuple[tuple[str, str], ...]


WORKERS = (
    Worker("1001", "Asha Rao", "Assembly", "Day",
           (("07:55:10", "17:02:31"), ("08:03:02", "17:01:09"), ("08:06:12", "17:04:40"), ("07:58:45", "16:12:03"),
            ("08:04:51", "17:00:22"), ("07:49:30", "17:10:18"))),
    Worker("1002", "Ravi Menon", "Paint", "Night",
           (("21:56:20", "06:01:12"), ("22:04:40", "06:02:08"), ("21:58:03", "05:31:44"), ("22:11:05", "06:03:30"),
            ("21:52:51", "06:00:58"), ("21:59:14", "06:05:21"))),
    Worker("1003", "Nila Das", "Assembly", "Day",
           (("07:58:01", "17:00:44"), ("", ""), ("08:00:39", ""), ("07:57:12", "17:03:55"),
            ("08:22:17", "17:01:30"), ("07:55:48", "18:31:06"))),
    Worker("1004", "Omar Khan", "Stores", "Day",
           (("08:01:22", "17:05:10"), ("07:59:58", "17:00:03"), ("07:54:33", "17:02:47"), ("08:09:41", "17:00:50"),
            ("07:56:26", "17:04:12"), ("", ""))),
    Worker("1005", "Lena Thomas", "Stores", "Day",
           (("07:52:40", "17:01:58"), ("07:56:09", "17:03:21"), ("08:02:15", "16:58:40"), ("08:00:00", "17:00:00"),
            ("07:51:37", "17:07:09"), ("08:05:00", "17:02:26"))),
)  # fmt: skip


@transaction.atomic
def add_staff(site: Site, *, at: dt.datetime) -> None:
    """Give the demonstration its staff, once; what somebody has changed or removed since stays as it is."""
    if Employee.objects.filter(site=site).exists():
        return
    today = at.astimezone(site.zone).date()
    first = today - dt.timedelta(days=DAYS)
    AttendancePolicy.objects.create(
        site=site, effective_from=first.replace(day=1), monthly_grace_minutes=30, half_day_every=3,
        law=AttendancePolicy.Law.FACTORIES_ACT,
    )  # fmt: skip
    shifts = {
        name: _shift(site, name, start, end, first.replace(day=1), at)
        for name, start, end in (("Day", dt.time(8), dt.time(17)), ("Night", dt.time(22), dt.time(6)))
    }
    source = source_at(site=site, name=DEVICE, kind=Source.Kind.DEVICE)
    for worker in WORKERS:
        person = Employee.objects.create(
            site=site, code=worker.code, name=worker.name, department=worker.department, joined_date=first
        )
        assign_shift(assignment=Assignment(employee=person, shift=shifts[worker.shift], from_date=first), at=at)
        rows = _punches(worker, person, first, site)
        record_punches(rows=[row for row in rows if row.at < at], source=source, people={person.pk: person}, at=at)
    rebuild_dirty(at=at)


def enrol_staff(site: Site, *, at: dt.datetime) -> None:
    """Enrol who goes in at the demonstration's staff door, from two photos each, unless somebody has begun to enrol.

    Lena is left out: the camera shows her as unknown until HR says who she is.
    """
    if Consent.objects.for_site(site).exists():
        return
    for person in Employee.objects.for_site(site).filter(code__in=ENROLLED):
        try:
            _enrol(person, ENROLLED[person.code], at)
        except (Refusal, OSError) as error:
            log.warning("%s of the demonstration could not be enrolled: %s", person, error)


def _enrol(person: Employee, face: Face, at: dt.datetime) -> None:
    today = at.astimezone(person.site.zone).date()
    record_consent(
        employee=person, basis=Consent.Basis.CONSENT, notice_version="demonstration", given_date=today, by=None, at=at
    )
    for number in range(PHOTOS):
        enrol_picture(employee=person, data=encode_picture(photograph(face, number)), by=None, at=at)


def _shift(site: Site, name: str, starts_at: dt.time, ends_at: dt.time, since: dt.date, at: dt.datetime) -> Shift:
    fields = {"starts_at": starts_at, "ends_at": ends_at, "effective_from": since, "break_minutes": 30}
    return save_shift(site=site, name=name, fields=fields, by=None, at=at).shift


def _punches(worker: Worker, person: Employee, first: dt.date, site: Site) -> list[NewPunch]:
    rows = []
    for number, times in enumerate(worker.days):
        for text, direction in zip(times, ("in", "out"), strict=True):
            if text:
                clock = dt.time.fromisoformat(text)
                is_next_day = direction == "out" and worker.shift == "Night"
                day = first + dt.timedelta(days=number + is_next_day)
                moment = dt.datetime.combine(day, clock, site.zone)
                rows.append(NewPunch(person.pk, moment, direction, place="turnstiles"))
    return rows
