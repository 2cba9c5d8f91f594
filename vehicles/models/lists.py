"""Blocked, allowed and watched plates, and the history of every change. Rows are the truth: nothing caches them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from factoryai.alerts.models import Severity
from factoryai.sites.models import Site
from factoryai.sites.querysets import ScopedQuerySet
from vehicles.querysets import ListEntryQuerySet


class ListEntry(models.Model):
    """One plate on one list. ``match_key`` says which vehicle is meant, however the plate is written.

    It holds from ``valid_from`` (inclusive) until ``valid_until`` (exclusive). A removed entry stays as history.
    Whoever writes one, by a service or by Django's own verbs, leaves the key of its plate, a line of history, and the
    alarm of a vehicle that is inside (`vehicles.writing`).
    """

    class List(models.TextChoices):
        BLOCKED = "blocked", "Blocked"
        ALLOWED = "allowed", "Allowed"
        WATCH = "watch", "Watch"

    class Kind(models.TextChoices):
        STAFF = "staff", "Staff"
        VISITOR = "visitor", "Visitor"
        CONTRACTOR = "contractor", "Contractor"

    class Direction(models.TextChoices):
        BOTH = "", "Both ways"
        IN = "in", "In only"
        OUT = "out", "Out only"

    site = models.ForeignKey(
        Site, models.CASCADE, null=True, blank=True, related_name="listed_plates", help_text="Empty: every site."
    )
    list = models.CharField(max_length=8, choices=List)
    kind = models.CharField(max_length=10, choices=Kind, blank=True, help_text="Of an allowed vehicle.")
    plate = models.CharField(max_length=64)
    match_key = models.CharField(max_length=64, editable=False)
    reason = models.CharField(max_length=300)
    severity = models.CharField(max_length=16, choices=Severity, default=Severity.CRITICAL)
    direction = models.CharField(max_length=3, choices=Direction, blank=True, default=Direction.BOTH)
    valid_from = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    removed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = ListEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-added_at", "-pk"]
        verbose_name = "listed plate"
        constraints = [
            models.UniqueConstraint(
                fields=["site", "list", "match_key"],
                condition=Q(removed_at__isnull=True, site__isnull=False),
                name="one_entry_per_plate_and_site",
            ),
            models.UniqueConstraint(
                fields=["list", "match_key"],
                condition=Q(removed_at__isnull=True, site__isnull=True),
                name="one_entry_per_plate_everywhere",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="a_listed_plate_has_a_reason"),
            models.CheckConstraint(condition=~Q(match_key=""), name="a_listed_plate_has_a_key"),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="a_listed_plate_ends_after_it_begins",
            ),
        ]
        indexes = [models.Index(fields=["match_key"], condition=Q(removed_at__isnull=True), name="listed_plate")]

    def __str__(self) -> str:
        return f"{self.plate} ({self.get_list_display().lower()})"

    @transaction.atomic
    def save(
        self, *args: Any, at: dt.datetime | None = None, update_fields: Collection[str] | None = None, **how: Any
    ) -> None:
        """Write the entry with all that belongs to it; ``at`` None: now. Raises `Refusal` ``bad_plate``."""
        from vehicles.writing import KEYED, additions_taken, changes_taken, locked_entries

        at = at or timezone.now()
        before = next(iter(locked_entries([self.pk])), None) if self.pk else None
        if before is None:
            with additions_taken([self], at):
                super().save(*args, update_fields=update_fields, **how)
            return
        changed = {name for name in KEYED if getattr(before, name) != getattr(self, name)}
        with changes_taken([before], changed, at):
            super().save(*args, update_fields=update_fields, **how)
        if changed:
            self.refresh_from_db(fields=["plate", "match_key"])

    @transaction.atomic
    def delete(self, *args: Any, **how: Any) -> tuple[int, dict[str, int]]:
        from vehicles.history import changes_written
        from vehicles.writing import locked_entries

        with changes_written(locked_entries([self.pk])):
            return super().delete(*args, **how)

    delete.alters_data = True  # type: ignore[attr-defined]

    def standing(self, at: dt.datetime) -> str:
        """Return ``removed``, ``later``, ``expired`` or ``in force``."""
        if self.removed_at:
            return "removed"
        if self.valid_from and at < self.valid_from:
            return "later"
        return "expired" if self.valid_until and at >= self.valid_until else "in force"


class BlockedPlate(ListEntry):
    """Entries of the blocked list, for the admin."""

    class Meta:
        proxy = True
        verbose_name = "blocked plate"


class AllowedPlate(ListEntry):
    """Entries of the allowed list, for the admin."""

    class Meta:
        proxy = True
        verbose_name = "allowed plate"


class WatchedPlate(ListEntry):
    """Entries of the watch list, for the admin."""

    class Meta:
        proxy = True
        verbose_name = "watched plate"


class ListChange(models.Model):
    """One line of the history of the lists. It is only ever added; it outlives the entry and names it by number."""

    class Action(models.TextChoices):
        ADDED = "added", "Added"
        CHANGED = "changed", "Changed"
        REMOVED = "removed", "Removed"
        ERASED = "erased", "Erased"

    entry_number = models.PositiveBigIntegerField(db_index=True)
    site = models.ForeignKey(Site, models.CASCADE, null=True, related_name="+")
    list = models.CharField(max_length=8, choices=ListEntry.List)
    plate = models.CharField(max_length=64)
    action = models.CharField(max_length=8, choices=Action)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = "change of a list"
        verbose_name_plural = "changes of lists"

    def __str__(self) -> str:
        return f"{self.plate} {self.get_action_display().lower()}"

    @property
    def what(self) -> str:
        """What changed, as ``reason: Theft → Damage``; empty for an addition or a removal."""
        if self.action != self.Action.CHANGED:
            return ""
        names = [name for name in self.after if self.before.get(name) != self.after[name]]
        return "; ".join(f"{name}: {self.before.get(name) or '—'} → {self.after[name] or '—'}" for name in names)
