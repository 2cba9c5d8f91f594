"""What a site's gate goes by: its policy, its own plate formats, the controllers of barriers, and each call to one."""

from __future__ import annotations

import datetime as dt

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from factoryai.sealing import SealedTextField
from factoryai.sites.models import Site
from factoryai.sites.querysets import ScopedQuerySet
from streaming.models import Camera
from vehicles.querysets import GateQuerySet, OpeningQuerySet
from vehicles.rules import gate as rules
from vehicles.rules.visits import Limits


class GatePolicy(models.Model):
    """How a site judges plates and visits; the defaults where there is no row."""

    class Profile(models.TextChoices):
        INDIA = rules.Profile.INDIA.value, "India: every family of plates"
        STRICT = rules.Profile.STRICT.value, "Strict: MH12AB1234 and nothing else"

    site = models.OneToOneField(Site, models.CASCADE, related_name="gate_policy", primary_key=True)
    profile = models.CharField(max_length=8, choices=Profile, default=Profile.INDIA)
    again_after_minutes = models.PositiveIntegerField(
        default=15,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 60)],
        help_text="A vehicle read at the entry this long after its last read is taken to have left unseen.",
    )
    gone_after_hours = models.PositiveIntegerField(
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 90)],
        help_text="After so long without any read a visit ends with “no exit seen”.",
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "gate policy"
        verbose_name_plural = "gate policies"

    def __str__(self) -> str:
        return f"Gate policy of {self.site}"

    @property
    def limits(self) -> Limits:
        return Limits(dt.timedelta(minutes=self.again_after_minutes), dt.timedelta(hours=self.gone_after_hours))


class PlateFormat(models.Model):
    """A plate format of a site's own, such as works vehicles; compiled and tried when it is saved."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="plate_formats")
    name = models.CharField(max_length=40)
    pattern = models.CharField(max_length=200, help_text="Letters, digits, [A-Z], [0-9]{4}: like WX[0-9]{3}.")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["site", "name"]
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="one_plate_format_per_name")]

    def __str__(self) -> str:
        return self.name


class Gate(models.Model):
    """The controller of the barrier at one camera. Without a row that is switched on, nothing is ever opened."""

    class Method(models.TextChoices):
        POST = "POST", "POST"
        PUT = "PUT", "PUT"
        GET = "GET", "GET"

    class Login(models.TextChoices):
        NONE = "none", "No secret"
        BEARER = "bearer", "Authorization: Bearer"
        BASIC = "basic", "Authorization: Basic (user:password)"
        SIGNED = "signed", "Signature of the body (HMAC-SHA256)"

    camera = models.OneToOneField(Camera, models.CASCADE, related_name="gate", limit_choices_to={"is_enabled": True})
    is_enabled = models.BooleanField("opens by itself", default=False)
    address = models.CharField(max_length=500, help_text="http:// or https:// address in the networks for cameras.")
    method = models.CharField(max_length=4, choices=Method, default=Method.POST)
    login = models.CharField(max_length=8, choices=Login, default=Login.NONE)
    secret = SealedTextField(blank=True, default="", help_text="Written, never shown.")
    timeout_s = models.FloatField(
        default=2, validators=[MinValueValidator(0.2), MaxValueValidator(10)], help_text="Seconds for the whole call."
    )
    fresh_s = models.FloatField(
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(30)],
        help_text="A read older than so many seconds opens nothing.",
    )

    objects = GateQuerySet.as_manager()

    class Meta:
        ordering = ["camera"]

    def __str__(self) -> str:
        return f"Gate at {self.camera}"


class Opening(models.Model):
    """One call to a controller, written before it is made: never two for one visit and direction, never repeated."""

    class Outcome(models.TextChoices):
        PENDING = "pending", "Being asked"
        OPENED = "opened", "Opened"
        FAILED = "failed", "Failed"
        REFUSED = "refused", "Not asked"

    gate = models.ForeignKey(Gate, models.CASCADE, related_name="openings")
    visit = models.ForeignKey("vehicles.Visit", models.CASCADE, related_name="openings")
    read = models.ForeignKey("vehicles.PlateRead", models.CASCADE, related_name="openings")
    direction = models.CharField(max_length=3, blank=True)
    asked_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.PENDING)
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status of the answer.")
    took_ms = models.PositiveIntegerField(null=True)
    detail = models.CharField(max_length=200, blank=True)

    objects = OpeningQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["visit", "direction"], name="one_opening_per_visit_and_way")]
        indexes = [models.Index(fields=["asked_at"], condition=Q(outcome="pending"), name="opening_pending")]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} · {self.asked_at:%Y-%m-%d %H:%M:%S} UTC"
