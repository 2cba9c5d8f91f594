"""Questions about zones and logs."""

from __future__ import annotations

from typing import Any, Self

from django.db.models import BigIntegerField, F, Func, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from factoryai.sites.querysets import ScopedQuerySet


class Microseconds(Func):
    """An instant of whole seconds as microseconds since 1970, as the logs have it."""

    output_field = BigIntegerField()
    template = "CAST(EXTRACT(EPOCH FROM %(expressions)s) AS bigint) * 1000000"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(
            compiler, connection, template="CAST(strftime('%%%%s', %(expressions)s) AS integer) * 1000000", **extra
        )


class ZoneQuerySet(ScopedQuerySet):
    def with_counts(self) -> Self:
        """Add ``raw_count``: the last value that was set, and every step since, as of now.

        What was inside at the watermark is the closing count of the last hour before it, so only the logs since are
        read, however long nobody has set the count: a log from before the watermark has moved it back.
        """
        related = {name: self.model._meta.get_field(name).related_model.objects for name in ("logs", "hours")}
        kept = related["logs"].filter(zone=OuterRef("pk"), at_us__gte=OuterRef("open_from_us"))
        last_set = kept.filter(step=0).order_by("-at_us", "-id")
        summed = related["hours"].filter(zone=OuterRef("pk"), start__lt=OuterRef("summed_until")).order_by("-start")
        since = kept.exclude(step=0)
        not_before = since.filter(at_us__gte=OuterRef("set_at"))  # what an index can use: an "or" reads all history
        after = not_before.filter(
            Q(at_us__gt=OuterRef("set_at")) | Q(at_us=OuterRef("set_at"), pk__gt=OuterRef("set_id"))
        )
        total = after.order_by().values("zone").annotate(total=Sum("step")).values("total")
        return self.annotate(
            open_from_us=Coalesce(Microseconds("summed_until"), F("kept_from_us")),
            set_at=Coalesce(Subquery(last_set.values("at_us")[:1]), -(2**62)),
            set_id=Coalesce(Subquery(last_set.values("pk")[:1]), 0),
            set_count=Coalesce(
                Subquery(last_set.values("count")[:1]), Subquery(summed.values("closing")[:1]), F("kept_count")
            ),
        ).annotate(raw_count=F("set_count") + Coalesce(Subquery(total), 0))


class LogQuerySet(ScopedQuerySet):
    site_path = "zone__site"


class SumQuerySet(ScopedQuerySet):
    site_path = "zone__site"


class AreaQuerySet(ScopedQuerySet):
    site_path = "camera__site"
