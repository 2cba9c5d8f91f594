"""Jobs about the jobs and the logins themselves."""

from __future__ import annotations

import datetime as dt
import logging

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from factoryai.jobs.models import Run
from factoryai.jobs.runs import TASK, perform_run
from factoryai.jobs.services import job
from factoryai.rest import Refusal

log = logging.getLogger(__name__)

LOGINS_KEPT_FOR = dt.timedelta(days=90)


@job("jobs.heartbeat")
def heartbeat() -> str:
    """Show that the scheduler reaches a worker."""
    return "The scheduler reaches a worker."


@shared_task(name=TASK)
def run_by_hand(run: int) -> None:
    """Run what a person asked for, unless it is done; its row says how it went."""
    wanted = Run.objects.select_related("by", "site").filter(pk=run, finished_at=None).first()
    if wanted is None:
        return
    try:
        perform_run(run=wanted, at=timezone.now())
    except Refusal as refusal:
        log.info("Run %s of %s was refused: %s", run, wanted.job, refusal)


@job("jobs.clear_old_logins")
def clear_old_logins() -> dict[str, int]:
    """Delete ended sessions and the log of logins older than 90 days."""
    call_command("clearsessions")
    before = timezone.now() - LOGINS_KEPT_FOR
    logs = (AccessAttempt, AccessFailureLog, AccessLog)
    return {"login_records": sum(model.objects.filter(attempt_time__lt=before).delete()[0] for model in logs)}
