"""Jobs about the jobs and the logins themselves."""

from __future__ import annotations

import datetime as dt

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.core.management import call_command
from django.utils import timezone

from factoryai.jobs.services import job

LOGINS_KEPT_FOR = dt.timedelta(days=90)


@job("jobs.heartbeat")
def heartbeat() -> str:
    return "The scheduler reaches a worker."


@job("jobs.clear_old_logins")
def clear_old_logins() -> dict[str, int]:
    """Delete ended sessions and the log of logins older than 90 days."""
    call_command("clearsessions")
    before = timezone.now() - LOGINS_KEPT_FOR
    logs = (AccessAttempt, AccessFailureLog, AccessLog)
    return {"login_records": sum(model.objects.filter(attempt_time__lt=before).delete()[0] for model in logs)}
