"""Moves days on from live to provisional to final as time passes and sources report; only then is anybody absent."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime

from attendance.models import DayRecord, Progress
from attendance.rules.shifts import DAY
from attendance.services.rebuild import Rebuilt, batches, rebuild_people, rebuild_site
from attendance.services.watermarks import watermark_of
from factoryai.sites.models import Site


def finalise_days(*, at: datetime) -> dict[str, int]:
    """Rebuild what time alone has changed: records whose window is over, and dates that every source has passed."""
    done = Rebuilt()
    for site in Site.objects.filter(is_active=True):
        _rebuild_ended(site, at, done)
        _go_through(site, at, done)
    return done.as_counts()


def _rebuild_ended(site: Site, at: datetime, done: Rebuilt) -> None:
    """Rebuild live records whose window is over, and provisional ones that the watermark has passed."""
    watermark = watermark_of(site, at)
    live = DayRecord.objects.filter(site=site, state=DayRecord.State.LIVE, closes_at__lt=at)
    waiting = DayRecord.objects.filter(site=site, state=DayRecord.State.PROVISIONAL, closes_at__lt=watermark)
    people: dict[date, set[int]] = defaultdict(set)
    for employee, day in (live | waiting).values_list("employee_id", "shift_date"):
        people[day].add(employee)
    for day, found in sorted(people.items()):
        for batch in batches(sorted(found)):
            rebuild_people(site=site.pk, employees=batch, first=day, last=day, at=at, into=done)


def _go_through(site: Site, at: datetime, done: Rebuilt) -> None:
    """Go through the dates that are over for everybody, once: who has no punch then has no record either.

    A night that ended on the last of these dates began the day before, so that day is gone through again.
    """
    progress = Progress.objects.filter(site=site).exclude(kept_since=None).first()
    until = watermark_of(site, at).astimezone(site.zone).date() - DAY
    if progress is None or (progress.finalised_until and until <= progress.finalised_until):
        return
    since = progress.finalised_until or progress.kept_since
    if until < since:
        return
    counts = rebuild_site(site=site, first=since, last=until, at=at)
    done.people += counts.people
    done.written += counts.written
    done.deleted += counts.deleted
    Progress.objects.filter(pk=progress.pk).update(finalised_until=until)
