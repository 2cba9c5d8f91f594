"""Jobs of the people inside; each may run twice or be killed half-way."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from factoryai.jobs.services import job
from occupancy import lateness, resetting, running, summing, watching


@job("occupancy.note_live_cameras")
def note_live_cameras() -> dict[str, int]:
    return {"live": watching.note_live_cameras(at=timezone.now())}


@job("occupancy.sum_hours")
def sum_hours() -> dict[str, int]:
    now = timezone.now()
    watching.note_live_cameras(at=now)
    return {"hours": summing.sum_hours(at=now)}


@job("occupancy.sum_days")
def sum_days() -> dict[str, int]:
    now = timezone.now()
    return {"hours": summing.sum_hours(at=now), "days": summing.sum_days(at=now)}


@job("occupancy.sum_months")
def sum_months() -> dict[str, int]:
    now = timezone.now()
    counts = {"hours": summing.sum_hours(at=now), "days": summing.sum_days(at=now)}
    return {**counts, "months": summing.sum_months(at=now)}


@job("occupancy.reset_drift")
def reset_drift() -> dict[str, int]:
    return resetting.reset_zones(at=timezone.now(), people_on_shift=running.provider())


@job("occupancy.thin_logs")
def thin_logs() -> dict[str, int]:
    return {"deleted": summing.thin_logs(at=timezone.now(), keep=timedelta(days=settings.LOG_DAYS))}


@job("occupancy.watch_jobs")
def watch_jobs() -> dict[str, int]:
    return {"late": lateness.watch_jobs(at=timezone.now())}
