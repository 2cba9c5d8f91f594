"""Filters of the gate's pages: codes and times in words."""

from __future__ import annotations

from datetime import datetime

from django import template

from vehicles.models import PlateRead
from vehicles.wording import LEVELS, WHY, reasons_in_words, span_in_words

register = template.Library()
register.filter("reasons", reasons_in_words)
register.filter("span", span_in_words)


@register.filter
def why(read: PlateRead) -> str:
    """Return why the gate was held, in words."""
    return WHY.get(read.why, "")


@register.filter
def level(code: str) -> str:
    return LEVELS.get(code, "")


@register.filter
def seconds_since(later: datetime, earlier: datetime) -> int:
    """Return the whole seconds from ``earlier`` to ``later``."""
    return int((later - earlier).total_seconds())
