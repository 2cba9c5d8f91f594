"""When a schedule is next due, and how many due times lie between two instants: pure, the clock is given."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo

from celery.schedules import crontab_parser

from factoryai.jobs.schedule import Cron, Every

MOST_COUNTED = 1000
HORIZON = dt.timedelta(days=366 * 5)
"""29 February comes within it; a schedule that never comes gives None."""


def due_after(when: Every | Cron, at: dt.datetime) -> dt.datetime | None:
    """Return the first due time after ``at`` (not at it); None when there is none within `HORIZON`."""
    if isinstance(when, Every):
        return at + when.interval
    return _cron_after(when, at)


def missed_between(when: Every | Cron, due: dt.datetime, at: dt.datetime) -> int:
    """Return how many due times passed unused when the run due at ``due`` begins at ``at``; counts to 1,000."""
    if isinstance(when, Every):
        return min(max(int((at - due) / when.interval), 0), MOST_COUNTED)
    count = 0
    while count < MOST_COUNTED and (following := _cron_after(when, due)) and following <= at:
        due, count = following, count + 1
    return count


def _cron_after(when: Cron, at: dt.datetime) -> dt.datetime | None:
    """Walk days, then hours and minutes, in the schedule's zone; an hour that a clock change skips does not come."""
    zone = zoneinfo.ZoneInfo(when.zone)
    local = at.astimezone(zone)
    minutes, hours = sorted(_field(when.minute, 60)), sorted(_field(when.hour, 24))
    day = local.date()
    while day - local.date() <= HORIZON:
        if _is_day(when, day):
            for hour in hours if day != local.date() else [hour for hour in hours if hour >= local.hour]:
                for minute in minutes:
                    found = dt.datetime.combine(day, dt.time(hour, minute), zone).astimezone(dt.UTC)
                    exists = found.astimezone(zone).time() == dt.time(hour, minute)
                    if exists and found > at:
                        return found
        day += dt.timedelta(days=1)
    return None


def _is_day(when: Cron, day: dt.date) -> bool:
    return (
        day.month in _field(when.month_of_year, 12, 1)
        and day.day in _field(when.day_of_month, 31, 1)
        and day.isoweekday() % 7 in _weekdays(when.day_of_week)
    )


@functools.lru_cache(maxsize=512)
def _field(text: str, count: int, first: int = 0) -> frozenset[int]:
    """Read one field of a crontab; a table has few, and asks for them at every turn."""
    return frozenset(crontab_parser(count, first).parse(text))


@functools.lru_cache(maxsize=64)
def _weekdays(text: str) -> frozenset[int]:
    """Sunday is 0, and names are known, as Celery's crontab has it."""
    from celery.schedules import crontab

    return frozenset(crontab(day_of_week=text).day_of_week)
