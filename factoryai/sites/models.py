"""The site is the tenant: everything belongs to one, and who may see what is decided by a membership in it."""

from __future__ import annotations

import zoneinfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from factoryai.sites.querysets import SiteQuerySet


def check_timezone(value: str) -> None:
    """Refuse a name that the IANA database does not know."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError(f"{value} is not an IANA time zone, like Asia/Kolkata.", code="unknown_timezone")


class Role(models.TextChoices):
    HR = "hr", "HR"
    SECURITY = "security", "Security"
    MANAGER = "manager", "Manager"
    DEVICE = "device", "Device"


class Site(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, default="Asia/Kolkata", validators=[check_timezone])
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SiteQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone)


class Membership(models.Model):
    """One role of one person at one site; a person may hold several."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    site = models.ForeignKey(Site, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)

    class Meta:
        ordering = ["site", "user", "role"]
        constraints = [models.UniqueConstraint(fields=["user", "site", "role"], name="one_membership_per_role")]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()} · {self.site}"
