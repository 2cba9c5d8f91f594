"""Times that people type and read: on the clock of the site they are about, whatever the server's clock is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminSplitDateTime
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from factoryai.sites.access import site_of


class SiteClock:
    """Mix in before ``ModelAdmin``: the page of one row shows its times on the clock of its site."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        page = super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[misc]
        row = self.get_object(request, unquote(object_id)) if object_id else None  # type: ignore[attr-defined]
        if row is None or not isinstance(page, TemplateResponse):
            return page
        with timezone.override(site_of(row).zone):
            return page.render()


def clock_column(name: str, description: str) -> Callable[[Model], str]:
    """Return a column of a list for the instant ``name``, on the clock of the row's site."""

    @admin.display(description=description, ordering=name)
    def shown(row: Model) -> str:
        at = getattr(row, name)
        return f"{at.astimezone(site_of(row).zone):%d %b %Y %H:%M}" if at else "—"

    return shown


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
