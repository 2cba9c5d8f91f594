"""Derives people's days from what the database knows, and writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b

from attendance.rules import days as rules
from attendance.rules.derivation import Derived, derive_days
from attendance.rules.matching import Placed
from attendance.rules.reach import Span
from attendance.services.adjustments import Key, Wanted
from attendance.services.facts import Facts, load_punches
from attendance.services.reach import find_reach
from attendance.services.watermarks import watermark_of
from identity.models import Employee


@dataclass(frozen=True, slots=True)
class Derivation:
    """What came out for people on the dates ``first`` to ``last``, and the facts that it came from."""

    people: Sequence[Employee]
    first: date
    last: date
    facts: Facts
    days: dict[int, Derived]

    def wanted(self) -> Iterable[Wanted]:
        """Yield every record, with the slot that it stands in."""
        for person in self.people:
            loose: dict[date, int] = defaultdict(int)
            for record in self.days[person.pk].records:
                yield Wanted(person, slot_of(record, self.facts.version_shifts, loose), record, digest_of(record))

    def dates_beyond(self) -> dict[Key, date]:
        """Return the records of shifts that belong to a date outside, by slot."""
        return {
            (person.pk, slot_of(record, self.facts.version_shifts, {})): record.shift_date
            for person in self.people
            for record in self.days[person.pk].beyond
        }

    def slot_of_punch(self, one: Placed) -> str:
        """Return the slot that a punch stands in, nothing off shift."""
        if one.occurrence is None:
            return ""
        return f"{one.occurrence.shift_date}:{self.facts.version_shifts[one.occurrence.shift.key]}"


def derive_people(*, people: Sequence[Employee], first: date, last: date, at: datetime) -> Derivation:
    """Derive the days ``first`` to ``last`` of people of one site, and those around them that these may change.

    Reads with a fixed number of queries, whatever the number of people; a few more where work without a shift has gone
    on for weeks without a gap.
    """
    site = people[0].site
    facts, reach = find_reach(people, Span(first, last), at.astimezone(site.zone).date())
    load_punches(facts, reach.known_from, reach.last)
    watermark = watermark_of(site, at)
    days = {
        person.pk: derive_days(
            facts.rosters[person.pk],
            facts.punches[person.pk],
            reach.first,
            reach.last,
            site.zone,
            now=at,
            watermark=watermark,
            grace=facts.sites[site.pk].grace,
            excused=facts.excused_lates(person.pk),
            known_from=reach.known_from,
        )
        for person in people
    }
    return Derivation(people, reach.first, reach.last, facts, days)


def slot_of(record: rules.DayRecord, version_shifts: dict[int, int], loose: dict[date, int]) -> str:
    """Name a record among the person's: by date and shift, and by number where there is no shift."""
    if record.occurrence is not None:
        return f"{record.occurrence.shift_date}:{version_shifts[record.occurrence.shift.key]}"
    loose[record.shift_date] += 1
    return f"{record.shift_date}:-{loose[record.shift_date]}"


def digest_of(record: rules.DayRecord) -> str:
    """Return a digest of everything derived: equal digests mean equal rows and flags."""
    occurrence = record.occurrence
    values = (
        record.shift_date, record.state, record.status, record.leave, record.closes_at, record.first_in,
        record.last_out, record.worked, record.overtime, record.after_start, record.grace, record.early_by,
        record.scheduled, record.shares, [(flag.kind, flag.why) for flag in record.flags],
        occurrence and (occurrence.shift.key, occurrence.starts_at, occurrence.ends_at),
    )  # fmt: skip
    return blake2b(repr(values).encode(), digest_size=16).hexdigest()
