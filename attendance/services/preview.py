"""What a change would do to days that are worked already: it is made, people's days are derived, and it is taken back.

The days themselves are never written, and nobody's row is locked: check-ins do not wait for a preview.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction

from attendance.models.days import hours
from attendance.rules.days import DayRecord
from attendance.rules.shifts import DAY
from attendance.services.adjustments import Wanted, locked_periods, period_of
from attendance.services.deriving import derive_people
from attendance.services.rosters import Spans, kept_since
from factoryai.sites.models import Site
from identity.models import Employee

LONGEST = timedelta(days=400)
"""How many days before the last touched one a preview looks at: a year and some."""

MOST_DAYS = 15_000
"""Days of people that are looked at: about ten seconds. Beyond them the preview counts for the first people."""

BATCH = 100
MOST_EXAMPLES = 5


@dataclass(slots=True)
class Preview:
    """How many days of how many people would come out differently, and a few of them in words.

    ``locked`` of the days lie in locked periods: they stay, and the difference becomes an adjustment.
    ``looked_at`` of ``touched`` people were looked at, from ``first`` to ``last``.
    """

    first: date
    last: date
    looked_at: int = 0
    touched: int = 0
    days: int = 0
    people: int = 0
    locked: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_partial(self) -> bool:
        return self.looked_at < self.touched


def preview_change(*, site: Site, spans: Spans, change: Callable[[], object], at: datetime) -> Preview:
    """Return what ``change`` would do to the people and dates of ``spans``, without doing it.

    ``change`` is called once for every hundred people, each time in a transaction that is rolled back.
    """
    today = at.astimezone(site.zone).date()
    until = min(today, max((last for _, _, last in spans), default=today))
    since = max(kept_since(site), min((first for _, first, _ in spans), default=today), until - LONGEST)
    touched = sorted({employee for employee, _, _ in spans})
    found = Preview(since, until, touched=len(touched))
    if since > until:
        return found
    chosen = touched[: max(1, MOST_DAYS // ((until - since).days + 1))]
    for start in range(0, len(chosen), BATCH):
        people = list(Employee.objects.filter(pk__in=chosen[start : start + BATCH]).select_related("site"))
        before = _derived(people, since, until, at)
        with transaction.atomic():
            change()
            after = _derived(people, since, until, at)
            transaction.set_rollback(True)
        _count(people, before, after, found)
    found.looked_at = len(chosen)
    return found


Day = tuple[int, date]
"""A person's id and a date."""


def _derived(people: Sequence[Employee], first: date, last: date, at: datetime) -> dict[Day, list[Wanted]]:
    found: dict[Day, list[Wanted]] = defaultdict(list)
    for one in derive_people(people=people, first=first, last=last, at=at).wanted() if people else ():
        if not first - DAY <= one.record.shift_date <= last + DAY:
            continue
        found[one.person.pk, one.record.shift_date].append(one)
    return found


def _count(
    people: Sequence[Employee],
    before: Mapping[Day, Sequence[Wanted]],
    after: Mapping[Day, Sequence[Wanted]],
    found: Preview,
) -> None:
    days = {*before, *after}
    changed = sorted((day for day in days if _said(before.get(day)) != _said(after.get(day))), key=_by_date)
    found.days += len(changed)
    found.people += len({person for person, _ in changed})
    found.locked += _count_locked(people, changed)
    persons = {person.pk: person for person in people}
    for day in changed[: MOST_EXAMPLES - len(found.examples)]:
        person, words = persons[day[0]], f"{_words(before.get(day))} → {_words(after.get(day))}"
        found.examples.append(f"{person.name} ({person.code}), {day[1]:%a %d %b}: {words}")


def _by_date(day: Day) -> tuple[date, int]:
    return (day[1], day[0])


def _said(records: Sequence[Wanted] | None) -> list[object]:
    """What matters of a day for people: not the version's number, which changes by itself."""
    return [(one.described(), sorted((flag.kind, flag.minutes) for flag in one.record.flags)) for one in records or ()]


def _words(records: Sequence[Wanted] | None) -> str:
    return " and ".join(_record_in_words(one.record) for one in records or ()) or "no record"


def _record_in_words(record: DayRecord) -> str:
    said = [record.status or "no shift", f"{hours(record.worked_minutes)} h"]
    if record.overtime_minutes:
        said.append(f"overtime {hours(record.overtime_minutes)} h")
    said += [f"{flag.kind} {flag.minutes} min" if flag.minutes else flag.kind for flag in record.flags]
    return ", ".join(said).replace("_", " ")


def _count_locked(people: Sequence[Employee], changed: Sequence[Day]) -> int:
    if not changed:
        return 0
    dates = [day for _, day in changed]
    periods = locked_periods(people, min(dates), max(dates))
    departments = {person.pk: person.department for person in people}
    return sum(period_of(day, departments[person], periods, None) is not None for person, day in changed)
