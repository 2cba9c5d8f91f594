"""Times that people type: on the clock of the site they are about, whatever the server's clock is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime


class LocalDateTimeField(forms.SplitDateTimeField):
    """A date and a time without an offset; `to_instant` gives it the site's."""

    widget = AdminSplitDateTime

    def compress(self, data_list: list[Any]) -> datetime | None:
        if not data_list or not all(data_list):
            return None
        return datetime.combine(*data_list)


def to_instant(form: forms.Form, name: str, typed: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the instant of a typed time; a time that a clock change skips is an error of the field."""
    instant = typed.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != typed:
        form.add_error(name, "The clocks were put forward then: this time did not exist.")
        return None
    return instant
