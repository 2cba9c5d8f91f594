"""Finds how far a change of people's facts reaches, and reads the rosters that decide it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from attendance.models import Punch
from attendance.rules.derivation import Roster, plan
from attendance.rules.intervals import midnight
from attendance.rules.reach import Plan, Span, chain_back, chain_on, covers, known_from, reach_of, stands_alone
from attendance.rules.shifts import DAY
from attendance.services.facts import Facts, load_rosters
from identity.models import Employee

AROUND = timedelta(days=10)
"""Rosters are read so far around at first; more only where windows hang together for longer."""

Chain = Callable[[Sequence[datetime], datetime, timedelta], datetime]

LOOKED_AT = timedelta(days=8)
"""So much of people without a shift is read at a time: nearly everybody has a day off a week, which ends the search."""


@dataclass(frozen=True, slots=True)
class Reach:
    """The dates to derive, and from which date on punches and plan must be known for them."""

    first: date
    last: date
    known_from: date


def find_reach(people: Sequence[Employee], asked: Span, today: date) -> tuple[Facts, Reach]:
    """Return how far a change of people of one site on the dates ``asked`` reaches, with the rosters of those dates.

    A site that judges grace by the month has whole months derived. Nothing hangs together through days to come.
    """
    horizon = max(asked.last, today) + 3 * DAY
    looked_at = Span(asked.first.replace(day=1) - AROUND, _month_end(asked.last) + AROUND)
    while True:
        facts = load_rosters(people, looked_at.first, looked_at.last)
        reach = _reach(people, facts, asked, horizon)
        needed = Span(reach.known_from - 2 * DAY, reach.last + 2 * DAY)
        if looked_at.holds(needed):
            return facts, reach
        looked_at = looked_at.with_(Span(needed.first - AROUND, needed.last + AROUND))


def _month_end(day: date) -> date:
    return (day.replace(day=1) + 31 * DAY).replace(day=1) - DAY


def _reach(people: Sequence[Employee], facts: Facts, asked: Span, horizon: date) -> Reach:
    zone, rosters = people[0].site.zone, facts.rosters
    span = Span(asked.first - DAY, asked.last + DAY)
    for roster in _hanging_together(rosters, asked):
        span = span.with_(reach_of(asked, _plan_of(roster, horizon, zone), zone))
    loose = {person: roster.sessions.longest for person, roster in rosters.items() if _may_be_loose(roster, span)}
    if loose:
        last = _follow(loose, midnight(span.last + DAY, zone), LOOKED_AT, chain_on)
        span = Span(span.first, max(span.last, last.astimezone(zone).date()))
    if facts.sites[people[0].site_id].is_judged_by_the_month:
        span = Span(span.first.replace(day=1), _month_end(span.last))
    since = span.first
    if loose:
        start = _follow(loose, midnight(since, zone), -LOOKED_AT, chain_back)
        since = min(since, start.astimezone(zone).date())
    hanging = _hanging_together(rosters, Span(since, span.last))
    known = [known_from(since, _plan_of(one, horizon, zone), zone) for one in hanging]
    return Reach(span.first, span.last, min([since, *known]))


def _hanging_together(rosters: Mapping[int, Roster], span: Span) -> list[Roster]:
    """Return the rosters with windows around a span that may overlap."""
    return [one for one in rosters.values() if not stands_alone(one.assignments, one.defaults, span)]


def _plan_of(roster: Roster, horizon: date, zone: ZoneInfo) -> Plan:
    return lambda first, last: plan(roster, first, min(last, horizon), zone)


def _may_be_loose(roster: Roster, span: Span) -> bool:
    """Whether work without a shift may be counted on some date of a span or right after it."""
    if roster.sessions is None:
        return False
    return not any(covers(one, span.first, span.last + 2 * DAY) for one in (*roster.assignments, *roster.defaults))


def _follow(people: Mapping[int, timedelta], start: datetime, step: timedelta, chain: Chain) -> datetime:
    """Return how far the punches of ``people`` hang together from ``start`` on, the farthest of them.

    ``people`` maps each to the gap that ends it; a ``step`` below zero looks back. One query for each piece of time.
    """
    reached = dict.fromkeys(people, start)
    going, edge = set(people), start
    while going:
        near, edge, step = edge, edge + step, 2 * step
        times = _times(going, min(near, edge), max(near, edge))
        for person in list(going):
            reached[person] = chain(times.get(person, ()), reached[person], people[person])
            if abs(edge - reached[person]) > people[person]:
                going.remove(person)
    return max(reached.values(), key=lambda at: abs(at - start))


def _times(people: Collection[int], start: datetime, end: datetime) -> dict[int, list[datetime]]:
    found: dict[int, list[datetime]] = defaultdict(list)
    rows = Punch.objects.standing().filter(employee__in=people, at__gte=start, at__lt=end)
    for person, at in rows.order_by("at").values_list("employee_id", "at"):
        found[person].append(at)
    return found
