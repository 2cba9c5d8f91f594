"""Reads everything that a batch of people's days are derived from, with a fixed number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.db.models import Max

from attendance.models import Assignment, AttendancePolicy, Decision, Holiday, Leave, Progress, Punch, ShiftVersion
from attendance.models.days import Kind, Review
from attendance.models.shifts import FIRST_DATE
from attendance.rules import matching, shifts
from attendance.rules.derivation import MARGIN, Roster
from attendance.rules.grace import GracePolicy
from attendance.rules.sessions import SessionPolicy
from attendance.rules.shifts import DAY, days_between
from identity.models import Employee

PUNCH_MARGIN = MARGIN + DAY


@dataclass(slots=True)
class SiteFacts:
    """What holds for everybody at a site."""

    policies: list[AttendancePolicy] = field(default_factory=list)
    kept_since: date = date.max
    holidays: frozenset[date] = frozenset()

    @property
    def grace(self) -> list[tuple[date, GracePolicy]]:
        return [(policy.effective_from, policy.grace) for policy in self.policies]

    @property
    def is_judged_by_the_month(self) -> bool:
        return any(grace != GracePolicy() for _, grace in self.grace)


@dataclass(slots=True)
class Facts:
    """Rosters, punches and decisions of people, by person. ``version_shifts`` maps a version to its shift."""

    rosters: dict[int, Roster] = field(default_factory=dict)
    punches: dict[int, list[matching.Punch]] = field(default_factory=lambda: defaultdict(list))
    decisions: dict[tuple[int, str, str, str], Decision] = field(default_factory=dict)
    excused: dict[int, set[str]] = field(default_factory=dict)
    sites: dict[int, SiteFacts] = field(default_factory=dict)
    version_shifts: dict[int, int] = field(default_factory=dict)

    def excused_lates(self, employee: int) -> Collection[str]:
        """Return the digests of the late flags that HR has excused."""
        return self.excused.get(employee, ())


def load_sites(sites: Collection[int], first: date, last: date) -> dict[int, SiteFacts]:
    """Return the policies, holidays and beginnings of sites: three queries."""
    found = {site: SiteFacts() for site in sites}
    for policy in AttendancePolicy.objects.filter(site__in=sites).order_by("effective_from"):
        found[policy.site_id].policies.append(policy)
    for site, since in Progress.objects.filter(site__in=sites, kept_since__isnull=False).values_list(
        "pk", "kept_since"
    ):
        found[site].kept_since = since
    holidays: dict[int, set[date]] = defaultdict(set)
    rows = Holiday.objects.filter(site__in=sites, date__gte=first - MARGIN, date__lte=last + MARGIN)
    for site, day in rows.values_list("site_id", "date"):
        holidays[site].add(day)
    for site, days in holidays.items():
        found[site].holidays = frozenset(days)
    return found


def load_rosters(employees: Collection[Employee], first: date, last: date) -> Facts:
    """Return what people of one site were to do on the dates and around them, without their punches: seven queries."""
    facts = Facts(sites=load_sites({employee.site_id for employee in employees}, first, last))
    ids = [employee.pk for employee in employees]
    versions, shared = load_shared(facts, first, last)
    assignments: dict[int, list[shifts.Assignment]] = defaultdict(list)
    rows = Assignment.objects.filter(employee__in=ids).in_force_between(first - MARGIN, last + MARGIN)
    for row in rows.order_by("from_date", "pk"):
        assignments[row.employee_id].append(row.as_rule(versions.get(row.shift_id, ())))
    leaves: dict[int, list[shifts.Leave]] = defaultdict(list)
    for leave in Leave.objects.filter(employee__in=ids, from_date__lte=last + MARGIN, to_date__gte=first - MARGIN):
        leaves[leave.employee_id].append(leave.as_rule())
    last_dates = _last_dates(employees)
    for employee in employees:
        facts.rosters[employee.pk] = Roster(
            assignments=tuple(assignments[employee.pk]),
            leaves=tuple(leaves[employee.pk]),
            joined=max(employee.joined_date or date.min, facts.sites[employee.site_id].kept_since),
            left=employee.left_date or last_dates.get(employee.pk),
            **shared[employee.site_id],
        )
    return facts


def load_punches(facts: Facts, first: date, last: date) -> None:
    """Add the punches and decisions of the people on the dates and around them: two queries."""
    _load_punches(list(facts.rosters), first, last, facts)
    _load_decisions(list(facts.rosters), first, last, facts)


def _last_dates(employees: Collection[Employee]) -> dict[int, date]:
    """Return the dates of the last punches of people who are switched off: they are expected on no day after it."""
    gone = {employee.pk: employee.site.zone for employee in employees if not employee.is_active}
    if not gone:
        return {}
    found = Punch.objects.standing().filter(employee__in=gone).order_by().values("employee").annotate(last=Max("at"))
    never = dict.fromkeys(gone, FIRST_DATE)
    return never | {row["employee"]: row["last"].astimezone(gone[row["employee"]]).date() for row in found}


def load_shared(facts: Facts, first: date, last: date) -> tuple[dict[int, tuple[shifts.Shift, ...]], dict[int, dict]]:
    """Return the versions of every shift, and by site the part of a `Roster` that everybody has: one query."""
    versions = _load_versions(facts.sites, facts)
    return versions, {site: _shared(found, versions, first, last) for site, found in facts.sites.items()}


def _load_versions(sites: Collection[int], facts: Facts) -> dict[int, tuple[shifts.Shift, ...]]:
    versions: dict[int, tuple[shifts.Shift, ...]] = {}
    for version in ShiftVersion.objects.filter(shift__site__in=sites).select_related("shift"):
        versions[version.shift_id] = (*versions.get(version.shift_id, ()), version.as_rule())
        facts.version_shifts[version.pk] = version.shift_id
    return versions


def _shared(site: SiteFacts, versions: dict[int, tuple[shifts.Shift, ...]], first: date, last: date) -> dict:
    """Return the parts of a roster that a site's policies give everybody, each policy on its own dates."""
    defaults, days_off, counted = [], set(), set()
    for position, policy in enumerate(site.policies):
        following = site.policies[position + 1 : position + 2]
        until = following[0].effective_from - DAY if following else None
        if policy.default_shift_id:
            known = versions.get(policy.default_shift_id, ())
            defaults.append(shifts.Assignment(known, policy.effective_from, until))
        start = max(first - 2 * MARGIN, policy.effective_from)
        end = min(last + 2 * MARGIN, until or last + 2 * MARGIN)
        days_off |= {day for day in days_between(start, end) if day.weekday() in policy.week_offs}
        if policy.counts_unplanned_work:
            counted |= set(days_between(start, end))
    return {
        "defaults": tuple(defaults),
        "days_off": frozenset(days_off),
        "holidays": site.holidays,
        "sessions": SessionPolicy() if counted else None,
        "counted_days": frozenset(counted),
    }


def _load_punches(employees: Collection[int], first: date, last: date, facts: Facts) -> None:
    start, end = _instants(first - PUNCH_MARGIN, last + PUNCH_MARGIN)
    rows = Punch.objects.standing().filter(employee__in=employees, at__gte=start, at__lt=end)
    fields = ("employee_id", "at", "direction", "place", "pk", "is_doubtful")
    for employee, at, direction, place, pk, is_doubtful in rows.order_by().values_list(*fields).iterator(5000):
        punch = matching.Punch(at, matching.Direction(direction), place, pk, is_doubtful)
        facts.punches[employee].append(punch)


def _instants(first: date, last: date) -> tuple[datetime, datetime]:
    """Return a span that holds the local dates ``first`` to ``last`` of every zone on Earth."""
    start = datetime.combine(first, time(), UTC) - timedelta(hours=14)
    return start, datetime.combine(last + DAY, time(), UTC) + timedelta(hours=14)


def _load_decisions(employees: Collection[int], first: date, last: date, facts: Facts) -> None:
    """Later decisions stand over earlier ones about the same facts."""
    rows: Iterable[Decision] = Decision.objects.filter(
        employee__in=employees, shift_date__gte=first - MARGIN, shift_date__lte=last + MARGIN
    )
    for row in rows.order_by("at", "pk"):  # type: ignore[attr-defined]
        facts.decisions[row.employee_id, row.slot, row.kind, row.digest] = row
    for (employee, _, kind, digest), decision in facts.decisions.items():
        if kind == Kind.LATE and decision.decision == Review.EXCUSED:
            facts.excused.setdefault(employee, set()).add(digest)
