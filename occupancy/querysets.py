"""Questions about zones and logs."""

from __future__ import annotations

from typing import Self

from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from factoryai.sites.querysets import ScopedQuerySet


class ZoneQuerySet(ScopedQuerySet):
    def with_counts(self) -> Self:
        """Add ``raw_count``: the last value that was set, and every step since, as of now."""
        logs = self.model._meta.get_field("logs").related_model.objects
        kept = logs.filter(zone=OuterRef("pk"), at_us__gte=OuterRef("kept_from_us"))
        last_set = kept.filter(step=0).order_by("-at_us", "-id")
        since = kept.exclude(step=0)
        not_before = since.filter(at_us__gte=OuterRef("set_at"))  # what an index can use: an "or" reads all history
        after = not_before.filter(
            Q(at_us__gt=OuterRef("set_at")) | Q(at_us=OuterRef("set_at"), pk__gt=OuterRef("set_id"))
        )
        total = after.order_by().values("zone").annotate(total=Sum("step")).values("total")
        return self.annotate(
            set_at=Coalesce(Subquery(last_set.values("at_us")[:1]), -(2**62)),
            set_id=Coalesce(Subquery(last_set.values("pk")[:1]), 0),
            set_count=Coalesce(Subquery(last_set.values("count")[:1]), F("kept_count")),
        ).annotate(raw_count=F("set_count") + Coalesce(Subquery(total), 0))


class LogQuerySet(ScopedQuerySet):
    site_path = "zone__site"


class SumQuerySet(ScopedQuerySet):
    site_path = "zone__site"


class AreaQuerySet(ScopedQuerySet):
    site_path = "camera__site"
