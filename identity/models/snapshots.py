"""Sealed pictures, how long they are kept, and what the purge did."""

from __future__ import annotations

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from factoryai.alerts.models import Alert
from factoryai.sites.models import Site
from factoryai.sites.querysets import ScopedQuerySet
from identity.querysets import SnapshotQuerySet
from streaming.models import Camera


class Snapshot(models.Model):
    """One sealed picture file. The row comes before the file and outlives it: what is deleted is still accounted for.

    The file's name follows from ``id`` alone, so no two rows ever share a file.
    """

    class Kind(models.TextChoices):
        ENROLMENT = "enrolment", "Enrolment"
        SIGHTING = "sighting", "Sighting"
        UNKNOWN = "unknown", "Unknown face"
        PLATE = "plate", "Number plate"

    class State(models.TextChoices):
        PENDING = "pending", "Being written"
        STORED = "stored", "Stored"
        DELETING = "deleting", "Being deleted"
        DELETED = "deleted", "Deleted"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    site = models.ForeignKey(Site, models.PROTECT, related_name="snapshots")
    camera = models.ForeignKey(Camera, models.SET_NULL, null=True, blank=True, related_name="snapshots")
    kind = models.CharField(max_length=10, choices=Kind)
    reason = models.CharField(max_length=120, help_text="Why it is kept.")
    captured_at = models.DateTimeField()
    created_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    size_bytes = models.PositiveBigIntegerField(default=0, help_text="Of the sealed file.")
    freed_bytes = models.PositiveBigIntegerField(default=0)
    deleted_at = models.DateTimeField(null=True, blank=True)
    is_held = models.BooleanField("held", default=False, help_text="Kept as evidence until it is released.")
    hold_reason = models.CharField(max_length=200, blank=True)
    alert = models.ForeignKey(Alert, models.SET_NULL, null=True, blank=True, related_name="snapshots")

    objects = SnapshotQuerySet.as_manager()

    class Meta:
        ordering = ["-captured_at", "-pk"]
        indexes = [
            models.Index(fields=["captured_at", "id"], condition=~Q(state="deleted"), name="snapshot_purge"),
            models.Index(fields=["site", "-captured_at"], name="snapshot_list"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.captured_at:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def file_name(self) -> str:
        return file_name_of(self.id)


class Retention(models.Model):
    """How many days the snapshots of one kind are kept at a site; `purge.DEFAULT_DAYS` where there is no row."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="retentions")
    kind = models.CharField(max_length=10, choices=Snapshot.Kind)
    days = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(3650)])

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["site", "kind"]
        constraints = [models.UniqueConstraint(fields=["site", "kind"], name="one_retention_per_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.days} days"


class PurgeRun(models.Model):
    """One run of the purge, refused ones included: what it did, and what the clock said."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    refusal = models.CharField(max_length=40, blank=True)
    planned = models.PositiveIntegerField(default=0)
    deleted = models.PositiveIntegerField(default=0)
    freed_bytes = models.PositiveBigIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} UTC: {self.refusal or f'{self.deleted} deleted'}"


def file_name_of(key: uuid.UUID) -> str:
    """Return the name of a snapshot's file inside the media place: ``ab/ab….sealed``, from its id alone."""
    return f"{key.hex[:2]}/{key}.sealed"
