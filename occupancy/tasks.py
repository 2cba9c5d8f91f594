"""Jobs of the people inside; each may run twice or be killed half-way."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from factoryai.jobs.services import job
from occupancy.services import by_hand, live_spans, resets, sums, thinning


@job("occupancy.note_live_cameras")
def note_live_cameras() -> dict[str, int]:
    """Note which cameras are live, so that sums can say whether they saw everything."""
    return {"live": live_spans.note_live_cameras(at=timezone.now())}


@job("occupancy.sum_hours", by_hand=by_hand.run_hourly)
def sum_hours() -> dict[str, int]:
    """Sum the people inside over every hour that is over."""
    now = timezone.now()
    live_spans.note_live_cameras(at=now)
    return {"hours": sums.sum_hours(at=now)}


@job("occupancy.sum_days", by_hand=by_hand.run_daily)
def sum_days() -> dict[str, int]:
    """Sum the hours of every local day that is over."""
    now = timezone.now()
    return {"hours": sums.sum_hours(at=now), "days": sums.sum_days(at=now)}


@job("occupancy.sum_months", by_hand=by_hand.run_monthly)
def sum_months() -> dict[str, int]:
    """Sum the days of every local month that is over."""
    now = timezone.now()
    counts = {"hours": sums.sum_hours(at=now), "days": sums.sum_days(at=now)}
    return {**counts, "months": sums.sum_months(at=now)}


@job("occupancy.reset_drift", by_hand=by_hand.run_reset)
def reset_drift() -> dict[str, int]:
    """Reset the counts at three in the night of each site, and ask about those that were missed."""
    return resets.reset_zones(at=timezone.now(), people_on_shift=by_hand.provider())


@job("occupancy.thin_logs", by_hand=by_hand.run_thinning)
def thin_logs() -> dict[str, int]:
    """Delete raw logs whose time is over and that are summed."""
    at, keep = timezone.now(), timedelta(days=settings.LOG_DAYS)
    return {"deleted": thinning.thin_logs(at=at, keep=keep), "stays": thinning.thin_stays(at=at, keep=keep)}
