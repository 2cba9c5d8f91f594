"""Named questions about alerts, their deliveries and events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Self

from django.db.models import Case, IntegerField, Q, Value, When

from factoryai.alerts.rules import OPEN, SEVERITIES, UNANSWERED
from factoryai.sites.querysets import ScopedQuerySet, membership_filter


class AlertQuerySet(ScopedQuerySet):
    def visible_to(self, user: Any, roles: Iterable[str] | None = None) -> Self:
        """Keep what one of the user's roles (of ``roles``, when given) is the audience of."""
        from factoryai.alerts.models import AUDIENCE_ROLES

        wanted = Q(pk__in=())
        for audience, hearers in AUDIENCE_ROLES.items():
            heard_as = [role for role in hearers if roles is None or role in set(roles)]
            wanted |= Q(audience=audience) & membership_filter(user, heard_as, "site")
        return self.filter(wanted)

    def still_open(self) -> Self:
        return self.filter(state__in=OPEN)

    def unanswered(self) -> Self:
        return self.filter(state__in=UNANSWERED)

    def gravest_first(self) -> Self:
        """Unanswered ones on top, the graver before the lighter, the newest first among equals."""
        gravity = [When(severity=severity, then=Value(-rank)) for rank, severity in enumerate(SEVERITIES)]
        return self.annotate(
            is_answered=Case(When(state__in=UNANSWERED, then=Value(0)), default=Value(1), output_field=IntegerField()),
            gravity=Case(*gravity, default=Value(0), output_field=IntegerField()),
        ).order_by("is_answered", "gravity", "-last_raised_at", "-pk")

    def due_to_escalate(self, at: dt.datetime) -> Self:
        return self.unanswered().filter(next_escalation_at__lte=at).order_by("next_escalation_at")


class DeliveryQuerySet(ScopedQuerySet):
    site_path = "channel__site"

    def claimable(self, at: dt.datetime) -> Self:
        """Keep what is due, and what a claimer took and never finished; what was never tried comes first."""
        return self.filter(state__in=("waiting", "sending"), due_at__lte=at).order_by("attempts", "due_at", "pk")


class EventQuerySet(ScopedQuerySet):
    def after(self, seq: int) -> Self:
        return self.filter(seq__gt=seq).order_by("seq")

    def unnumbered(self) -> Self:
        return self.filter(seq__isnull=True).order_by("pk")
