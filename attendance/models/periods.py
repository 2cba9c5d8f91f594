"""Pay periods: once locked their days never change, and what arrives late is listed for the next one."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from attendance.models.shifts import check_date
from factoryai.sites.models import Site
from factoryai.sites.querysets import ScopedQuerySet
from identity.models import Employee


class PayPeriod(models.Model):
    """Dates of a site that are paid together, both included; ``department`` empty means everybody."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        LOCKED = "locked", "locked"

    site = models.ForeignKey(Site, models.PROTECT, related_name="pay_periods")
    department = models.CharField(max_length=80, blank=True, help_text="Empty: everybody at the site.")
    first_date = models.DateField(validators=[check_date])
    last_date = models.DateField(validators=[check_date])
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    locked_at = models.DateTimeField(null=True, blank=True, editable=False)
    locked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    content_hash = models.CharField(max_length=64, blank=True, editable=False)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-first_date", "site", "department"]
        constraints = [
            models.CheckConstraint(condition=Q(last_date__gte=F("first_date")), name="period_ends_after_start"),
            models.UniqueConstraint(fields=["site", "department", "first_date"], name="one_period_per_start"),
        ]

    def __str__(self) -> str:
        who = self.department or "everybody"
        return f"{self.site}, {who}: {self.first_date} to {self.last_date}"

    def clean(self) -> None:
        if self.first_date and self.last_date and self.last_date < self.first_date:
            text = "A period does not end before it starts."
            raise ValidationError({"last_date": ValidationError(text, code="end_before_start")})

    @property
    def is_locked(self) -> bool:
        return self.state == self.State.LOCKED


class FrozenPayroll(models.Model):
    """The lines of a locked period's export, packed: renaming a person later does not change a paid payroll."""

    period = models.OneToOneField(PayPeriod, models.CASCADE, primary_key=True, related_name="frozen")
    content = models.BinaryField()

    def __str__(self) -> str:
        return f"payroll of {self.period}"


class PeriodStepQuerySet(ScopedQuerySet):
    site_path = "period__site"


class PeriodStep(models.Model):
    """One line of a period's history. Append-only."""

    period = models.ForeignKey(PayPeriod, models.PROTECT, related_name="steps")
    step = models.CharField(max_length=12)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)

    objects = PeriodStepQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.step} by {self.by}"


class AdjustmentQuerySet(ScopedQuerySet):
    site_path = "employee__site"


class Adjustment(models.Model):
    """What facts that came after the lock would have changed; paid or taken back with the period it is settled in."""

    employee = models.ForeignKey(Employee, models.PROTECT, related_name="adjustments")
    slot = models.CharField(max_length=100)
    shift_date = models.DateField()
    period = models.ForeignKey(PayPeriod, models.PROTECT, related_name="adjustments")
    before = models.JSONField(null=True, help_text="As it was locked, or as it was settled last.")
    after = models.JSONField(null=True, help_text="As it would be now.")
    worked_minutes = models.IntegerField(default=0)
    overtime_minutes = models.IntegerField(default=0)
    found_at = models.DateTimeField()
    settled_in = models.ForeignKey(PayPeriod, models.PROTECT, null=True, related_name="settled")

    objects = AdjustmentQuerySet.as_manager()

    class Meta:
        ordering = ["shift_date", "employee", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["employee", "slot"], condition=Q(settled_in__isnull=True), name="one_open_adjustment_per_slot"
            )
        ]

    def __str__(self) -> str:
        return f"{self.employee} on {self.shift_date}: {self.worked_minutes:+d} min"
