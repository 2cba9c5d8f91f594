"""Who came today and who has not: counts for a screen, from the same rosters and records as the payroll."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Q

from attendance.models import Assignment, DayRecord, Flag, Leave
from attendance.models.days import Kind, Review
from attendance.rules import shifts
from attendance.rules.derivation import Roster
from attendance.rules.shifts import LeavePart
from attendance.services.facts import Facts, SiteFacts, load_shared, load_sites
from factoryai.sites.models import Site
from identity.models import Employee


@dataclass(slots=True)
class Today:
    """People of one site on its local date. ``missing`` should have begun, grace included, and have not come."""

    date: date
    present: int = 0
    late: int = 0
    missing: int = 0
    expected: int = 0
    on_leave: int = 0
    came: set[int] = field(default_factory=set, repr=False)

    @property
    def is_kept(self) -> bool:
        """Whether attendance says anything about this site: somebody came, or should."""
        return bool(self.expected or self.present or self.on_leave)


def today_at(sites: Collection[Site], at: datetime) -> dict[int, Today]:
    """Return today's counts by site: nine queries for any number of sites and people.

    Present is who came today or is still at work from a shift that began yesterday. Nobody is absent before the day is
    over and every source has reported; until then who has not come is missing.
    """
    found = {site.pk: Today(at.astimezone(site.zone).date()) for site in sites}
    if not found:
        return found
    dated = _dated(found)
    for site, employee in _present(dated, sites, at):
        found[site].came.add(employee)
    for site, late in _late(dated).items():
        found[site].late = late
    _count_expected(found, sites, at)
    for today in found.values():
        today.present = len(today.came)
    return found


def _dated(found: dict[int, Today]) -> Q:
    """Match rows of each site on its own date: sites share at most three dates."""
    by_date: dict[date, list[int]] = defaultdict(list)
    for site, today in found.items():
        by_date[today.date].append(site)
    matched = Q(pk__in=())
    for day, here in by_date.items():
        matched |= Q(shift_date=day, site__in=here)
    return matched


def _present(dated: Q, sites: Collection[Site], at: datetime) -> Iterable[tuple[int, int]]:
    came = DayRecord.objects.filter(dated, first_in__lte=at)
    still_in = DayRecord.objects.filter(site__in=sites, first_in__lte=at, last_out=None, closes_at__gte=at)
    pairs = ("site_id", "employee_id")
    open_ones = still_in.filter(state__in=[DayRecord.State.LIVE, DayRecord.State.PROVISIONAL])
    return came.order_by().values_list(*pairs).union(open_ones.order_by().values_list(*pairs))


def _late(dated: Q) -> Counter[int]:
    rows = Flag.objects.filter(dated, kind=Kind.LATE).exclude(review=Review.EXCUSED)
    return Counter(site for site, _ in rows.order_by().values_list("site_id", "day__employee_id").distinct())


def _count_expected(found: dict[int, Today], sites: Collection[Site], at: datetime) -> None:
    days = [today.date for today in found.values()]
    first, last = min(days), max(days)
    known = load_sites(found.keys(), first, last)
    facts = Facts(sites=known)
    versions, shared = load_shared(facts, first, last)
    assigned, away = _assignments(found, first, last, versions), _leaves(found, first, last)
    zones = {site.pk: site.zone for site in sites}
    people = Employee.objects.filter(site__in=found, is_active=True).employed_between(first, last)
    for pk, site, joined, left in people.order_by().values_list("pk", "site_id", "joined_date", "left_date"):
        roster = Roster(
            assignments=tuple(assigned[pk]),
            leaves=tuple(away[pk]),
            joined=max(joined or date.min, known[site].kept_since),
            left=left,
            **shared[site],
        )
        _count_person(found[site], known[site], roster, pk, zones[site], at)


def _count_person(today: Today, site: SiteFacts, roster: Roster, person: int, zone: object, at: datetime) -> None:
    if not roster.employs_on(today.date) or today.date in site.holidays:
        return
    planned = shifts.occurrences(
        roster.assignments, roster.defaults, today.date, today.date, zone, roster.days_off  # type: ignore[arg-type]
    )  # fmt: skip
    if not planned:
        return
    leave = roster.leave_on(today.date)
    if leave is LeavePart.WHOLE:
        today.on_leave += 1
        return
    today.expected += 1
    begun = any(_begins_at(one, leave) + one.shift.grace_in < at for one in planned)
    today.missing += begun and person not in today.came


def _begins_at(one: shifts.Occurrence, leave: LeavePart | None) -> datetime:
    """Return when a person is to be there: in the middle of the schedule after half a day of leave."""
    return one.starts_at + (one.ends_at - one.starts_at) / 2 if leave is LeavePart.FIRST_HALF else one.starts_at


def _assignments(
    found: dict[int, Today], first: date, last: date, versions: dict[int, tuple[shifts.Shift, ...]]
) -> dict[int, list[shifts.Assignment]]:
    rows = Assignment.objects.filter(employee__site__in=found, employee__is_active=True)
    assigned: dict[int, list[shifts.Assignment]] = defaultdict(list)
    for row in rows.in_force_between(first, last).order_by():
        assigned[row.employee_id].append(row.as_rule(versions.get(row.shift_id, ())))
    return assigned


def _leaves(found: dict[int, Today], first: date, last: date) -> dict[int, list[shifts.Leave]]:
    away: dict[int, list[shifts.Leave]] = defaultdict(list)
    for row in Leave.objects.filter(employee__site__in=found, from_date__lte=last, to_date__gte=first).order_by():
        away[row.employee_id].append(row.as_rule())
    return away
