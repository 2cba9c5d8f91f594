"""Forms that say what saving them would do to days that are worked already, before anything is saved."""

from __future__ import annotations

from copy import copy
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from attendance.services.preview import Preview, preview_change
from attendance.services.rosters import Spans
from factoryai.sites.access import site_of

NOTHING = "Nothing would change: no day that is worked already is touched. Nothing is saved yet."


class PreviewAdmin:
    """Mix in before ``ModelAdmin`` for rows that days are derived from; saving and deleting are tried out."""

    change_form_template = "admin/attendance/previewed.html"

    class Media:
        css = {"all": ["css/admin.css"]}

    def spans_of(self, row: Any) -> Spans:
        """Return the people and dates that a row touches."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A form that is only tried out is never valid, so that it comes back as it was typed."""
        form_class = super().get_form(request, obj, change=change, **kwargs)  # type: ignore[misc]
        if request.method != "POST" or "_preview" not in request.POST:
            return form_class
        admin = self

        class Tried(form_class):
            def is_valid(self) -> bool:
                if super().is_valid():
                    admin._tell(request, admin.preview_of(request, self, change=change))
                return False

        return Tried

    def preview_of(self, request: HttpRequest, form: forms.ModelForm, *, change: bool) -> Preview:
        """Return what saving the form would do, to the days that the row touches now and those it touched before."""
        row = form.instance
        spans = self.spans_of(row)
        if change:
            spans = [*spans, *self.spans_of(type(row)._default_manager.get(pk=row.pk))]
        return preview_change(
            site=site_of(row),
            spans=spans,
            change=lambda: self.save_model(request, copy(row), form, change),  # type: ignore[attr-defined]
            at=timezone.now(),
        )

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Say beside the question what deleting would change."""
        row = self.get_object(request, unquote(object_id))  # type: ignore[attr-defined]
        if request.method == "GET" and row is not None and self.has_delete_permission(request, row):  # type: ignore[attr-defined]
            found = preview_change(
                site=site_of(row),
                spans=self.spans_of(row),
                change=lambda: self.delete_model(request, copy(row)),  # type: ignore[attr-defined]
                at=timezone.now(),
            )
            self._tell(request, found)
        return super().delete_view(request, object_id, extra_context)  # type: ignore[misc]

    def _tell(self, request: HttpRequest, found: Preview) -> None:
        level = messages.WARNING if found.days else messages.INFO
        self.message_user(request, in_words(found), level)  # type: ignore[attr-defined]


def in_words(found: Preview) -> SafeString:
    """Return a preview as HR reads it: the count, what lies in locked periods, and a few of the days."""
    if not found.days:
        return format_html("{}", NOTHING)
    said = [f"{_count(found.days, 'day')} of {_count(found.people, 'person', 'people')} would change"]
    if found.locked:
        said.append(f"{found.locked} of them in locked periods, which stay and get an adjustment instead")
    if found.is_partial:
        said.append(f"counted for the first {found.looked_at} of {found.touched} people")
    examples = format_html_join("", '<span class="preview-example">{}</span>', ((line,) for line in found.examples))
    dates = f"{found.first:%d %b} to {found.last:%d %b %Y}"
    return format_html("{} ({}). Nothing is saved yet.{}", "; ".join(said), dates, examples)


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
