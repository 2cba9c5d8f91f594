"""Which faces were seen, and whose they were."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from factoryai.sites.models import Site
from identity import rules
from identity.fields import SealedVectorField
from identity.models.people import Employee
from identity.models.snapshots import Snapshot
from identity.querysets import SightingQuerySet, UnknownFaceQuerySet
from streaming.models import Camera


class UnknownFace(models.Model):
    """A person nobody could name: sightings that resemble each other, waiting for somebody to say who it is.

    ``mean`` is the mean of the sightings' vectors. Nothing is learnt from it: a face is enrolled only by a person.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ASSIGNED = "assigned", "Assigned"
        VISITOR = "visitor", "Visitor"
        DISMISSED = "dismissed", "Dismissed"
        MERGED = "merged", "Merged"

    site = models.ForeignKey(Site, models.PROTECT, related_name="unknown_faces")
    mean = SealedVectorField(null=True)
    model_version = models.CharField(max_length=60)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    times_seen = models.PositiveIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    snapshot = models.ForeignKey(Snapshot, models.SET_NULL, null=True, related_name="+")
    employee = models.ForeignKey(Employee, models.SET_NULL, null=True, blank=True, related_name="unknown_faces")
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="merged_from")
    label = models.CharField(max_length=120, blank=True, help_text="For a visitor: who it was.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = UnknownFaceQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen_at", "-pk"]
        indexes = [models.Index(fields=["site", "state", "-last_seen_at"], name="unknown_list")]

    def __str__(self) -> str:
        return f"Unknown face {self.pk}"


class Sighting(models.Model):
    """One face seen by one camera on one passage, and who it was decided to be, with all that decided it."""

    class Outcome(models.TextChoices):
        KNOWN = rules.Outcome.KNOWN.value, "Known"
        REVIEW = rules.Outcome.REVIEW.value, "For review"
        UNKNOWN = rules.Outcome.UNKNOWN.value, "Unknown"

    class Review(models.TextChoices):
        NONE = "", "—"
        PENDING = "pending", "Pending"
        CONFIRMED = "confirmed", "Confirmed"
        REJECTED = "rejected", "Rejected"

    event_id = models.CharField(max_length=100, unique=True)
    site = models.ForeignKey(Site, models.PROTECT, related_name="sightings")
    camera = models.ForeignKey(Camera, models.SET_NULL, null=True, related_name="sightings")
    track = models.BigIntegerField()
    captured_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=Outcome)
    reason = models.CharField(max_length=40)
    employee = models.ForeignKey(
        Employee, models.SET_NULL, null=True, related_name="sightings", help_text="Who it is, or may be."
    )
    similarity = models.FloatField(null=True)
    second_similarity = models.FloatField(null=True)
    threshold = models.FloatField()
    engine = models.CharField(max_length=20)
    model_version = models.CharField(max_length=60)
    snapshot = models.ForeignKey(Snapshot, models.SET_NULL, null=True, related_name="sightings")
    unknown_face = models.ForeignKey(UnknownFace, models.SET_NULL, null=True, related_name="sightings")
    review = models.CharField(max_length=9, choices=Review, blank=True, default=Review.NONE)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = SightingQuerySet.as_manager()

    class Meta:
        ordering = ["-captured_at", "-pk"]
        indexes = [
            models.Index(fields=["site", "-captured_at"], name="sighting_list"),
            models.Index(fields=["employee", "-captured_at"], name="sighting_of_employee"),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} {self.captured_at:%Y-%m-%d %H:%M:%S} UTC"
