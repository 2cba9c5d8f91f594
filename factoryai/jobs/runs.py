"""Running a job by hand: for the sites of a manager, written down, with its progress. Twice does no harm."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError as NoBroker

from factoryai.jobs.models import Run
from factoryai.jobs.services import BY_HAND, ByHand, Outcome, Progress, Wish, run_job
from factoryai.rest import NotFound, Refusal
from factoryai.sites.models import Role, Site

log = logging.getLogger(__name__)

TASK = "jobs.run_by_hand"
MANAGERS = (Role.MANAGER,)
GIVEN_UP_AFTER = timedelta(minutes=35)
"""Longer than a task may take: by then its worker is gone, and the job may be asked for again."""
NOTED_EVERY_S = 0.3
YEARS = range(2000, 2100)
"""Days at the ends of the calendar have no instant in zones east or west of Greenwich."""


def jobs_by_hand() -> Mapping[str, ByHand]:
    """Return every job that can be run by hand, by name."""
    current_app.loader.import_default_modules()
    return BY_HAND


def sites_of(user: Any, slug: str | None) -> QuerySet[Site]:
    """Return the sites a run by ``user`` touches. Raises `Refusal` for one where the user is no manager."""
    mine = Site.objects.visible_to(user, MANAGERS)
    if slug is None:
        return mine
    if not Site.objects.visible_to(user).filter(slug=slug).exists():
        raise Refusal("does_not_exist", f"There is no site {slug}.", 400, {"site": "Unknown."})
    if not mine.filter(slug=slug).exists():
        raise Refusal("permission_denied", "Your role at this site does not allow it.", 403)
    return mine.filter(slug=slug)


def ask_run(*, name: str, by: Any, slug: str | None = None, day: date | None = None, at: datetime) -> Run:
    """Write down that ``by`` wants a job to run. Raises `Refusal` for an unknown job, a site of others, or a day that
    no calendar of a factory has."""
    if name not in jobs_by_hand():
        raise NotFound(f"There is no job {name}.")
    if day and day.year not in YEARS:
        raise Refusal("bad_date", "Write a day from 2000 to 2099.", 400, {"for": "Write a day from 2000 to 2099."})
    site = sites_of(by, slug).first() if slug else None
    return Run.objects.create(job=name, by=by, site=site, day=day, asked_at=at)


def send_run(*, name: str, by: Any, slug: str | None = None, day: date | None = None, at: datetime) -> Run:
    """Have a worker run a job. The same wish that is still on its way is not sent again."""
    same = Run.objects.filter(
        job=name, by=by, site__slug=slug, day=day, finished_at=None, asked_at__gt=at - GIVEN_UP_AFTER
    )
    if found := same.first():
        return found
    run = ask_run(name=name, by=by, slug=slug, day=day, at=at)
    transaction.on_commit(lambda: _send(run))
    return run


def _send(run: Run) -> None:
    try:
        current_app.send_task(TASK, args=[run.pk], retry=False)
    except NoBroker:
        log.warning("Run %s could not be handed to a worker", run.pk, exc_info=True)
        _finish(run, Run.Result.FAILED, error="The queue of jobs does not answer. Try again in a moment.")


def perform_run(*, run: Run, at: datetime) -> Outcome:
    """Run what was asked for and return what it did, as far as the person may know it; raises what the job raises."""
    hand = jobs_by_hand()[run.job]
    Run.objects.filter(pk=run.pk).update(result=Run.Result.RUNNING, started_at=at)
    sites = list(sites_of(run.by, run.site.slug if run.site else None))
    wish = Wish(sites, at, run.by, run.day, _noting(run))
    try:
        is_whole = not hand.is_scoped or (run.site is None and sees_all(run.by))
        outcome = run_job(run.job, lambda: hand.run(wish), is_due=is_whole)
    except Refusal as refusal:
        _finish(run, Run.Result.FAILED, error=refusal.message)
        raise
    except Exception as error:
        _finish(run, Run.Result.FAILED, error=f"{type(error).__name__}. The log of the server says more.")
        raise
    told = outcome if hand.is_scoped or sees_all(run.by) else "Done, for all sites."
    _finish(run, Run.Result.OK, summary=told if isinstance(told, str) else in_words(told))
    return told


def sees_all(user: Any) -> bool:
    """Whether ``user`` manages every open site, so that figures over all of them are no secret."""
    mine = Site.objects.visible_to(user, MANAGERS)
    return not Site.objects.filter(is_active=True).exclude(pk__in=mine.values("pk")).exists()


def in_words(counts: Mapping[str, Any] | None) -> str:
    """Write counts as a person reads them."""
    if not counts:
        return "Nothing to do."
    return ", ".join(
        f"{name}: {json.dumps(value, default=str) if isinstance(value, dict | list) else value}"
        for name, value in counts.items()
    )


def _noting(run: Run) -> Progress:
    """Write progress down a few times a second, however often it is told."""
    noted = float("-inf")

    def note(done: int, total: int) -> None:
        nonlocal noted
        if done < total and time.monotonic() - noted < NOTED_EVERY_S:
            return
        noted = time.monotonic()
        Run.objects.filter(pk=run.pk).update(done=max(done, 0), total=max(done, total, 0))

    return note


def _finish(run: Run, result: str, *, summary: str = "", error: str = "") -> None:
    Run.objects.filter(pk=run.pk).update(
        result=result, finished_at=timezone.now(), summary=summary[:500], error=error[:500]
    )
