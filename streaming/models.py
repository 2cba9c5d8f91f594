"""Cameras, and the one row per camera that its camera process keeps."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from factoryai.sealing import SealedTextField
from factoryai.sites.models import Site
from streaming.querysets import CameraQuerySet, CameraStatusQuerySet

ROLES = ("attendance", "gate", "occupancy")

HIDDEN = "***"
"""What stands for a user name or a password that is not shown."""


class Camera(models.Model):
    """One camera of a site.

    ``address`` never holds a user or a password: they stand apart, sealed, and leave only towards the reader. Zones,
    lines and privacy masks are drawn in shares (0–1) of the picture, so they fit every size of it.
    """

    class Direction(models.TextChoices):
        IN = "in", "in"
        OUT = "out", "out"
        BOTH = "both", "both"
        NONE = "", "—"

    site = models.ForeignKey(Site, models.CASCADE, related_name="cameras")
    slug = models.SlugField(unique=True, help_text="Its name in addresses, once and for all.")
    name = models.CharField(max_length=120)
    address = models.CharField(max_length=500, help_text="rtsp://host/path, without user and password.")
    username = SealedTextField(blank=True, default="")
    password = SealedTextField(blank=True, default="")
    roles = models.JSONField(default=list, blank=True)
    direction = models.CharField(max_length=4, choices=Direction, blank=True, default=Direction.NONE)
    zones = models.JSONField(default=list, blank=True)
    lines = models.JSONField(default=list, blank=True)
    privacy_masks = models.JSONField(default=list, blank=True)
    detect_fps = models.FloatField(default=5, validators=[MinValueValidator(0), MaxValueValidator(30)])
    stream_fps = models.FloatField(default=10, validators=[MinValueValidator(1), MaxValueValidator(30)])
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CameraQuerySet.as_manager()

    class Meta:
        ordering = ["site", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def masked_source(self) -> str:
        """The address with the user name hidden and stars where there is a password."""
        if not (self.username or self.password):
            return self.address
        scheme, _, rest = self.address.partition("://")
        return f"{scheme}://{HIDDEN}:{HIDDEN}@{rest}"


class CameraStatus(models.Model):
    """What a camera does now, kept by the camera process that leases it. Without a lease that is in force, nobody does.

    ``frame_at`` is the capture time of the newest picture. The figures are means over the last seconds.
    """

    class State(models.TextChoices):
        LIVE = "live", "live"
        STALE = "stale", "no picture"
        OFFLINE = "offline", "offline"
        DISABLED = "disabled", "switched off"

    camera = models.OneToOneField(Camera, models.CASCADE, related_name="status", primary_key=True)
    worker = models.CharField(max_length=80, blank=True)
    leased_until = models.DateTimeField(null=True, db_index=True)
    state = models.CharField(max_length=8, choices=State, default=State.OFFLINE)
    since = models.DateTimeField(null=True)
    frame_at = models.DateTimeField(null=True)
    source_fps = models.FloatField(default=0)
    shown_fps = models.FloatField(default=0)
    detect_fps = models.FloatField(default=0)
    reconnects = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)
    people = models.PositiveIntegerField(default=0)
    vehicles = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(null=True)

    objects = CameraStatusQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "camera states"

    def __str__(self) -> str:
        return f"{self.camera_id}: {self.state}"
