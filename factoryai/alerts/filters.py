"""The history of alerts as people narrow it: by site, state, severity, kind, dates and words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Q

from factoryai.alerts.models import Alert, Severity, State
from factoryai.alerts.querysets import AlertQuerySet
from factoryai.alerts.rules import OPEN, UNANSWERED
from factoryai.alerts.words import kind_words
from factoryai.sites.models import Site

WAITING, STILL_OPEN = "waiting", "open"
STATES = [
    ("", "Any state"),
    (WAITING, "Not answered"),
    (STILL_OPEN, "Open"),
    (State.ACKNOWLEDGED.value, "Acknowledged"),
    (State.CLOSED.value, "Closed"),
]
STATES_OF = {WAITING: UNANSWERED, STILL_OPEN: OPEN}
DAY = dt.timedelta(days=1)
FIRST_DATE, LAST_DATE = dt.date(1990, 1, 1), dt.date(2199, 12, 31)
"""Beyond these a date is a slip of the pen, and the arithmetic of time zones leaves the calendar."""


class HistoryFilter(forms.Form):
    """Reads the query of the page; whatever makes no sense is told beside its field, and nothing is listed then."""

    state = forms.ChoiceField(choices=STATES, required=False)
    severity = forms.ChoiceField(choices=[("", "Any severity"), *Severity.choices], required=False)
    kind = forms.ChoiceField(required=False)
    first = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    q = forms.CharField(label="Words", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"}))

    def __init__(self, data: Any, *, sites: Sequence[Site], alerts: AlertQuerySet) -> None:
        super().__init__(data, auto_id="filter-%s")
        self.sites, self.alerts = sites, alerts
        kinds = sorted(alerts.order_by().values_list("kind", flat=True).distinct())
        self.fields["kind"].choices = [("", "Any kind"), *((kind, kind_words(kind)) for kind in kinds)]
        for name, field in self.fields.items():
            field.widget.attrs["aria-describedby"] = f"filter-{name}-error"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in ("first", "last"):
            if (day := cleaned.get(name)) and not FIRST_DATE <= day <= LAST_DATE:
                self.add_error(
                    name, forms.ValidationError(f"Write a date from {FIRST_DATE} to {LAST_DATE}.", code="bad_date")
                )
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and last < first:
            self.add_error("last", forms.ValidationError("This is before the first date.", code="ends_before_start"))
        return cleaned

    def rows(self) -> AlertQuerySet:
        """Return what matches, newest first; nothing while a field makes no sense."""
        rows = self.alerts.select_related("site", "acknowledged_by")
        if not self.is_valid():
            return rows.none()
        wanted = self.cleaned_data
        if state := wanted["state"]:
            rows = rows.filter(state__in=STATES_OF.get(state, (state,)))
        rows = rows.filter(**{name: wanted[name] for name in ("severity", "kind") if wanted[name]})
        for word in wanted["q"].split():
            rows = rows.filter(Q(title__icontains=word) | Q(detail__icontains=word) | Q(note__icontains=word))
        return rows.filter(raised_between(self.sites, wanted["first"], wanted["last"]))


def raised_between(sites: Sequence[Site], first: dt.date | None, last: dt.date | None) -> Q:
    """Match alerts raised on the dates ``first`` to ``last``, both included, on the clock of each site."""
    if first is None and last is None:
        return Q()
    matched = Q(pk__in=())
    for name in {site.timezone for site in sites}:
        here = [site for site in sites if site.timezone == name]
        span = Q(site__in=here)
        if first:
            span &= Q(raised_at__gte=dt.datetime.combine(first, dt.time(), here[0].zone))
        if last:
            span &= Q(raised_at__lt=dt.datetime.combine(last + DAY, dt.time(), here[0].zone))
        matched |= span
    return matched


def queryset_of(user: Any) -> AlertQuerySet:
    """Return the alerts that ``user`` may read."""
    return Alert.objects.visible_to(user)
