"""Questions about people."""

from __future__ import annotations

from datetime import date
from typing import Self

from django.db.models import Q

from factoryai.sites.querysets import ScopedQuerySet


class EmployeeQuerySet(ScopedQuerySet):
    def employed_between(self, first: date, last: date) -> Self:
        """Keep who works here on some day of ``first`` to ``last``."""
        return self.filter(
            Q(joined_date__isnull=True) | Q(joined_date__lte=last), Q(left_date__isnull=True) | Q(left_date__gte=first)
        )
