"""What the jobs of occupancy do by a manager's hand, for the manager's own sites.

Each takes its meaning from what is stored, never from when it runs: twice does no harm, and late does the same.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from factoryai.jobs.services import Wish
from occupancy.models import Zone
from occupancy.rules.resets import ResetDecision
from occupancy.services.live_spans import note_live_cameras
from occupancy.services.resets import PeopleOnShift, plan_reset, reset_by_hand
from occupancy.services.sums import sum_days, sum_hours, sum_months
from occupancy.services.thinning import thin_logs
from occupancy.services.watermarks import reopen


def provider() -> PeopleOnShift | None:
    """Return what counts the people on shift; None when no app of this installation does."""
    return import_string(settings.PEOPLE_ON_SHIFT)


def run_hourly(wish: Wish) -> dict[str, int]:
    note_live_cameras(at=wish.at)
    _reopen(wish)
    return {"hours": sum_hours(at=wish.at, sites=wish.sites, progress=wish.progress)}


def run_daily(wish: Wish) -> dict[str, int]:
    hours = run_hourly(wish)
    return {**hours, "days": sum_days(at=wish.at, sites=wish.sites)}


def run_monthly(wish: Wish) -> dict[str, int]:
    days = run_daily(wish)
    return {**days, "months": sum_months(at=wish.at, sites=wish.sites)}


def run_reset(wish: Wish) -> dict[str, int]:
    """Reset by a person's word; without a date only those that are due or were missed, never one out of the blue."""
    done = 0
    zones = list(Zone.objects.filter(site__in=wish.sites).select_related("site"))
    for number, zone in enumerate(zones):
        wish.progress(number, len(zones))
        plan = plan_reset(zone, wish.at)
        if wish.day is None and plan.decision is ResetDecision.NOT_YET:
            continue
        day = wish.day or plan.business_date
        done += reset_by_hand(zone=zone, business_date=day, at=wish.at, people_on_shift=provider(), by=wish.by)
    return {"reset": done}


def run_thinning(wish: Wish) -> dict[str, int]:
    keep = timedelta(days=settings.LOG_DAYS)
    return {"deleted": thin_logs(at=wish.at, keep=keep, sites=wish.sites, progress=wish.progress)}


def _reopen(wish: Wish) -> None:
    if wish.day:
        reopen(zones=list(Zone.objects.filter(site__in=wish.sites)), first=wish.day)
