"""Punches, which are facts: never changed, never deleted. And the sources they come from."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from attendance.querysets import PunchQuerySet
from attendance.rules import matching
from factoryai.sites.models import Site
from factoryai.sites.querysets import ScopedQuerySet
from identity.models import Employee


class Source(models.Model):
    """Where punches come from. A required one holds a day back from being final until it has reported past it."""

    class Kind(models.TextChoices):
        CAMERA = "camera", "camera"
        DEVICE = "device", "device"
        API = "api", "API"
        MANUAL = "manual", "by hand"
        IMPORT = "import", "import"

    site = models.ForeignKey(Site, models.CASCADE, related_name="punch_sources")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind)
    is_required = models.BooleanField(
        "days wait for it", default=False, help_text="Absent is said only after this source has reported past the day."
    )
    reported_until = models.DateTimeField(null=True, blank=True, help_text="Nothing earlier is still to come.")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["site", "kind", "name"]
        verbose_name = "punch source"
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="one_source_per_name")]

    def __str__(self) -> str:
        return self.name


class Punch(models.Model):
    """One entry or exit as it was reported. ``offset_minutes`` is the site's offset from UTC at that instant.

    ``event_id`` is the sender's, or made of person, second and direction when it sends none: the same one again is the
    same fact.
    """

    class Direction(models.TextChoices):
        IN = matching.Direction.IN.value, "in"
        OUT = matching.Direction.OUT.value, "out"
        UNKNOWN = matching.Direction.UNKNOWN.value, "unknown"

    employee = models.ForeignKey(Employee, models.PROTECT, related_name="punches", db_index=False)
    at = models.DateTimeField()
    offset_minutes = models.SmallIntegerField()
    received_at = models.DateTimeField()
    source = models.ForeignKey(Source, models.PROTECT, related_name="punches", db_index=False)
    direction = models.CharField(max_length=8, choices=Direction, default=Direction.UNKNOWN)
    event_id = models.CharField(max_length=100)
    confidence = models.FloatField(null=True, blank=True, help_text="Of a face, 0 to 1.")
    is_doubtful = models.BooleanField(default=False, help_text="The recogniser was not sure.")
    snapshot = models.UUIDField(null=True, blank=True)
    place = models.CharField(max_length=80, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    objects = PunchQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name_plural = "punches"
        indexes = [
            models.Index(fields=["employee", "at"], name="punch_person_time"),
            models.Index(fields=["at"], name="punch_time"),
        ]
        constraints = [models.UniqueConstraint(fields=["source", "event_id"], name="one_punch_per_event")]

    def __str__(self) -> str:
        return f"{self.employee} {self.direction} {self.at:%Y-%m-%d %H:%M:%S} UTC"

    def as_rule(self) -> matching.Punch:
        direction = matching.Direction(self.direction)
        return matching.Punch(self.at, direction, self.place, self.pk, self.is_doubtful)


class SetAsideQuerySet(ScopedQuerySet):
    site_path = "punch__employee__site"


class SetAside(models.Model):
    """Why a punch does not count; derived like the day records. A punch without a row here counts."""

    class State(models.TextChoices):
        DUPLICATE = matching.PunchState.DUPLICATE.value, "duplicate"
        OFF_SHIFT = matching.PunchState.OFF_SHIFT.value, "off shift"
        SUPERSEDED = matching.PunchState.SUPERSEDED.value, "superseded"

    punch = models.OneToOneField(Punch, models.CASCADE, primary_key=True, related_name="set_aside")
    state = models.CharField(max_length=12, choices=State)
    reason = models.CharField(max_length=200)
    slot = models.CharField(max_length=100, blank=True)

    objects = SetAsideQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}"


class Closing(models.Model):
    """A person's word that everything up to an instant has been reported, whatever the sources say."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="closings")
    until = models.DateTimeField()
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        verbose_name = "closing by hand"
        verbose_name_plural = "closings by hand"

    def __str__(self) -> str:
        return f"{self.site} until {self.until:%Y-%m-%d %H:%M} UTC"


class Progress(models.Model):
    """From when attendance is kept at a site, and how far its days have been gone through for people without punches.

    ``kept_since`` is the date of the first punch: nobody is absent from a time before the cameras hung.
    """

    site = models.OneToOneField(Site, models.CASCADE, primary_key=True, related_name="attendance_progress")
    kept_since = models.DateField(null=True)
    finalised_until = models.DateField(null=True)

    def __str__(self) -> str:
        return f"{self.site} until {self.finalised_until}"
