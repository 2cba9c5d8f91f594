"""What the pages of the gate are asked: filters of the log, and what a person says of a read."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet

from streaming.models import Camera
from vehicles.models import PlateRead

FIRST_DAY, LAST_DAY = dt.date(1990, 1, 1), dt.date(2199, 12, 31)


class LogForm(forms.Form):
    """The filters of the log. Days are those of ``zone``, ``cameras`` those that may be asked for."""

    plate = forms.CharField(required=False, max_length=64, label="Plate", strip=True)
    verdict = forms.ChoiceField(required=False, choices=[("", "Any"), *PlateRead.Verdict.choices])
    decision = forms.ChoiceField(required=False, choices=[("", "Any"), *PlateRead.Decision.choices], label="Gate")
    camera = forms.ChoiceField(required=False)
    since = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label="To", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, data: Any, *, cameras: QuerySet[Camera], zone: ZoneInfo) -> None:
        super().__init__(data)
        self.zone = zone
        named = [(camera.slug, camera.name) for camera in cameras.order_by("name")]
        self.fields["camera"].choices = [("", "Any"), *named]  # type: ignore[attr-defined]
        self.fields["plate"].widget.attrs.update({"autocapitalize": "characters", "autocomplete": "off"})

    def _day(self, name: str) -> dt.date | None:
        day = self.cleaned_data[name]
        if day and not FIRST_DAY <= day <= LAST_DAY:
            raise forms.ValidationError("This day lies too far away.", code="bad_date")
        return day

    def clean_since(self) -> dt.date | None:
        return self._day("since")

    def clean_until(self) -> dt.date | None:
        return self._day("until")

    def filter(self, reads: QuerySet) -> QuerySet:
        """Return the reads that were asked for; filters that make no sense are left out, and the page says so."""
        asked = self.cleaned_data if self.is_valid() else getattr(self, "cleaned_data", {})
        for name in ("verdict", "decision"):
            if asked.get(name):
                reads = reads.filter(**{name: asked[name]})
        if asked.get("camera"):
            reads = reads.filter(camera__slug=asked["camera"])
        if asked.get("plate"):
            reads = reads.spelled(asked["plate"])
        if since := asked.get("since"):
            reads = reads.filter(captured_at__gte=self._midnight(since))
        if until := asked.get("until"):
            reads = reads.filter(captured_at__lt=self._midnight(until + dt.timedelta(days=1)))
        return reads

    def _midnight(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time(), self.zone)


class SaidForm(forms.Form):
    """What a person says of one read: the pressed button, and the plate when it is corrected."""

    verb = forms.ChoiceField(choices=[(verb, verb) for verb in ("accept", "correct", "discard")])
    plate = forms.CharField(required=False, max_length=64)
    kind = forms.CharField(required=False, max_length=10)
