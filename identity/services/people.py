"""Saving people: whoever keeps their days hears when the dates of their employment change."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from identity.models import Employee

EMPLOYMENT = ("joined_date", "left_date", "is_active")


@transaction.atomic
def save_employee(employee: Employee) -> Employee:
    """Save a person, and tell on, in the same transaction, when the employment of one who was there has changed."""
    before = Employee.objects.filter(pk=employee.pk).values_list(*EMPLOYMENT).first() if employee.pk else None
    employee.save()
    if before is not None and before != tuple(getattr(employee, name) for name in EMPLOYMENT):
        tell: Callable[[Employee], None] = import_string(settings.EMPLOYMENT_CHANGED)
        tell(employee)
    return employee
