"""The decorator that gives a task its heartbeat, the sync of the schedule, and what the status page says."""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from celery import shared_task
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from factoryai.jobs.due import due_after, missed_between
from factoryai.jobs.models import BeatLease, Job
from factoryai.jobs.schedule import SCHEDULE, Cron, Entry, Every
from factoryai.sites.models import Site

log = logging.getLogger(__name__)

BEAT = "beat"
"""The row that the scheduler itself writes at every tick."""
RUNNING_WITHIN = dt.timedelta(seconds=90)

LEASE_FOR = dt.timedelta(seconds=30)
"""Renewed at every tick, at most 5 s apart; a lease further ahead than two of these was taken by a clock gone back."""

Outcome = str | Mapping[str, Any] | None
Progress = Callable[[int, int], None]
"""Hears how much is done, and of how much."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run by hand is about: the sites it may touch, the local day it is for, who asked and when."""

    sites: Sequence[Site]
    at: dt.datetime
    by: Any = None
    day: dt.date | None = None
    progress: Progress = lambda done, total: None


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a job does by hand. One that is not ``is_scoped`` runs as on schedule, for all sites at once."""

    run: Callable[[Wish], Outcome]
    is_scoped: bool
    about: str = ""


BY_HAND: dict[str, ByHand] = {}
"""Name of a job → what it does by hand; filled by `job` as the apps' tasks are imported."""


def job(
    name: str, *, by_hand: Callable[[Wish], Outcome] | None = None, **task_options: Any
) -> Callable[[Callable[..., Outcome]], Any]:
    """Make a function a Celery task called ``name`` whose runs are written down.

    The function returns one sentence, or its counts as a mapping. It may run twice or be killed half-way at any time.
    ``by_hand`` is what it does by a manager's hand for the manager's own sites; without it, the same as on schedule.
    """

    def decorate(function: Callable[..., Outcome]) -> Any:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Outcome:
            return run_job(name, functools.partial(function, *args, **kwargs))

        hand = by_hand or (lambda wish: function())
        BY_HAND[name] = ByHand(hand, is_scoped=by_hand is not None, about=_about(function))
        return shared_task(name=name, **task_options)(run)

    return decorate


def _about(function: Callable[..., Outcome]) -> str:
    """Return what a job is for, in its own words: the first line of its docstring."""
    return (function.__doc__ or "").strip().split("\n")[0]


def run_job(
    name: str,
    function: Callable[[], Outcome],
    *,
    is_due: bool = True,
    clock: Callable[[], dt.datetime] = timezone.now,
) -> Outcome:
    """Call ``function`` between two heartbeats; what it raises is written down and raised on.

    With ``is_due`` False, as by hand for one of several sites, the run that is due stays due.
    """
    job_started(name=name, at=clock(), is_due=is_due)
    try:
        outcome = function()
    except Exception as error:
        job_failed(name=name, error=error, at=clock())
        raise
    job_finished(name=name, outcome=outcome, at=clock())
    return outcome


def job_started(*, name: str, at: dt.datetime, is_due: bool = True) -> None:
    """Note a start, and how many due times went by without one."""
    row = Job.objects.get_or_create(name=name)[0]
    started = {"last_started_at": at, "last_result": Job.Result.RUNNING, "runs": F("runs") + 1}
    if not is_due:
        Job.objects.filter(pk=row.pk).update(**started)
        return
    when = _current_schedule(name)
    missed = missed_between(when, row.next_due_at, at) if when and row.next_due_at else 0
    Job.objects.filter(pk=row.pk).update(
        **started,
        missed=F("missed") + missed,
        next_due_at=due_after(when, at) if when else None,
    )


def job_finished(*, name: str, outcome: Outcome, at: dt.datetime) -> None:
    """Note a good end, with its sentence or counts."""
    summary = outcome if isinstance(outcome, str) else json.dumps(outcome or {}, default=str)
    Job.objects.filter(name=name).update(
        last_finished_at=at, last_result=Job.Result.OK, last_summary=summary[:500], last_error=""
    )


def job_failed(*, name: str, error: Exception, at: dt.datetime) -> None:
    """Note a bad end. A database that cannot take the note is logged: the error itself matters more."""
    text = f"{type(error).__name__}: {error}"[:2000]
    try:
        Job.objects.filter(name=name).update(
            last_finished_at=at, last_result=Job.Result.FAILED, last_error=text, failures=F("failures") + 1
        )
    except DatabaseError:
        log.warning("Could not note that job %s failed", name, exc_info=True)


def beat_ticked(*, at: dt.datetime) -> None:
    """Note that the scheduler lives."""
    Job.objects.update_or_create(
        name=BEAT, defaults={"last_started_at": at, "last_finished_at": at, "last_result": Job.Result.OK}
    )


def is_scheduler_running(at: dt.datetime) -> bool:
    """Whether the scheduler ticked within `RUNNING_WITHIN`."""
    return Job.objects.filter(name=BEAT, last_started_at__gte=at - RUNNING_WITHIN).exists()


def scheduler_status(*, at: dt.datetime, tells_all: bool = True) -> dict[str, Any]:
    """Return ``{running, jobs: [{name, schedule, …, missed}]}``; a job that is late now counts as missed once more.

    A job works for all sites at once, so its error may name things of any: without ``tells_all`` only its kind is told.
    """
    jobs = Job.objects.exclude(name=BEAT)
    schedules = {name: str(when) for name, when in _current_schedules().items()}
    return {
        "running": is_scheduler_running(at),
        "jobs": [
            {
                "name": row.name,
                "schedule": schedules.get(row.name, "off"),
                "last_started_at": row.last_started_at,
                "last_finished_at": row.last_finished_at,
                "last_result": row.last_result,
                "last_error": row.last_error if tells_all else row.last_error.split(":")[0],
                "next_due_at": row.next_due_at if row.name in schedules else None,
                "missed": row.missed + (row.name in schedules and row.is_late(at)),
            }
            for row in jobs
        ],
    }


def late_jobs(*, at: dt.datetime) -> list[str]:
    """Return the names of the jobs that are due, switched on, and have not begun."""
    return sorted(_current_schedules().keys() & set(Job.objects.late(at).values_list("name", flat=True)))


def hold_beat(*, holder: str, at: dt.datetime) -> bool:
    """Take or renew the lease on being the one scheduler; False while another holds it. One UPDATE decides."""
    BeatLease.objects.get_or_create(pk=1, defaults={"until": at})
    mine_or_free = BeatLease.objects.filter(Q(holder=holder) | Q(until__lte=at) | Q(until__gt=at + 2 * LEASE_FOR), pk=1)
    return bool(mine_or_free.update(holder=holder, until=at + LEASE_FOR))


def release_beat(*, holder: str, at: dt.datetime) -> None:
    """Give the lease back, so that the next scheduler need not wait for its end."""
    BeatLease.objects.filter(holder=holder).update(holder="", until=at)


def _current_schedule(name: str) -> Every | Cron | None:
    task = PeriodicTask.objects.select_related("interval", "crontab").filter(name=name, enabled=True).first()
    return _schedule_of(task) if task else None


def _current_schedules() -> dict[str, Every | Cron]:
    tasks = PeriodicTask.objects.select_related("interval", "crontab").filter(enabled=True)
    return {task.name: when for task in tasks if (when := _schedule_of(task))}


def _schedule_of(task: PeriodicTask) -> Every | Cron | None:
    if task.interval:
        return Every(dt.timedelta(**{task.interval.period: task.interval.every}))
    if (tab := task.crontab) is None:
        return None
    return Cron(
        minute=tab.minute,
        hour=tab.hour,
        day_of_week=tab.day_of_week,
        day_of_month=tab.day_of_month,
        month_of_year=tab.month_of_year,
        zone=str(tab.timezone),
    )


@transaction.atomic
def sync_schedule(entries: Sequence[Entry] = SCHEDULE, *, at: dt.datetime | None = None) -> list[str]:
    """Bring django-celery-beat to the table; returns the names it wrote.

    A job that an admin switched off stays off, one whose times an admin changed keeps them, one an admin deleted stays
    deleted (delete its `Job` row as well to get it back). Jobs that the code never wrote are left alone; those that it
    wrote and no longer has are taken away, or they would be late for ever.
    """
    _retire({entry.task for entry in entries})
    return [entry.task for entry in entries if _sync(entry, at or timezone.now())]


def _retire(kept: set[str]) -> None:
    """Take away jobs that an older table wrote; how they went before stays."""
    gone = Job.objects.exclude(schedule="").exclude(name__in=kept)
    PeriodicTask.objects.filter(name__in=gone.values("name")).delete()
    gone.update(schedule="", next_due_at=None)


def _sync(entry: Entry, at: dt.datetime) -> bool:
    row = Job.objects.select_for_update().get_or_create(name=entry.task)[0]
    task = PeriodicTask.objects.select_related("interval", "crontab").filter(name=entry.task).first()
    if task is None and row.schedule:
        return False
    if task is not None and row.schedule and str(_schedule_of(task)) != row.schedule:
        return False
    if task is not None and row.schedule == str(entry.when) and task.task == entry.task:
        return False
    PeriodicTask.objects.update_or_create(
        name=entry.task,
        defaults={"task": entry.task, "kwargs": json.dumps(entry.kwargs), **_beat_fields(entry)},
    )
    Job.objects.filter(pk=row.pk).update(schedule=str(entry.when), next_due_at=due_after(entry.when, at))
    return True


def _beat_fields(entry: Entry) -> dict[str, Any]:
    expires = int(entry.expires.total_seconds()) if entry.expires else None
    if isinstance(entry.when, Every):
        seconds = int(entry.when.interval.total_seconds())
        interval = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)[0]
        return {"interval": interval, "crontab": None, "expire_seconds": expires}
    crontab = CrontabSchedule.objects.get_or_create(
        minute=entry.when.minute,
        hour=entry.when.hour,
        day_of_week=entry.when.day_of_week,
        day_of_month=entry.when.day_of_month,
        month_of_year=entry.when.month_of_year,
        timezone=entry.when.zone,
    )[0]
    return {"interval": None, "crontab": crontab, "expire_seconds": expires}
