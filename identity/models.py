"""Who works here."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from factoryai.sites.models import Site
from identity.querysets import EmployeeQuerySet


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

    def works_on(self, day: date) -> bool:
        """Whether the person is employed on ``day``, by the dates alone."""
        return (self.joined_date or day) <= day <= (self.left_date or day)
