"""Overtime as stretches of time: each minute is classified once, by the first rule that claims it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from attendance.rules.intervals import Interval, beyond, without


class Per(StrEnum):
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class OvertimeRule:
    """Time worked ``after`` so much of a day or of a week counts as overtime at ``rate`` times the pay."""

    name: str
    per: Per
    after: timedelta
    rate: float = 2.0


@dataclass(frozen=True, slots=True)
class Overtime:
    """One stretch, and the one rule that claims it."""

    start: datetime
    end: datetime
    rule: str
    rate: float

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def classify(days: Mapping[date, Sequence[Interval]], rules: Sequence[OvertimeRule]) -> list[Overtime]:
    """Classify the worked stretches of one week by day. The dearest daily rule claims first, then the weekly ones.

    A week's allowance is used up by regular time only: an hour that the day already pays dearer is not paid again.
    """
    daily = sorted((rule for rule in rules if rule.per is Per.DAY), key=lambda rule: -rule.after)
    weekly = sorted((rule for rule in rules if rule.per is Per.WEEK), key=lambda rule: -rule.after)
    found: list[Overtime] = []
    regular: list[Interval] = []
    for day in sorted(days):
        left = list(days[day])
        for rule in daily:
            left = _claim(left, rule, found)
        regular += left
    for rule in weekly:
        regular = _claim(regular, rule, found)
    return sorted(found, key=lambda stretch: (stretch.start, stretch.end))


def _claim(intervals: list[Interval], rule: OvertimeRule, found: list[Overtime]) -> list[Interval]:
    claimed = beyond(intervals, rule.after)
    found += [Overtime(interval.start, interval.end, rule.name, rule.rate) for interval in claimed]
    return without(intervals, claimed)
