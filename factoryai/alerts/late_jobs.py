"""An alert at every site while a job that was due has not run.

It is looked for by a job, and by the web process as well: with the scheduler or the workers gone, no job says so.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime

from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from factoryai.alerts.models import Alert, Severity
from factoryai.alerts.services import close_alert, raise_alert
from factoryai.jobs.services import late_jobs
from factoryai.sites.models import Site

log = logging.getLogger(__name__)

KEY = "jobs-late"
LOOKS_EVERY_S = 60.0
FIRST_LOOK_S = 180.0
"""Longer than a scheduler that starts together with the web process takes to begin what became due overnight."""


def watch_jobs(*, at: datetime) -> int:
    """Raise one alert a site while jobs are late, close it when all have caught up; return how many are late."""
    late = late_jobs(at=at)
    for site in Site.objects.filter(is_active=True):
        is_open = Alert.objects.still_open().filter(site=site, key=KEY).exists()
        if late and not is_open:
            raise_alert(
                site=site, kind="job_missed", severity=Severity.WARNING, key=KEY, at=at, title="A job has not run",
                detail=f"Due and not begun: {_named(late)}. Look at the scheduler page; sums catch up alone, "
                "a drift reset asks.",
            )  # fmt: skip
        elif is_open and not late:
            close_alert(site=site, key=KEY, at=at, note="All jobs have run.")
    return len(late)


def _named(late: list[str], most: int = 8) -> str:
    rest = f" and {len(late) - most} more" if len(late) > most else ""
    return ", ".join(late[:most]) + rest


class Watchman(threading.Thread):
    """Looks for late jobs once a minute for as long as the process lives; a database that is away is asked again."""

    def __init__(self, *, first_s: float = FIRST_LOOK_S, every_s: float = LOOKS_EVERY_S) -> None:
        super().__init__(name="watchman", daemon=True)
        self._first_s, self._every_s = first_s, every_s
        self._stopped = threading.Event()

    def run(self) -> None:
        wait_s = self._first_s
        while not self._stopped.wait(wait_s):
            self._look()
            wait_s = self._every_s

    def stop(self) -> None:
        self._stopped.set()

    @staticmethod
    def _look() -> None:
        close_old_connections()
        try:
            watch_jobs(at=timezone.now())
        except DatabaseError:
            log.warning("Could not look for late jobs", exc_info=True)
        finally:
            close_old_connections()
