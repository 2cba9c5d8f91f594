"""Who works here, and on what ground their faces are used."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from factoryai.sites.models import Site
from identity.querysets import ConsentQuerySet, EmployeeQuerySet


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
