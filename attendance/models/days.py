"""Day records, derived from facts and rebuilt at will; the flags on them; and what people decided about those."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import models

from attendance.models.shifts import LeavePart, ShiftVersion
from attendance.querysets import DayRecordQuerySet, FlagQuerySet
from attendance.rules import days as rules
from attendance.rules.flags import FlagKind
from attendance.rules.limits import Limit
from factoryai.sites.models import Site
from factoryai.sites.querysets import ScopedQuerySet
from identity.models import Employee


class Review(models.TextChoices):
    PENDING = "pending", "waiting"
    EXCUSED = "excused", "excused"
    CONFIRMED = "confirmed", "confirmed"


class Kind(models.TextChoices):
    LATE = FlagKind.LATE.value, "late"
    EARLY_EXIT = FlagKind.EARLY_EXIT.value, "early exit"
    MISSING_OUT = FlagKind.MISSING_OUT.value, "no exit"
    MISSING_IN = FlagKind.MISSING_IN.value, "no entry"
    OFF_SHIFT = FlagKind.OFF_SHIFT.value, "off shift"
    LOW_CONFIDENCE = FlagKind.LOW_CONFIDENCE.value, "low confidence"
    AUTO_CLOSED = FlagKind.AUTO_CLOSED.value, "closed by itself"
    LATES_HALF_DAY = FlagKind.LATES_HALF_DAY.value, "half day for lates"
    WORKED_ON_LEAVE = FlagKind.WORKED_ON_LEAVE.value, "worked on leave"
    ABSENT_HALF = FlagKind.ABSENT_HALF.value, "absent for half"


def hours(minutes: int) -> str:
    """Return minutes as people read working time: 8:05."""
    return f"{minutes // 60}:{minutes % 60:02}"


class DayRecord(models.Model):
    """One shift of one person on one date, or a date without one.

    ``slot`` names it among the person's records whatever is rebuilt: the date and the shift, or the date and ``-``.
    ``digest`` is of everything derived. Minutes are whole and rounded down. Foreign keys without an index of their own
    are led by another one, or never asked for: a month of a large factory writes 155,000 rows.
    """

    class State(models.TextChoices):
        LIVE = rules.State.LIVE.value, "live"
        PROVISIONAL = rules.State.PROVISIONAL.value, "provisional"
        FINAL = rules.State.FINAL.value, "final"
        LOCKED = "locked", "locked"

    class Status(models.TextChoices):
        PRESENT = rules.Status.PRESENT.value, "present"
        HALF_DAY = rules.Status.HALF_DAY.value, "half day"
        ABSENT = rules.Status.ABSENT.value, "absent"
        HOLIDAY = rules.Status.HOLIDAY.value, "holiday"
        WEEK_OFF = rules.Status.WEEK_OFF.value, "week off"
        ON_LEAVE = rules.Status.ON_LEAVE.value, "on leave"

    site = models.ForeignKey(Site, models.PROTECT, related_name="day_records", db_index=False)
    employee = models.ForeignKey(Employee, models.PROTECT, related_name="day_records", db_index=False)
    slot = models.CharField(max_length=100)
    version = models.ForeignKey(ShiftVersion, models.PROTECT, null=True, related_name="+", db_index=False)
    shift_date = models.DateField()
    state = models.CharField(max_length=12, choices=State)
    status = models.CharField(max_length=10, choices=Status, blank=True)
    leave = models.CharField(max_length=12, choices=LeavePart, blank=True, help_text="How much of the day is leave.")
    starts_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    closes_at = models.DateTimeField(help_text="When the last punch can still belong to it.")
    first_in = models.DateTimeField(null=True)
    last_out = models.DateTimeField(null=True)
    worked_minutes = models.PositiveIntegerField(default=0)
    scheduled_minutes = models.PositiveIntegerField(default=0)
    after_start_s = models.PositiveIntegerField(default=0)
    past_grace_minutes = models.PositiveIntegerField(default=0)
    grace_used_minutes = models.PositiveIntegerField(default=0)
    early_exit_minutes = models.PositiveIntegerField(default=0)
    overtime_minutes = models.PositiveIntegerField(default=0)
    spans = models.JSONField(default=list, help_text="Paid stretches, as pairs of UTC instants.")
    overtime = models.JSONField(default=list)
    shares = models.JSONField(default=dict, help_text="Minutes by date, when the shift is cut at midnight.")
    digest = models.CharField(max_length=32)
    period = models.ForeignKey(
        "attendance.PayPeriod",
        models.PROTECT,
        null=True,
        related_name="days",
        db_index=False,
        help_text="The one it is locked with.",
    )

    objects = DayRecordQuerySet.as_manager()

    class Meta:
        ordering = ["-shift_date", "-id"]
        indexes = [
            models.Index(fields=["site", "-shift_date", "-id"], name="day_site_date"),
            models.Index(fields=["employee", "shift_date"], name="day_person_date"),
            models.Index(fields=["period"], condition=models.Q(period__isnull=False), name="day_of_period"),
            models.Index(
                fields=["closes_at"], condition=models.Q(state__in=["live", "provisional"]), name="day_still_open"
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["employee", "slot"], name="one_record_per_slot")]

    def __str__(self) -> str:
        return f"{self.employee} on {self.shift_date}"

    @property
    def after_start_minutes(self) -> int:
        return self.after_start_s // 60

    @property
    def worked_hours(self) -> str:
        return hours(self.worked_minutes)

    @property
    def overtime_hours(self) -> str:
        return hours(self.overtime_minutes)

    @property
    def hours_by_date(self) -> str:
        """Where the shift is cut at midnight, the worked time of each date: ``Mon 2 Mar 2:01, Tue 3 Mar 6:02``."""
        shares = sorted((date.fromisoformat(day), minutes) for day, minutes in self.shares.items())
        return ", ".join(f"{day:%a} {day.day} {day:%b} {hours(minutes)}" for day, minutes in shares)

    @property
    def shift_name(self) -> str | None:
        return self.version.shift.name if self.version_id else None


class Flag(models.Model):
    """One thing for HR to look at. A decision holds as long as the facts it was about: see ``digest``."""

    day = models.ForeignKey(DayRecord, models.CASCADE, related_name="flags", db_index=False)
    site = models.ForeignKey(Site, models.CASCADE, related_name="+", db_index=False)
    shift_date = models.DateField()
    kind = models.CharField(max_length=16, choices=Kind)
    minutes = models.PositiveIntegerField(default=0)
    rule = models.CharField(max_length=80)
    why = models.TextField()
    inputs = models.JSONField(default=dict)
    digest = models.CharField(max_length=32)
    review = models.CharField(max_length=10, choices=Review, default=Review.PENDING)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    reviewed_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)

    objects = FlagQuerySet.as_manager()

    class Meta:
        ordering = ["-shift_date", "-id"]
        verbose_name_plural = "flags to review"
        indexes = [
            models.Index(fields=["site", "review", "-shift_date", "-id"], name="flag_queue"),
            models.Index(fields=["-shift_date", "-id"], name="flag_by_date"),
        ]
        constraints = [models.UniqueConstraint(fields=["day", "kind"], name="one_flag_per_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.day}"

    @property
    def seen_at(self) -> datetime | None:
        """The punch that the flag is about: the exit, the stray or doubtful one, else the first entry."""
        if self.kind in (Kind.EARLY_EXIT, Kind.MISSING_IN):
            return self.day.last_out
        if punches := self.inputs.get("punches"):
            return datetime.fromisoformat(punches[0])
        return self.day.first_in


class DecisionQuerySet(ScopedQuerySet):
    site_path = "employee__site"


class Decision(models.Model):
    """What a person decided about a flag, when, why, and about which facts. Append-only."""

    employee = models.ForeignKey(Employee, models.PROTECT, related_name="decisions")
    slot = models.CharField(max_length=100)
    shift_date = models.DateField()
    kind = models.CharField(max_length=16, choices=Kind)
    digest = models.CharField(max_length=32)
    why = models.TextField(help_text="The explanation as it stood when this was decided.")
    decision = models.CharField(max_length=10, choices=Review)
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["employee", "slot", "kind"], name="decision_flag")]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.by}"


class LimitWarning(models.Model):
    """One limit of the law that a person's hours passed. It changes no pay."""

    class Passed(models.TextChoices):
        DAILY_HOURS = Limit.DAILY_HOURS.value, "hours in a day"
        WEEKLY_HOURS = Limit.WEEKLY_HOURS.value, "hours in a week"
        REST_INTERVAL = Limit.REST_INTERVAL.value, "work without a rest"
        SPREAD_OVER = Limit.SPREAD_OVER.value, "spread of the day"
        WEEKLY_HOLIDAY = Limit.WEEKLY_HOLIDAY.value, "days without one off"
        DAILY_REST = Limit.DAILY_REST.value, "rest between days"

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="limit_warnings")
    site = models.ForeignKey(Site, models.CASCADE, related_name="+")
    date = models.DateField()
    limit = models.CharField(max_length=16, choices=Passed)
    by_minutes = models.PositiveIntegerField()
    why = models.CharField(max_length=300)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-date", "employee"]
        constraints = [models.UniqueConstraint(fields=["employee", "date", "limit"], name="one_warning_per_limit")]

    def __str__(self) -> str:
        return f"{self.employee}: {self.why}"


class DirtyDay(models.Model):
    """Dates of a person whose inputs changed. Written with the change, deleted with the rebuild that saw it.

    Rows are never merged: a rebuild deletes only those it read, so that a change during it is not lost.
    """

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="+")
    first_date = models.DateField()
    last_date = models.DateField()
    noted_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.employee_id}: {self.first_date} to {self.last_date}"


def describe(record: DayRecord, shift: str | None) -> dict[str, Any]:
    """Return what matters of a record for pay, as JSON: what an adjustment and a correction compare."""
    return {
        "shift": shift,
        "status": record.status,
        "leave": record.leave,
        "first_in": record.first_in.isoformat() if record.first_in else None,
        "last_out": record.last_out.isoformat() if record.last_out else None,
        "worked_minutes": record.worked_minutes,
        "overtime_minutes": record.overtime_minutes,
        "after_start_minutes": record.after_start_minutes,
        "early_exit_minutes": record.early_exit_minutes,
    }
