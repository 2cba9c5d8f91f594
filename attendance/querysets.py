"""Named questions about shifts, punches, days and flags."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db.models import Case, CharField, Q, Value, When
from django.db.models.functions import Coalesce

from factoryai.sites.querysets import ScopedQuerySet

STATES = ("counted", "duplicate", "superseded", "off_shift")
"""What can become of a punch."""


class ShiftQuerySet(ScopedQuerySet):
    pass


class AssignmentQuerySet(ScopedQuerySet):
    site_path = "employee__site"

    def in_force_between(self, first: date, last: date) -> Self:
        return self.filter(Q(to_date__isnull=True) | Q(to_date__gte=first), from_date__lte=last)


class PunchQuerySet(ScopedQuerySet):
    site_path = "employee__site"

    def with_state(self) -> Self:
        """Add ``state`` and ``reason``: counted, unless a derived row says why not."""
        superseded = When(supersession__isnull=False, then=Value("superseded"))
        return self.annotate(
            state=Case(superseded, default=Coalesce("set_aside__state", Value("counted")), output_field=CharField()),
            reason=Case(
                When(supersession__isnull=False, then="supersession__correction__reason"),
                default=Coalesce("set_aside__reason", Value("")),
                output_field=CharField(),
            ),
        )

    def standing(self) -> Self:
        """Leave out what a correction has superseded."""
        return self.filter(supersession__isnull=True)


class DayRecordQuerySet(ScopedQuerySet):
    def dated(self, first: date, last: date) -> Self:
        return self.filter(shift_date__gte=first, shift_date__lte=last)

    def with_names(self) -> Self:
        return self.select_related("employee", "site", "version__shift")


class FlagQuerySet(ScopedQuerySet):
    def awaiting_review(self) -> Self:
        return self.filter(review="pending")

    def with_names(self) -> Self:
        return self.select_related("day__employee", "day__version__shift", "site", "reviewed_by")
