"""What waits for the person of a page, for the administration's templates."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils import timezone

from factoryai.dashboard.waiting import Waiting, waiting_for

register = template.Library()


@register.simple_tag(takes_context=True)
def waiting(context: template.Context) -> Sequence[Waiting]:
    """Return what waits, the urgent first."""
    return waiting_for(context["request"], timezone.now())
