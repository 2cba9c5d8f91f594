"""Shifts in versions and who works them; every change marks the days it touches to be derived again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from attendance.models import Assignment, Holiday, Leave, Progress, Shift, ShiftVersion
from attendance.rules import shifts as rules
from attendance.rules.shifts import DAY, find_overlap
from attendance.services.punches import rebuild_soon
from attendance.services.rebuild import mark_dirty
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from identity.models import Employee

Spans = list[tuple[int, date, date]]
"""People by id, each with the first and the last date that something touches."""

LOOKED_AHEAD = timedelta(days=60)
"""Overlaps of open-ended assignments are looked for so far: longer than any week or common cycle."""


@transaction.atomic
def save_shift(*, site: Site, name: str, fields: Mapping[str, Any], by: Any, at: datetime) -> ShiftVersion:
    """Add a shift, or a version of the one that has this name, from ``fields["effective_from"]`` on.

    Raises Django's ValidationError for fields that make no sense, ``version_exists`` (409) for a date that has one, and
    ``shifts_overlap`` (409) when somebody who works it has another shift at those hours.
    """
    shift, _ = Shift.objects.get_or_create(site=site, name=name)
    Shift.objects.select_for_update().get(pk=shift.pk)
    numbers = list(shift.versions.values_list("number", flat=True))
    version = ShiftVersion(shift=shift, number=max(numbers, default=0) + 1, created_by=by, **fields)
    if shift.versions.filter(effective_from=version.effective_from).exists():
        text = f"{name} has a version from {version.effective_from} already; choose another date."
        raise Refusal("version_exists", text, 409, {"effective_from": text})
    version.full_clean()
    if text := clash_of(version):
        raise Refusal("shifts_overlap", text, 409, {"starts_at": text})
    version.save()
    touch_shift(shift=shift, since=version.effective_from, at=at)
    return version


def clash_of(version: ShiftVersion) -> str:
    """Say which other shift of somebody a version that is not saved yet would run into; empty when none.

    Looks once at each combination of assignments that somebody has beside the shift from the version's date on.
    """
    shift, since = version.shift, version.effective_from
    standing = Assignment.objects.filter(Q(to_date__isnull=True) | Q(to_date__gte=since))
    rows = standing.filter(employee__in=standing.filter(shift=shift).values("employee")).select_related("employee")
    versions: dict[int, tuple[rules.Shift, ...]] = defaultdict(tuple)
    for row in (*ShiftVersion.objects.filter(shift__site=shift.site_id).select_related("shift"), version):
        versions[row.shift_id] += (row.as_rule(),)
    people: dict[Employee, list[rules.Assignment]] = defaultdict(list)
    for given_shift in rows.order_by("employee", "from_date", "pk"):
        rule = given_shift.as_rule(versions[given_shift.shift_id])
        people[given_shift.employee].append(replace(rule, from_date=max(rule.from_date, since - DAY)))
    seen = {tuple(given): person for person, given in people.items() if len(given) > 1}
    for given, person in seen.items():
        starts = {max(since, one.from_date) for one in given}
        for start in sorted(starts):
            if day := find_overlap(given, shift.site.zone, start, start + LOOKED_AHEAD):
                return f"On {day} it overlaps another shift of {person}; change that assignment first."
    return ""


def touch_shift(*, shift: Shift, since: date, at: datetime) -> int:
    """Mark the days of everybody who works the shift, from ``since`` to today; return how many people that are."""
    return _mark(spans_of_shift(shift=shift, since=since, at=at))


def spans_of_shift(*, shift: Shift, since: date, at: datetime) -> Spans:
    """Return who works the shift from ``since`` to today, and from when to when; before attendance is kept, nobody."""
    today = at.astimezone(shift.site.zone).date()
    since = max(since, kept_since(shift.site))
    spans = [
        (row.employee_id, max(since, row.from_date), min(today, row.to_date or today))
        for row in Assignment.objects.filter(shift=shift)
    ]
    if shift.site.attendance_policies.filter(default_shift=shift).exists():
        spans += [(person, since, today) for person in _everybody(shift.site, since, today)]
    return [span for span in spans if span[1] <= span[2]]


def kept_since(site: Site) -> date:
    """Return the date from which attendance is kept at a site; far ahead when nobody has punched yet."""
    return Progress.objects.filter(site=site).values_list("kept_since", flat=True).first() or date.max


def _everybody(site: Site, first: date, last: date) -> list[int]:
    if last < first:
        return []
    return list(Employee.objects.for_site(site).employed_between(first, last).values_list("pk", flat=True))


def _mark(spans: Spans) -> int:
    mark_dirty(spans)
    if spans:
        transaction.on_commit(rebuild_soon, robust=True)
    return len(spans)


@transaction.atomic
def assign_shift(*, assignment: Assignment, at: datetime) -> Assignment:
    """Give a person a shift. Raises ``other_site``, ``shifts_overlap`` (409), or Django's ValidationError."""
    if assignment.employee.site_id != assignment.shift.site_id:
        raise Refusal("other_site", "The person and the shift belong to different sites.")
    assignment.full_clean()
    Employee.objects.select_for_update(no_key=True).get(pk=assignment.employee_id)
    if day := overlap_of(assignment):
        text = f"On {day} it overlaps a shift that the person has already."
        raise Refusal("shifts_overlap", text, 409, {"shift": text})
    before = Assignment.objects.filter(pk=assignment.pk).first() if assignment.pk else None
    assignment.save()
    touch_assignment(assignment, at)
    if before is not None:
        touch_assignment(before, at)
    return assignment


@transaction.atomic
def end_assignment(*, assignment: Assignment, at: datetime) -> None:
    """Delete an assignment; the days it touched are derived again."""
    touch_assignment(assignment, at)
    assignment.delete()


def touch_assignment(assignment: Assignment, at: datetime) -> None:
    """Mark the person's days that an assignment covers, up to today."""
    last = assignment.to_date or date.max
    touch_person(employee=assignment.employee, first=assignment.from_date, last=last, at=at)


def overlap_of(assignment: Assignment) -> date | None:
    """Return the first date on which the assignment's scheduled times overlap another of the same person."""
    others = Assignment.objects.filter(employee=assignment.employee_id).exclude(pk=assignment.pk)
    ahead = max(LOOKED_AHEAD, timedelta(days=2 * (assignment.cycle_length or 0)))
    last = assignment.to_date or assignment.from_date + ahead
    touching = others.in_force_between(assignment.from_date - DAY, last + DAY).select_related("shift")
    given = [_rule(row) for row in (*touching, assignment)]
    starts = [row.from_date for row in (*touching, assignment)]
    versions = [version.effective_from for one in given for version in one.versions]
    for start in sorted({max(assignment.from_date, day) for day in (*starts, *versions)}):
        if start <= last and (
            day := find_overlap(given, assignment.employee.site.zone, start, min(last, start + LOOKED_AHEAD))
        ):
            return day
    return None


def _rule(row: Assignment) -> rules.Assignment:
    return row.as_rule(tuple(version.as_rule() for version in row.shift.versions.select_related("shift")))


@transaction.atomic
def add_holiday(*, holiday: Holiday, at: datetime) -> Holiday:
    """Add a holiday of a site. Raises Django's ValidationError, also when the date has one already."""
    holiday.full_clean()
    holiday.save()
    touch_site(site=holiday.site, first=holiday.date, last=holiday.date, at=at)
    return holiday


@transaction.atomic
def add_leave(*, leave: Leave, at: datetime) -> Leave:
    """Add leave of a person. Raises Django's ValidationError."""
    leave.full_clean()
    leave.save()
    touch_person(employee=leave.employee, first=leave.from_date, last=leave.to_date, at=at)
    return leave


def touch_site(*, site: Site, first: date, last: date, at: datetime) -> int:
    """Mark everybody's days from ``first`` to ``last``, today at the latest: a holiday or the site's policy changed."""
    return _mark(spans_of_site(site=site, first=first, last=last, at=at))


def spans_of_site(*, site: Site, first: date, last: date, at: datetime) -> Spans:
    """Return everybody who is employed on the dates, from when attendance is kept to today."""
    first, last = max(first, kept_since(site)), min(last, at.astimezone(site.zone).date())
    return [(person, first, last) for person in _everybody(site, first, last)]


def touch_person(*, employee: Employee, first: date, last: date, at: datetime) -> None:
    """Mark a person's days from ``first`` to ``last``, today at the latest."""
    _mark(spans_of_person(employee=employee, first=first, last=last, at=at))


def spans_of_person(*, employee: Employee, first: date, last: date, at: datetime) -> Spans:
    """Return the person with the dates, from when attendance is kept to today; nobody when none are left."""
    first, last = max(first, kept_since(employee.site)), min(last, at.astimezone(employee.site.zone).date())
    return [(employee.pk, first, last)] if first <= last else []
