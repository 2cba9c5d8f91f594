"""Pages: the history of alerts, one alert with its life, and taking it on or closing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from factoryai.alerts.events import last_seq
from factoryai.alerts.filters import HistoryFilter, queryset_of
from factoryai.alerts.models import Alert
from factoryai.alerts.services import acknowledge_alert, close_alert, mark_seen
from factoryai.alerts.words import kind_words, occasion_words, step_words
from factoryai.csv_export import csv_response
from factoryai.rest import Refusal
from factoryai.sites.access import has_role_anywhere
from factoryai.sites.choice import choose_site
from factoryai.sites.permissions import PEOPLE

PER_PAGE = 50
MOST_EXPORTED = 50_000
"""About 15 MB; who wants more narrows the dates."""

COLUMNS = [
    "site", "raised", "severity", "kind", "title", "detail", "state", "times raised", "acknowledged", "by", "note",
    "closed", "id",
]  # fmt: skip


class NoteForm(forms.Form):
    note = forms.CharField(max_length=2000, required=False)


@login_required
@never_cache
@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Show every alert, newest first, narrowed by the query."""
    form = _filter(request)
    page = Paginator(form.rows(), PER_PAGE).get_page(request.GET.get("page"))
    kept = {name: value for name, value in request.GET.items() if value and name not in ("page", "site")}
    context = {
        "form": form,
        "page": page,
        "is_narrowed": bool(kept),
        "query": urlencode(kept),
        "several_sites": len(form.sites) > 1,
    }
    return render(request, "alerts/history.html", context)


@login_required
@never_cache
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Answer with the same rows as CSV, times on the clock of each site."""
    form = _filter(request)
    rows = list(form.rows()[: MOST_EXPORTED + 1])
    if not form.is_valid() or len(rows) > MOST_EXPORTED:
        messages.error(request, "Mend the filter first." if form.errors else "These are too many: narrow the dates.")
        return redirect(f"{request.path.removesuffix('.csv')}/?{request.GET.urlencode()}")
    return csv_response("alerts.csv", COLUMNS, map(_row, rows))


@login_required
@never_cache
@require_safe
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one alert with its life. Opening it is noted, which answers nothing and stops no escalation."""
    found, seq = _alert_or_404(request, pk), last_seq()
    mark_seen(alert=found, by=request.user, at=timezone.now())
    return render(request, "alerts/alert.html", {**_life(found), "seq": seq})


@login_required
@never_cache
@require_safe
def life(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer with the fragment of what became of an alert."""
    return render(request, "alerts/_life.html", _life(_alert_or_404(request, pk)))


@login_required
@never_cache
@require_POST
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an alert on, with a note; of two people the first does, and the other is told who was."""

    def take(found: Alert, note: str) -> None:
        acknowledge_alert(alert=found, by=request.user, note=note, at=timezone.now())

    return _do(request, pk, take, "Acknowledged.")


@login_required
@never_cache
@require_POST
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close an alert whose cause is gone, with a note."""

    def end(found: Alert, note: str) -> None:
        if not found.is_open or not close_alert(
            site=found.site, key=found.key, by=request.user, note=note, at=timezone.now()
        ):
            raise Refusal("already_closed", "This alert is already closed.", 409)

    return _do(request, pk, end, "Closed.")


def _do(request: HttpRequest, pk: int, verb: Callable[[Alert, str], None], done: str) -> HttpResponse:
    """Do it and show the alert: in its place on a live page, else its own page."""
    found = _alert_or_404(request, pk)
    refusal = ""
    try:
        verb(found, _note(request))
    except Refusal as refused:
        refusal = refused.message
    if "HX-Request" in request.headers:
        context = {"alert": _alert_or_404(request, pk), "refusal": refusal}
        return render(request, "alerts/_alert.html", context)
    messages.add_message(request, messages.WARNING if refusal else messages.SUCCESS, refusal or done)
    return redirect("alert", pk=pk)


def _note(request: HttpRequest) -> str:
    form = NoteForm(request.POST)
    if not form.is_valid():
        raise Refusal("bad_note", " ".join(form.errors.get("note", ["This note cannot be kept."])))
    return form.cleaned_data["note"].strip()


def _filter(request: HttpRequest) -> HistoryFilter:
    if not has_role_anywhere(request.user, PEOPLE):
        raise PermissionDenied
    choice = choose_site(request)
    return HistoryFilter(request.GET, sites=choice.sites, alerts=choice.narrow(queryset_of(request.user)))


def _alert_or_404(request: HttpRequest, pk: int) -> Alert:
    found = queryset_of(request.user).select_related("site", "acknowledged_by").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _life(found: Alert) -> dict[str, Any]:
    steps = [(step.at, step_words(step.step), step.by, step.note) for step in found.steps.select_related("by")]
    deliveries = [
        (delivery, occasion_words(delivery.occasion))
        for delivery in found.deliveries.select_related("channel").order_by("created_at", "pk")
    ]
    return {"alert": found, "steps": steps, "deliveries": deliveries}


def _row(row: Alert) -> list[Any]:
    def local(at: Any) -> str:
        return f"{at.astimezone(row.site.zone):%Y-%m-%d %H:%M:%S}" if at else ""

    return [
        row.site.name, local(row.raised_at), row.severity, kind_words(row.kind), row.title, row.detail, row.state,
        row.times_raised, local(row.acknowledged_at), str(row.acknowledged_by or ""), row.note, local(row.closed_at),
        row.pk,
    ]  # fmt: skip
