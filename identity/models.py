"""Who works here, by which photos they are known, and which faces were seen."""

from __future__ import annotations

import uuid
from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from factoryai.alerts.models import Alert
from factoryai.sites.models import Site
from factoryai.sites.querysets import ScopedQuerySet
from identity import rules
from identity.fields import SealedVectorField
from identity.querysets import (
    CameraFacesQuerySet,
    ConsentQuerySet,
    EmployeeQuerySet,
    FaceQuerySet,
    RemoteFaceQuerySet,
    SightingQuerySet,
    SnapshotQuerySet,
    UnknownFaceQuerySet,
)
from streaming.models import Camera


class Employee(models.Model):
    """A person who is paid by a site. ``left_date`` is the last day of work; nobody is deleted who has records."""

    site = models.ForeignKey(Site, models.PROTECT, related_name="employees")
    code = models.CharField(max_length=40, help_text="The number on the badge or the payroll; unique at the site.")
    name = models.CharField(max_length=120)
    department = models.CharField(max_length=80, blank=True, db_index=True)
    joined_date = models.DateField(null=True, blank=True)
    left_date = models.DateField(null=True, blank=True, help_text="The last day of work.")
    is_active = models.BooleanField(default=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="employee",
        help_text="The person's own login, if any: nobody decides about their own record.",
    )

    objects = EmployeeQuerySet.as_manager()

    class Meta:
        ordering = ["site", "code"]
        constraints = [
            models.UniqueConstraint(fields=["site", "code"], name="one_employee_per_code"),
            models.CheckConstraint(
                condition=Q(left_date__isnull=True) | Q(joined_date__isnull=True) | Q(left_date__gte=F("joined_date")),
                name="nobody_leaves_before_joining",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.code})"

    def clean(self) -> None:
        if self.joined_date and self.left_date and self.left_date < self.joined_date:
            raise ValidationError(
                {"left_date": ValidationError("Nobody leaves before joining.", code="end_before_start")}
            )

    @property
    def has_withdrawn(self) -> bool:
        """Whether a ground for knowing the person by the face was recorded, and none is in force any more."""
        grounds = list(self.consents.values_list("withdrawn_at", flat=True))
        return bool(grounds) and None not in grounds

    def works_on(self, day: date) -> bool:
        """Whether the person is employed on ``day``, by the dates alone."""
        return (self.joined_date or day) <= day <= (self.left_date or day)


class Consent(models.Model):
    """On what ground a person's face is used, and since when; recorded before the first photo, never overwritten.

    A withdrawal names the method that takes the face's place, so that attendance goes on.
    """

    class Basis(models.TextChoices):
        CONSENT = "consent", "Consent"
        EMPLOYMENT = "employment", "Purpose of employment"

    class Method(models.TextChoices):
        BADGE = "badge", "Badge"
        PIN = "pin", "PIN"
        MANUAL = "manual", "Manual entry"

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="consents")
    basis = models.CharField(max_length=12, choices=Basis)
    notice_version = models.CharField(max_length=40, help_text="Which text the person was given.")
    given_date = models.DateField(help_text="When the person was told, or agreed.")
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    other_method = models.CharField("instead of the face", max_length=8, choices=Method, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["-recorded_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["employee"], condition=Q(withdrawn_at__isnull=True), name="one_ground_in_force"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_basis_display()}, notice {self.notice_version}, {self.given_date}"


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


class Face(models.Model):
    """One enrolled photo of a person: its sealed vector, and the snapshot it was taken from.

    The vector is always the local engine's, so that faces are still known when a service elsewhere does not answer.
    """

    class Source(models.TextChoices):
        UPLOAD = "upload", "Upload"
        CAMERA = "camera", "Camera"
        UNKNOWN = "unknown", "Unknown face"

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="faces")
    embedding = SealedVectorField()
    engine = models.CharField(max_length=20)
    model_version = models.CharField(max_length=60)
    snapshot = models.OneToOneField(Snapshot, models.PROTECT, related_name="face")
    source = models.CharField(max_length=8, choices=Source, default=Source.UPLOAD)
    quality = models.FloatField(help_text="0–1: how well the photo serves recognition.")
    width_px = models.FloatField()
    sharpness = models.FloatField()
    brightness = models.FloatField()
    turn = models.FloatField()
    added_at = models.DateTimeField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = FaceQuerySet.as_manager()

    class Meta:
        ordering = ["employee", "pk"]

    def __str__(self) -> str:
        return f"{self.employee} · {self.added_at:%Y-%m-%d}"


class RemoteFace(models.Model):
    """What a service elsewhere keeps for an enrolled face. A row that is to go stays until the service says it went."""

    class State(models.TextChoices):
        PRESENT = "present", "Enrolled there"
        DELETING = "deleting", "To be deleted there"

    site = models.ForeignKey(Site, models.PROTECT, related_name="remote_faces")
    face = models.ForeignKey(Face, models.SET_NULL, null=True, related_name="remote_faces")
    collection = models.CharField(max_length=255)
    remote_id = models.CharField(max_length=64)
    person = models.CharField(max_length=64, help_text="The employee's number here.")
    model_version = models.CharField(max_length=20)
    state = models.CharField(max_length=8, choices=State, default=State.PRESENT)
    added_at = models.DateTimeField()

    objects = RemoteFaceQuerySet.as_manager()

    class Meta:
        ordering = ["collection", "remote_id"]
        constraints = [models.UniqueConstraint(fields=["collection", "remote_id"], name="one_row_per_remote_face")]

    def __str__(self) -> str:
        return f"{self.collection}/{self.remote_id}"


class GalleryVersion(models.Model):
    """Counts the changes of a site's enrolled faces; processes compare it with what they hold in memory."""

    site = models.OneToOneField(Site, models.CASCADE, primary_key=True, related_name="gallery_version")
    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.site}: {self.number}"


class CameraFaces(models.Model):
    """What one camera asks of a face; the defaults hold for a camera without a row."""

    class Liveness(models.TextChoices):
        OFF = "off", "Not looked at"
        REVIEW = "review", "A still or framed face goes to review"

    camera = models.OneToOneField(Camera, models.CASCADE, primary_key=True, related_name="face_policy")
    min_width_px = models.FloatField(default=40, validators=[MinValueValidator(20), MaxValueValidator(1000)])
    resight_s = models.FloatField(
        "re-sighting interval (s)", default=20, validators=[MinValueValidator(0), MaxValueValidator(86_400)]
    )
    liveness = models.CharField(max_length=8, choices=Liveness, default=Liveness.OFF)

    objects = CameraFacesQuerySet.as_manager()

    class Meta:
        verbose_name = "face rule of a camera"
        verbose_name_plural = "face rules of cameras"

    def __str__(self) -> str:
        return f"{self.camera}"


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


class PaidRequests(models.Model):
    """How many requests were paid for on one UTC day, by all processes together."""

    day = models.DateField(primary_key=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "paid requests"

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"


def file_name_of(key: uuid.UUID) -> str:
    """Return the name of a snapshot's file inside the media place: ``ab/ab….sealed``, from its id alone."""
    return f"{key.hex[:2]}/{key}.sealed"
