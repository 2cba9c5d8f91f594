"""Who may still be inside, for the assembly point: by site, on paper. It joins attendance and the counts of zones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from attendance.models import DayRecord, Punch
from attendance.services.presence import open_sessions
from factoryai.csv_export import csv_response
from factoryai.sites.access import has_role_anywhere
from factoryai.sites.choice import choose_site
from factoryai.sites.models import Site
from factoryai.sites.permissions import PEOPLE
from identity.models import Employee
from occupancy.services.present import Present, present_zones

LOOK_BACK = timedelta(hours=24)
"""Nobody is looked for whose last entry is older: an exit that was forgotten does not stand on the list for ever."""

COLUMNS = ["site", "code", "name", "department", "in since", "entered at", "why on the list"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may be inside; ``is_sure`` with an open session, else because no exit followed an entry."""

    code: str
    name: str
    department: str
    since: datetime
    place: str
    is_sure: bool

    @property
    def since_text(self) -> str:
        """The site's own clock as text: templates turn times to UTC."""
        return f"{self.since:%Y-%m-%d %H:%M}"

    @property
    def why(self) -> str:
        return "open session" if self.is_sure else "no exit seen"


@dataclass(frozen=True, slots=True)
class SiteList:
    """The people of one site by department and name, and what its zones count, to compare."""

    site: Site
    people: list[Person]
    zones: list[Present]

    @property
    def sure(self) -> int:
        return sum(person.is_sure for person in self.people)

    @property
    def counted(self) -> int:
        return sum(zone.count for zone in self.zones)


def lists_for(user: Any, at: datetime) -> list[SiteList]:
    """Return the list of every open site that ``user`` may see. Costs two queries a site and those of the zones."""
    zones = present_zones(user, at)
    sites = Site.objects.visible_to(user, PEOPLE).filter(is_active=True)
    return [
        SiteList(site, people_inside(site, at), [zone for zone in zones if zone.zone.site_id == site.pk])
        for site in sites
    ]


def people_inside(site: Site, at: datetime) -> list[Person]:
    """Return who has an open session at ``at``, and who came in within a day and was not seen to leave.

    A session whose time is over without an exit, and an entry on a day off, are of the second kind: a list for the fire
    brigade errs by naming one too many.
    """
    sure = set(open_sessions(site, at).values_list("employee", flat=True))
    last = {punch.employee_id: punch for punch in _punches(site, at)}
    entries = {pk: punch.at for pk, punch in last.items() if punch.direction == Punch.Direction.IN}
    for record in _sessions_without_exit(site, at, sure):
        is_gone = record.employee_id in last and last[record.employee_id].direction == Punch.Direction.OUT
        if record.employee_id in sure or not is_gone:
            entries[record.employee_id] = record.first_in
    employees = Employee.objects.filter(pk__in=entries).order_by("department", "name", "code")
    return [
        Person(
            code=employee.code,
            name=employee.name,
            department=employee.department,
            since=entries[employee.pk].astimezone(site.zone),
            place=last[employee.pk].place if employee.pk in last else "",
            is_sure=employee.pk in sure,
        )
        for employee in employees
    ]


def _punches(site: Site, at: datetime) -> QuerySet[Punch]:
    rows = Punch.objects.standing().filter(employee__site=site, at__gt=at - LOOK_BACK, at__lte=at)
    return rows.order_by("at", "pk")


def _sessions_without_exit(site: Site, at: datetime, sure: set[int]) -> QuerySet[DayRecord]:
    rows = DayRecord.objects.filter(site=site, last_out=None, first_in__lte=at).order_by("first_in")
    return rows.filter(Q(first_in__gt=at - LOOK_BACK) | Q(employee__in=sure))


@login_required
@never_cache
@require_safe
def evacuation(request: HttpRequest) -> HttpResponse:
    """Show who may still be inside, one sheet a site; ``?format=csv`` saves it."""
    if not has_role_anywhere(request.user, PEOPLE):
        raise PermissionDenied
    at = timezone.now()
    choice = choose_site(request)
    lists = [one for one in lists_for(request.user, at) if choice.shows(one.site.pk)]
    if request.GET.get("format") == "csv":
        rows = [
            [one.site.name, p.code, p.name, p.department, p.since.isoformat(), p.place, p.why]
            for one in lists
            for p in one.people
        ]
        return csv_response(f"evacuation-{at:%Y%m%dT%H%M%SZ}.csv", COLUMNS, rows)
    made = [(one, f"{at.astimezone(one.site.zone):%Y-%m-%d %H:%M:%S}") for one in lists]
    return render(request, "evacuation.html", {"lists": made})
