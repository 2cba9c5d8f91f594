"""Watches people's hours against the law's limits and lists what passes them. Nothing else follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import zip_longest

from django.db import transaction

from attendance.models import AttendancePolicy, DayRecord, LimitWarning
from attendance.rules.intervals import Interval
from attendance.rules.limits import KNOWN, Limits, beyond_law, in_force, versions_between, watch_all
from attendance.rules.overtime import Overtime
from attendance.rules.shifts import DAY
from attendance.services.rebuild import batches
from factoryai.sites.models import Site
from identity.models import Employee

WATCHED = timedelta(days=14)
"""Warnings of so many days are brought up to date at each look; older ones stand."""

MINUTE = timedelta(minutes=1)
NO_LAW = Limits("no law")


def watch_limits(*, at: datetime) -> int:
    """Bring the warnings of the last two weeks up to date at every site that watches a law; return how many stand."""
    found = 0
    for site in Site.objects.filter(is_active=True):
        today = at.astimezone(site.zone).date()
        if limits := limits_of(site):
            for batch in batches(Employee.objects.for_site(site).order_by("pk").values_list("pk", flat=True)):
                found += _watch_people(site, batch, limits, today)
    return found


def limits_of(site: Site) -> list[Limits]:
    """Return the limits of the laws that the site's policies name, each from its date on; none of no law."""
    policies = list(AttendancePolicy.objects.filter(site=site).order_by("effective_from"))
    if not any(policy.law for policy in policies):
        return []
    found = []
    for policy, following in zip_longest(policies, policies[1:]):
        since, until = policy.effective_from, following.effective_from if following else date.max
        held = versions_between(KNOWN.get(policy.law, ()), since, until)
        if not held or held[0].effective_from > since:
            found.append(replace(NO_LAW, effective_from=since))
        found += held
    return found


def minutes_beyond_law(person: Employee, first: date, last: date) -> int | None:
    """Return a person's minutes on the dates beyond the law's hours of a day or a week, None where no law is watched.

    Weeks begin on Monday, and a week that began before ``first`` counts from its beginning.
    """
    limits = limits_of(person.site)
    return minutes_beyond(limits, [person.pk], first, last).get(person.pk, 0) if limits else None


def minutes_beyond(limits: Sequence[Limits], people: Sequence[int], first: date, last: date) -> dict[int, int]:
    """Return the same of many people by id, with one query; who worked nothing is not among them."""
    monday = first - timedelta(days=first.weekday())
    hours = _hours(people, monday, last)
    return {person: _beyond(days, limits, first, last) // MINUTE for person, days in hours.items()}


def _beyond(hours: Mapping[date, list[Interval]], limits: Sequence[Limits], first: date, last: date) -> timedelta:
    monday = first - timedelta(days=first.weekday())
    found = timedelta()
    for start in (monday + timedelta(weeks=n) for n in range((last - monday).days // 7 + 1)):
        law = in_force(limits, start) or NO_LAW
        week = {day: spans for day, spans in hours.items() if start <= day < start + timedelta(weeks=1)}
        before = {day: spans for day, spans in week.items() if day < first}
        found += _length(beyond_law(week, law)) - _length(beyond_law(before, law))
    return found


def _length(stretches: Iterable[Overtime]) -> timedelta:
    return sum((one.length for one in stretches), timedelta())


def _hours(people: Sequence[int], first: date, last: date) -> dict[int, dict[date, list[Interval]]]:
    """Return worked stretches by person and date, in order of time: one query."""
    hours: dict[int, dict[date, list[Interval]]] = defaultdict(lambda: defaultdict(list))
    rows = DayRecord.objects.filter(employee__in=people).dated(first, last).exclude(spans=[])
    for employee, day, spans in rows.order_by("first_in").values_list("employee_id", "shift_date", "spans"):
        hours[employee][day] += [Interval(*map(datetime.fromisoformat, span)) for span in spans]
    return hours


@transaction.atomic
def _watch_people(site: Site, people: list[int], limits: list[Limits], today: date) -> int:
    since = today - WATCHED
    monday = since - timedelta(days=since.weekday())
    hours = _hours(people, monday - timedelta(weeks=max(one.averaged_over for one in limits)), today)
    LimitWarning.objects.filter(employee__in=people, date__gte=since).delete()
    warnings = [warning for person, days in hours.items() for warning in _warnings(site, person, days, limits, since)]
    return len(LimitWarning.objects.bulk_create(warnings, batch_size=500, ignore_conflicts=True))


def _warnings(
    site: Site, person: int, days: Mapping[date, list[Interval]], limits: list[Limits], since: date
) -> list[LimitWarning]:
    return [
        LimitWarning(
            site=site,
            employee_id=person,
            date=passed.day,
            limit=passed.limit.value,
            by_minutes=max(1, passed.by // MINUTE) if passed.by < DAY else passed.by // MINUTE,
            why=passed.why[:300],
        )
        for passed in watch_all({day: sorted(spans) for day, spans in days.items()}, limits)
        if passed.day >= since
    ]
