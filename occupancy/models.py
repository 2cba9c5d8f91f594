"""People inside: zones, the lines that lead into them, and append-only logs of what happened."""

from __future__ import annotations

from datetime import UTC, datetime, time

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from factoryai.sites.models import Site
from occupancy.querysets import AreaQuerySet, LogQuerySet, SumQuerySet, ZoneQuerySet
from occupancy.rules.capacity import Level
from occupancy.rules.resets import Policy
from occupancy.rules.sums import Kind
from streaming.models import Camera


class Zone(models.Model):
    """A part of a site whose people are counted.

    ``summed_until`` is the watermark: every hour that ended by then is summed, and a log from before it moves it back.
    ``days_until`` and ``months_until`` are those of the local days and months. Raw logs are complete from
    ``kept_from_us`` on; what was inside at that moment is ``kept_count``.
    """

    class ResetPolicy(models.TextChoices):
        TO_ZERO = Policy.TO_ZERO.value, "to zero"
        TO_OPEN_SESSIONS = Policy.TO_OPEN_SESSIONS.value, "to the people on shift"
        OFF = Policy.OFF.value, "never"

    class CapacityLevel(models.TextChoices):
        OK = Level.OK.value, "room"
        WARN = Level.WARN.value, "nearly full"
        FULL = Level.FULL.value, "full"

    site = models.ForeignKey(Site, models.CASCADE, related_name="zones")
    name = models.CharField(max_length=80)
    capacity = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    reset_at = models.TimeField(default=time(3), help_text="When the count is reset each night, in the site's zone.")
    reset_policy = models.CharField(max_length=20, choices=ResetPolicy, default=ResetPolicy.TO_ZERO)
    last_reset_date = models.DateField(null=True, editable=False)
    reset_asked_date = models.DateField(null=True, editable=False)
    summed_until = models.DateTimeField(null=True, editable=False)
    days_until = models.DateField(null=True, editable=False)
    months_until = models.DateField(null=True, editable=False)
    kept_from_us = models.BigIntegerField(default=0, editable=False)
    kept_count = models.IntegerField(default=0, editable=False)
    level = models.CharField(max_length=4, choices=CapacityLevel, default=Level.OK.value, editable=False)

    objects = ZoneQuerySet.as_manager()

    class Meta:
        ordering = ["site", "name"]
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="one_zone_per_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.site})"


class ZoneLine(models.Model):
    """A line of a camera over which people come into a zone; with ``is_reversed``, in over the line is out here."""

    zone = models.ForeignKey(Zone, models.CASCADE, related_name="lines")
    camera = models.ForeignKey(Camera, models.CASCADE, related_name="zone_lines")
    line = models.CharField(max_length=80, help_text="The name of the line as drawn on the camera.")
    is_reversed = models.BooleanField(default=False)

    class Meta:
        ordering = ["zone", "camera", "line"]
        constraints = [models.UniqueConstraint(fields=["zone", "camera", "line"], name="one_zone_line_each")]

    def __str__(self) -> str:
        return f"{self.line} of {self.camera}"

    def clean(self) -> None:
        """Refuse a line that is not drawn on the camera, and a camera of another site: both would count nothing."""
        camera = Camera.objects.filter(pk=self.camera_id).first()
        if camera is None:
            return
        names = [line["name"] for line in camera.lines]
        if self.line not in names:
            drawn = f"It has: {', '.join(names)}." if names else "None is drawn on it yet."
            raise ValidationError({"line": f"{camera} has no line of this name. {drawn}"}, code="unknown_line")
        if "occupancy" not in camera.roles:
            raise ValidationError({"camera": f"{camera} is not for occupancy: it counts nobody."}, code="wrong_role")
        zone = Zone.objects.filter(pk=self.zone_id).first()
        if zone is not None and zone.site_id != camera.site_id:
            raise ValidationError({"camera": f"{camera} is of another site."}, code="other_site")

    @property
    def is_drawn(self) -> bool:
        """Whether the camera has a line of this name and counts people: without it, nothing is ever counted."""
        return "occupancy" in self.camera.roles and any(line.get("name") == self.line for line in self.camera.lines)


class Log(models.Model):
    """One fact about a zone; never changed, never deleted while its hour is not summed.

    ``at_us`` is ``at`` in microseconds since 1970: whole numbers weigh time exactly alike in every database. ``step``
    is +1 for in, -1 for out, 0 for what sets the count.
    """

    class LogKind(models.TextChoices):
        IN = Kind.IN.value, "in"
        OUT = Kind.OUT.value, "out"
        COUNT = Kind.COUNT.value, "count"
        CORRECTION = Kind.CORRECTION.value, "correction"
        RESET = Kind.RESET.value, "drift reset"

    zone = models.ForeignKey(Zone, models.CASCADE, related_name="logs")
    source = models.CharField(max_length=60, default="api")
    event_id = models.CharField(max_length=100)
    at = models.DateTimeField()
    at_us = models.BigIntegerField()
    received_at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=LogKind)
    step = models.SmallIntegerField()
    count = models.IntegerField(null=True)
    drift = models.IntegerField(null=True, help_text="What the count was wrong by, for a correction or a reset.")
    line = models.CharField(max_length=80, blank=True, help_text="The line of the camera that was crossed.")
    reason = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = LogQuerySet.as_manager()

    class Meta:
        ordering = ["-at_us", "-id"]
        indexes = [
            models.Index(fields=["zone", "at_us"], name="log_zone_time"),
            models.Index(fields=["zone", "at_us", "id"], condition=Q(step=0), name="log_zone_set"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "event_id", "zone"], name="one_log_per_event"),
            models.CheckConstraint(
                condition=Q(step=0, count__isnull=False) | Q(step__in=[-1, 1], count__isnull=True),
                name="a_log_steps_or_sets",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%Y-%m-%d %H:%M:%S}"


class Totals(models.Model):
    """The figures of one bucket. ``weighted_us`` is people × microseconds, a whole number that both databases add up
    alike; ``length_us`` the time it covers; ``is_complete`` says that every camera of the zone was live throughout."""

    length_us = models.BigIntegerField()
    weighted_us = models.BigIntegerField()
    peak = models.IntegerField()
    low = models.IntegerField()
    entries = models.IntegerField()
    exits = models.IntegerField()
    logs = models.IntegerField()
    is_complete = models.BooleanField()

    objects = SumQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def average(self) -> float:
        """People inside, weighted by time."""
        return self.weighted_us / self.length_us


class Hour(Totals):
    """One hour of a zone, cut from local midnight; ``closing`` is the raw count at its end."""

    zone = models.ForeignKey(Zone, models.CASCADE, related_name="hours")
    start = models.DateTimeField()
    date = models.DateField(help_text="The local day it belongs to.")
    closing = models.IntegerField()

    class Meta:
        ordering = ["zone", "start"]
        constraints = [models.UniqueConstraint(fields=["zone", "start"], name="one_hour_each")]
        indexes = [models.Index(fields=["zone", "date"], name="hour_zone_date")]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} UTC"


class Day(Totals):
    """One local day of a zone: 24 hours, or 23 or 25 when the clocks change."""

    zone = models.ForeignKey(Zone, models.CASCADE, related_name="days")
    date = models.DateField()

    class Meta:
        ordering = ["zone", "date"]
        constraints = [models.UniqueConstraint(fields=["zone", "date"], name="one_day_each")]

    def __str__(self) -> str:
        return str(self.date)


class Month(Totals):
    """One local month of a zone; ``date`` is its first day."""

    zone = models.ForeignKey(Zone, models.CASCADE, related_name="months")
    date = models.DateField()

    class Meta:
        ordering = ["zone", "date"]
        constraints = [models.UniqueConstraint(fields=["zone", "date"], name="one_month_each")]

    def __str__(self) -> str:
        return f"{self.date:%Y-%m}"


class LiveSpan(models.Model):
    """A camera was live from ``began_at`` to ``ended_at``; time in no span is time that nobody vouches for."""

    camera = models.ForeignKey(Camera, models.CASCADE, related_name="live_spans")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        ordering = ["camera", "began_at"]
        constraints = [models.UniqueConstraint(fields=["camera", "began_at"], name="one_live_span_each")]
        indexes = [models.Index(fields=["camera", "ended_at"], name="live_span_end")]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M} to {self.ended_at:%Y-%m-%d %H:%M}"


class Stay(models.Model):
    """Somebody was in a zone that is drawn on a camera, from ``entered_at`` until last seen there. Never changed."""

    camera = models.ForeignKey(Camera, models.CASCADE, related_name="stays")
    area = models.CharField(max_length=80, help_text="The name of the zone as drawn on the camera.")
    event_id = models.CharField(max_length=100)
    entered_at = models.DateTimeField()
    left_at = models.DateTimeField()
    dwell_ms = models.PositiveBigIntegerField()

    objects = AreaQuerySet.as_manager()

    class Meta:
        ordering = ["-left_at", "-pk"]
        indexes = [models.Index(fields=["camera", "area", "left_at"], name="stay_area_time")]
        constraints = [models.UniqueConstraint(fields=["camera", "event_id"], name="one_stay_per_event")]

    def __str__(self) -> str:
        return f"{self.area}: {self.dwell_ms / 1000:.0f} s until {self.left_at:%Y-%m-%d %H:%M:%S}"


class Presence(models.Model):
    """Who is in a zone that is drawn on a camera, as last told at ``at``; ``since`` is of the one there longest."""

    camera = models.ForeignKey(Camera, models.CASCADE, related_name="presences")
    area = models.CharField(max_length=80)
    people = models.PositiveIntegerField()
    since = models.DateTimeField(null=True)
    at = models.DateTimeField()

    objects = AreaQuerySet.as_manager()

    class Meta:
        ordering = ["camera", "area"]
        constraints = [models.UniqueConstraint(fields=["camera", "area"], name="one_presence_per_area")]

    def __str__(self) -> str:
        return f"{self.area}: {self.people}"


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(at: datetime) -> int:
    """Return an aware instant as whole microseconds since 1970."""
    gap = at - EPOCH
    return (gap.days * 86_400 + gap.seconds) * 1_000_000 + gap.microseconds
