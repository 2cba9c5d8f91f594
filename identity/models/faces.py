"""By which photos people are known, here and with a service elsewhere."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from factoryai.sites.models import Site
from identity.fields import SealedVectorField
from identity.models.people import Employee
from identity.models.snapshots import Snapshot
from identity.querysets import CameraFacesQuerySet, FaceQuerySet, RemoteFaceQuerySet
from streaming.models import Camera


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


class PaidRequests(models.Model):
    """How many requests were paid for on one UTC day, by all processes together."""

    day = models.DateField(primary_key=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "paid requests"

    def __str__(self) -> str:
        return f"{self.day}: {self.count}"
