"""An alert at every site while a job that was due has not run."""

from __future__ import annotations

from datetime import datetime

from factoryai.alerts.models import Alert, Severity
from factoryai.alerts.services import close_alert, raise_alert
from factoryai.jobs.services import late_jobs
from factoryai.sites.models import Site
from occupancy.models import Zone

KEY = "jobs-late"


def watch_jobs(*, at: datetime) -> int:
    """Raise one alert a site while jobs are late, close it when all have caught up; return how many are late."""
    late = late_jobs(at=at)
    for site in Site.objects.filter(is_active=True, pk__in=Zone.objects.values("site")):
        is_open = Alert.objects.still_open().filter(site=site, key=KEY).exists()
        if late and not is_open:
            raise_alert(
                site=site, kind="job_missed", severity=Severity.WARNING, key=KEY, at=at, title="A job has not run",
                detail=f"Due and not begun: {', '.join(late)}. Look at the scheduler page; sums catch up alone, "
                "a drift reset asks.",
            )  # fmt: skip
        elif is_open and not late:
            close_alert(site=site, key=KEY, at=at, note="All jobs have run.")
    return len(late)
