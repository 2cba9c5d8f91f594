"""A plant with shifts and people who work them, for the tests of attendance.

>>> plant = make_plant()
>>> plant.punch(plant.asha, "2026-03-02 08:06:12", "in")
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from attendance.models import Assignment, DayRecord, DirtyDay, Flag, Progress, Shift, Source
from attendance.services.punches import NewPunch, Outcome, record_punch, source_at
from attendance.services.rebuild import rebuild_people
from attendance.services.rosters import assign_shift, save_shift
from factoryai.sites.models import Site
from factoryai.sites.tests.factories import People, make_people
from identity.models import Employee

KOLKATA = ZoneInfo("Asia/Kolkata")
MONDAY = date(2026, 3, 2)
LATER = datetime(2026, 4, 15, 12, tzinfo=UTC)
"""When the tests look, unless they say otherwise: long after the days they look at."""


def clock(text: str, zone: ZoneInfo = KOLKATA) -> datetime:
    """Return a local time like ``2026-03-02 08:00`` as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@dataclass
class Plant:
    """Two sites, their logins, a day shift with five minutes of grace and a night shift, and who works them."""

    people: People
    day: Shift
    night: Shift
    asha: Employee
    ravi: Employee
    stranger: Employee

    @property
    def site(self) -> Site:
        return self.people.site

    def source(self, name: str = "device:gate", kind: str = Source.Kind.DEVICE) -> Source:
        return source_at(site=self.site, name=name, kind=kind)

    def punch(
        self, employee: Employee, text: str, direction: str = "unknown", *, at: datetime | None = None, **fields: Any
    ) -> Outcome:
        """Record a punch at a local time, as it arrives at ``at``."""
        moment = clock(text)
        row = NewPunch(employee.pk, moment, direction, **fields)
        return record_punch(row=row, employee=employee, source=self.source(), at=at or moment)

    def rebuild(self, employee: Employee, first: date = MONDAY, last: date | None = None, at: datetime = LATER) -> None:
        rebuild_people(site=self.site.pk, employees=[employee.pk], first=first, last=last or first, at=at)

    def record(self, employee: Employee, day: date = MONDAY) -> DayRecord:
        return DayRecord.objects.get(employee=employee, shift_date=day)

    def flag(self, employee: Employee, kind: str, day: date = MONDAY) -> Flag:
        return Flag.objects.get(day__employee=employee, shift_date=day, kind=kind)


def make_employee(site: Site, code: str, name: str, **fields: Any) -> Employee:
    return Employee.objects.create(site=site, code=code, name=name, **fields)


def make_shift(site: Site, name: str, starts_at: str, ends_at: str, **fields: Any) -> Shift:
    """Make a shift in its first version, in force since 2026."""

    given = {
        "starts_at": time.fromisoformat(starts_at),
        "ends_at": time.fromisoformat(ends_at),
        "effective_from": date(2026, 1, 1),
        **fields,
    }
    return save_shift(site=site, name=name, fields=given, by=None, at=LATER).shift


def assign(employee: Employee, shift: Shift, since: date = date(2026, 3, 1), **fields: Any) -> Assignment:
    return assign_shift(assignment=Assignment(employee=employee, shift=shift, from_date=since, **fields), at=LATER)


def make_plant() -> Plant:
    """Make everybody; nobody has punched yet."""
    people = make_people()
    plant = Plant(
        people=people,
        day=make_shift(people.site, "A", "08:00", "17:00"),
        night=make_shift(people.site, "N", "22:00", "06:00"),
        asha=make_employee(people.site, "E1", "Asha", department="Assembly", user=people.asha),
        ravi=make_employee(people.site, "E2", "Ravi", department="Paint", user=people.ravi),
        stranger=make_employee(people.other_site, "E1", "Stranger"),
    )
    assign(plant.asha, plant.day)
    assign(plant.ravi, plant.night)
    DirtyDay.objects.all().delete()
    Progress.objects.create(site=people.site, kept_since=date(2026, 3, 1))
    return plant


def days_after(day: date, count: int) -> date:
    return day + timedelta(days=count)
