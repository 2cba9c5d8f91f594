"""What was read at the gates, of which vehicle, and the visits that the reads make."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from factoryai.alerts.models import Alert
from factoryai.sites.models import Site
from identity.models import Snapshot
from streaming.models import Camera
from vehicles.querysets import PlateReadQuerySet, VehicleQuerySet, VisitQuerySet
from vehicles.rules import gate, lists, visits


class Vehicle(models.Model):
    """A plate that a site has met. Whoever records a read of it holds its row, so of two at once one is first."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="vehicles")
    match_key = models.CharField(max_length=64)
    plate = models.CharField(max_length=64)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    last_camera = models.ForeignKey(Camera, models.SET_NULL, null=True, related_name="+")

    objects = VehicleQuerySet.as_manager()

    class Meta:
        ordering = ["-last_seen_at"]
        constraints = [models.UniqueConstraint(fields=["site", "match_key"], name="one_vehicle_per_key")]
        indexes = [models.Index(fields=["match_key"], name="vehicle_key")]

    def __str__(self) -> str:
        return self.plate


class Visit(models.Model):
    """A vehicle's stay, made of its reads by `vehicles.rules.visits`; at most one is open at a time."""

    class State(models.TextChoices):
        OPEN = visits.State.OPEN.value, "Inside"
        LEFT = visits.State.LEFT.value, "Left"
        NO_EXIT = visits.State.NO_EXIT.value, "No exit seen"
        WITHDRAWN = visits.State.WITHDRAWN.value, "Withdrawn"

    site = models.ForeignKey(Site, models.CASCADE, related_name="visits")
    vehicle = models.ForeignKey(Vehicle, models.CASCADE, related_name="visits")
    match_key = models.CharField(max_length=64)
    plate = models.CharField(max_length=64)
    direction = models.CharField(max_length=3, blank=True, help_text="In which direction it was first seen.")
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    began_at = models.DateTimeField(help_text="Time of its first read.")
    entered_at = models.DateTimeField(null=True, blank=True, help_text="Empty when no entry was seen.")
    last_seen_at = models.DateTimeField()
    exited_at = models.DateTimeField(null=True, blank=True)
    reads_count = models.PositiveIntegerField(default=0)
    is_certain = models.BooleanField(default=False, help_text="At least one accepted read says so.")
    level = models.CharField(max_length=20, blank=True, help_text="How surely it is a blocked vehicle.")
    alert = models.ForeignKey(Alert, models.SET_NULL, null=True, blank=True, related_name="+")
    alerted_at = models.DateTimeField(null=True, blank=True)
    watched_at = models.DateTimeField(null=True, blank=True)

    objects = VisitQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["vehicle"], condition=Q(state="open"), name="one_open_visit_per_vehicle")
        ]
        indexes = [
            models.Index(fields=["site", "-began_at"], name="visit_list"),
            models.Index(fields=["site", "last_seen_at"], condition=Q(state="open"), name="visit_open"),
        ]

    def __str__(self) -> str:
        return f"{self.plate} · {self.began_at:%Y-%m-%d %H:%M} UTC"

    @property
    def stay(self) -> visits.Stay:
        return visits.Stay(self.direction, self.entered_at, self.last_seen_at, self.exited_at)

    @property
    def dwell_s(self) -> int | None:
        """Whole seconds from entry to exit, None while either was not seen."""
        dwell = self.stay.dwell
        return None if dwell is None else int(dwell.total_seconds())


class PlateRead(models.Model):
    """One line of the vehicle log: what a camera or a device read, and what the gate made of it.

    ``raw`` is the text as read with everything invisible written out, ``text`` its letters and digits, ``plate`` the
    plate that it is taken for, empty when it is none. ``counts``: it makes visits.
    """

    class Verdict(models.TextChoices):
        VALID = gate.Verdict.VALID.value, "Valid"
        CORRECTED = gate.Verdict.CORRECTED.value, "Corrected"
        REVIEW = gate.Verdict.REVIEW.value, "Doubtful"
        INVALID = gate.Verdict.INVALID.value, "No plate"

    class Decision(models.TextChoices):
        OPEN = lists.Decision.OPEN.value, "Open"
        HOLD = lists.Decision.HOLD.value, "Hold"
        BLOCK = lists.Decision.BLOCK.value, "Block"

    class Review(models.TextChoices):
        NONE = "", "—"
        PENDING = "pending", "Waiting"
        ACCEPTED = "accepted", "Accepted"
        CORRECTED = "corrected", "Corrected"
        DISCARDED = "discarded", "Discarded"
        SUPERSEDED = "superseded", "Settled by a better read"

    site = models.ForeignKey(Site, models.CASCADE, related_name="plate_reads")
    camera = models.ForeignKey(Camera, models.SET_NULL, null=True, related_name="plate_reads")
    source = models.CharField(max_length=80)
    event_id = models.CharField(max_length=100)
    track = models.CharField(max_length=100, blank=True)
    captured_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    direction = models.CharField(max_length=3, blank=True)
    raw = models.CharField(max_length=64)
    text = models.CharField(max_length=64, blank=True)
    plate = models.CharField(max_length=64, blank=True)
    match_key = models.CharField(max_length=64, blank=True)
    family = models.CharField(max_length=40, blank=True)
    confidence = models.FloatField()
    characters = models.JSONField(default=list, blank=True)
    candidates = models.JSONField(default=list, blank=True)
    agreeing_reads = models.PositiveIntegerField(default=1)
    is_final = models.BooleanField(default=True)
    box = models.JSONField(default=list, blank=True)
    verdict = models.CharField(max_length=9, choices=Verdict)
    accepted = models.BooleanField()
    reasons = models.JSONField(default=list)
    corrected_positions = models.JSONField(default=list, blank=True)
    decision = models.CharField(max_length=5, choices=Decision)
    why = models.CharField(max_length=20, blank=True, help_text="Code: why the gate was held.")
    level = models.CharField(max_length=20, blank=True)
    listed = models.JSONField(default=dict, blank=True, help_text="The entry it met, as it stood then.")
    vehicle = models.ForeignKey(Vehicle, models.SET_NULL, null=True, blank=True, related_name="reads")
    visit = models.ForeignKey(Visit, models.SET_NULL, null=True, blank=True, related_name="reads")
    counts = models.BooleanField(default=False)
    snapshot = models.ForeignKey(Snapshot, models.SET_NULL, null=True, blank=True, related_name="+")
    review = models.CharField(max_length=10, choices=Review, blank=True, default=Review.NONE)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="reviewed_plates"
    )

    objects = PlateReadQuerySet.as_manager()

    class Meta:
        ordering = ["-captured_at", "-pk"]
        verbose_name = "plate read"
        constraints = [models.UniqueConstraint(fields=["source", "event_id"], name="one_plate_read_per_event")]
        indexes = [
            models.Index(fields=["site", "-captured_at"], name="plate_log"),
            models.Index(fields=["source", "track", "captured_at"], name="plate_track"),
            models.Index(fields=["vehicle", "captured_at"], condition=Q(counts=True), name="plate_of_visits"),
            models.Index(fields=["site", "-captured_at"], condition=Q(review="pending"), name="plate_review"),
            models.Index(fields=["match_key", "-captured_at"], name="plate_key"),
        ]

    def __str__(self) -> str:
        return self.plate or self.text or self.raw
