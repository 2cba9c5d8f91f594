"""One row a job: when it last began and ended, what came of it, and when it is due."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models
from django.db.models import Q

from factoryai.sites.models import Site


class JobQuerySet(models.QuerySet):
    def late(self, at: dt.datetime) -> JobQuerySet:
        return self.filter(next_due_at__lt=at - LATE_AFTER)


LATE_AFTER = dt.timedelta(minutes=2)
"""A job that has not begun this long after it was due counts as missed: beat looks every 5 s, a busy worker waits."""


class Job(models.Model):
    """The heartbeat of a job. ``schedule`` is what the code last wrote, so that an admin's change is told from it."""

    class Result(models.TextChoices):
        OK = "ok", "Done"
        FAILED = "failed", "Failed"
        RUNNING = "running", "Running"

    name = models.CharField(max_length=100, unique=True)
    schedule = models.CharField(max_length=120, blank=True)
    last_started_at = models.DateTimeField(null=True, blank=True)
    last_finished_at = models.DateTimeField(null=True, blank=True)
    last_result = models.CharField(max_length=16, choices=Result, blank=True)
    last_summary = models.CharField(max_length=500, blank=True)
    last_error = models.CharField(max_length=2000, blank=True)
    next_due_at = models.DateTimeField(null=True, blank=True)
    runs = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    missed = models.PositiveIntegerField(default=0, help_text="Due times that passed without a run.")

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        indexes = [
            models.Index(fields=["next_due_at"], condition=Q(next_due_at__isnull=False), name="job_due"),
        ]

    def __str__(self) -> str:
        return self.name

    def is_late(self, at: dt.datetime) -> bool:
        """Whether it should have begun by ``at`` and has not."""
        return self.next_due_at is not None and self.next_due_at < at - LATE_AFTER


class Run(models.Model):
    """One run by a person's hand. ``site`` None means every site where the person is a manager."""

    class Result(models.TextChoices):
        WAITING = "waiting", "Waiting for a worker"
        RUNNING = "running", "Running"
        OK = "ok", "Done"
        FAILED = "failed", "Failed"

    job = models.CharField(max_length=100)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    site = models.ForeignKey(Site, models.CASCADE, null=True, related_name="+")
    day = models.DateField(null=True)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    result = models.CharField(max_length=8, choices=Result, default=Result.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0, help_text="0 while it is not known.")
    summary = models.CharField(max_length=500, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["-asked_at", "-pk"]
        indexes = [models.Index(fields=["by", "-asked_at"], name="run_by_whom")]

    def __str__(self) -> str:
        return f"{self.job} by {self.by} at {self.asked_at:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def is_over(self) -> bool:
        return self.result in (self.Result.OK, self.Result.FAILED)

    @property
    def share(self) -> int | None:
        """Per cent done; None while the whole is not known."""
        return min(100, 100 * self.done // self.total) if self.total else None


class BeatLease(models.Model):
    """The one row that says which scheduler may act, and until when unless it says so again."""

    holder = models.CharField(max_length=100, blank=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.holder or 'nobody'} until {self.until:%Y-%m-%d %H:%M:%S} UTC"
