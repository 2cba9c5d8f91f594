"""Alerts with a life, the channels they go out by, the outbox of deliveries, and the numbered stream of events."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from factoryai.alerts import rules
from factoryai.alerts.querysets import AlertQuerySet, DeliveryQuerySet, EventQuerySet
from factoryai.sealing import SealedTextField
from factoryai.sites.models import Role, Site
from factoryai.sites.querysets import ScopedQuerySet


class Severity(models.TextChoices):
    INFO = rules.Severity.INFO.value, "Info"
    WARNING = rules.Severity.WARNING.value, "Warning"
    CRITICAL = rules.Severity.CRITICAL.value, "Critical"


class State(models.TextChoices):
    NEW = rules.State.NEW.value, "New"
    SEEN = rules.State.SEEN.value, "Seen"
    ACKNOWLEDGED = rules.State.ACKNOWLEDGED.value, "Acknowledged"
    CLOSED = rules.State.CLOSED.value, "Closed"


class Audience(models.TextChoices):
    OPERATIONS = "operations", "Operations"
    PERSONNEL = "personnel", "Personnel"


AUDIENCE_ROLES = {
    Audience.OPERATIONS: (Role.SECURITY, Role.MANAGER),
    Audience.PERSONNEL: (Role.HR, Role.MANAGER),
}
"""Security does not read what concerns one employee's hours; HR does not read who drove in."""


class Alert(models.Model):
    """One thing that somebody must know. Open alerts are unique by site and key, so a cause is raised once."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=64)
    audience = models.CharField(max_length=16, choices=Audience, default=Audience.OPERATIONS)
    severity = models.CharField(max_length=16, choices=Severity)
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    key = models.CharField(max_length=200, help_text="What it is about; while one is open, the same key adds to it.")
    state = models.CharField(max_length=16, choices=State, default=State.NEW)
    times_raised = models.PositiveIntegerField(default=1)
    raised_at = models.DateTimeField()
    last_raised_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="acknowledged_alerts"
    )
    note = models.TextField(blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    level = models.PositiveSmallIntegerField("escalation level", default=0)
    escalates_from = models.DateTimeField()
    next_escalation_at = models.DateTimeField(null=True, blank=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-raised_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["site", "key"], condition=~Q(state=State.CLOSED.value), name="one_open_alert_per_key"
            )
        ]
        indexes = [
            models.Index(fields=["site", "state", "-raised_at"], name="alert_list"),
            models.Index(
                fields=["next_escalation_at"], condition=Q(next_escalation_at__isnull=False), name="alert_escalation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()}: {self.title}"

    @property
    def is_open(self) -> bool:
        return self.state in rules.OPEN

    @property
    def is_waiting(self) -> bool:
        """Whether nobody has taken it on yet."""
        return self.state in rules.UNANSWERED


class AlertStep(models.Model):
    """One line of an alert's history: who did what and when."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="steps")
    step = models.CharField(max_length=24)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.step} · {self.at:%Y-%m-%d %H:%M:%S} UTC"


class Channel(models.Model):
    """A way out: who is told, from which severity on, and at which escalation level."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Signed webhook"

    site = models.ForeignKey(Site, models.CASCADE, related_name="channels")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, choices=Kind)
    audience = models.CharField(max_length=16, choices=Audience, default=Audience.OPERATIONS)
    target = models.CharField(max_length=300, help_text="An e-mail address, or an https:// address.")
    secret = SealedTextField(blank=True, help_text="Signs webhooks (HMAC-SHA256); written, never shown.")
    min_severity = models.CharField(max_length=16, choices=Severity, default=Severity.WARNING)
    from_level = models.PositiveSmallIntegerField(
        default=0, help_text="0: told at once; 1: at the first escalation; 2: at the second …"
    )
    is_enabled = models.BooleanField(default=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["site", "name"]
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="one_channel_per_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.get_kind_display()})"


class Delivery(models.Model):
    """The outbox: written with the alert, sent afterwards by whoever claims it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Given up"

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="deliveries")
    occasion = models.CharField(max_length=32, help_text="raised, critical-escalated-1 … or closed")
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["alert", "channel", "occasion"], name="one_delivery_per_occasion")
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state__in=["waiting", "sending"]), name="delivery_due")]

    def __str__(self) -> str:
        return f"{self.occasion} → {self.channel}"


class Event(models.Model):
    """Something changed at a site: a nudge for open pages. ``seq`` is given after the commit, see `events`."""

    site = models.ForeignKey(Site, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=64)
    object_id = models.CharField(max_length=64)
    at = models.DateTimeField()
    seq = models.PositiveBigIntegerField(unique=True, null=True, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = [F("seq").asc(nulls_last=True), "pk"]
        indexes = [
            models.Index(fields=["id"], condition=Q(seq__isnull=True), name="event_unnumbered"),
            models.Index(fields=["site", "seq"], name="event_of_site"),
        ]

    def __str__(self) -> str:
        return f"{self.seq or '—'} {self.kind} {self.object_id}"


class EventCounter(models.Model):
    """One row: the last number given. Its lock puts the numbering in order."""

    last_seq = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.last_seq)
