"""Asking for a punch to be added, replaced or taken out, and what became of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from attendance.models.punches import Punch
from factoryai.sites.querysets import ScopedQuerySet
from identity.models import Employee


class CorrectionQuerySet(ScopedQuerySet):
    site_path = "employee__site"

    def pending(self) -> CorrectionQuerySet:
        return self.filter(state=Correction.State.PENDING)


class Correction(models.Model):
    """A request; approved, it becomes a punch of its own or takes one out of the count. Nothing is edited."""

    class Kind(models.TextChoices):
        ADD = "add", "add a punch"
        REPLACE = "replace", "replace a punch"
        REMOVE = "remove", "take a punch out"

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        APPROVED = "approved", "approved"
        REFUSED = "refused", "refused"

    employee = models.ForeignKey(Employee, models.PROTECT, related_name="corrections")
    kind = models.CharField(max_length=8, choices=Kind)
    punch = models.ForeignKey(Punch, models.PROTECT, null=True, blank=True, related_name="corrections")
    at = models.DateTimeField(null=True, blank=True)
    direction = models.CharField(max_length=8, choices=Punch.Direction, default=Punch.Direction.UNKNOWN)
    reason = models.CharField(max_length=500)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=list, help_text="The day as it stood before the decision.")
    after = models.JSONField(default=list, help_text="The day as it stood after it.")

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-id"]
        indexes = [models.Index(fields=["state", "-asked_at"], name="correction_queue")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="add", punch__isnull=True, at__isnull=False)
                | Q(kind="replace", punch__isnull=False, at__isnull=False)
                | Q(kind="remove", punch__isnull=False, at__isnull=True),
                name="a_correction_says_what_it_needs",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.employee}"


class Supersession(models.Model):
    """A punch that a correction took out of the count, and the one that stands for it. At most one each."""

    punch = models.OneToOneField(Punch, models.PROTECT, primary_key=True, related_name="supersession")
    correction = models.ForeignKey(Correction, models.PROTECT, related_name="supersessions")
    replaced_by = models.ForeignKey(Punch, models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.punch} by {self.correction}"
