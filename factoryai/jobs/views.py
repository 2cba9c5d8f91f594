"""The scheduler's page: how each job went, and running one by hand."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from factoryai.jobs.models import Job, Run
from factoryai.jobs.runs import MANAGERS, in_words, jobs_by_hand, sees_all, send_run
from factoryai.jobs.services import scheduler_status
from factoryai.rest import Refusal
from factoryai.sites.access import has_role_anywhere
from factoryai.sites.models import Site
from factoryai.sites.permissions import PEOPLE

RUNS_SHOWN = 5


@login_required
@never_cache
@require_safe
def scheduler(request: HttpRequest) -> HttpResponse:
    """Show whether the scheduler runs and how each job last went."""
    return render(request, "jobs/scheduler.html", _context(request))


@login_required
@never_cache
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Answer with the part of the page that changes."""
    return render(request, "jobs/_jobs.html", _context(request))


@login_required
@require_POST
def run(request: HttpRequest) -> HttpResponse:
    """Have a job run by a manager's hand: for one site of the manager's or all, from a local day on or as it is due."""
    if not has_role_anywhere(request.user, MANAGERS):
        raise PermissionDenied
    try:
        day = _day(request.POST.get("for", ""))
        slug = request.POST.get("site") or None
        send_run(name=request.POST.get("job", ""), by=request.user, slug=slug, day=day, at=timezone.now())
    except Refusal as refusal:
        if refusal.status == 404:
            raise Http404 from refusal
        messages.error(request, refusal.message)
    return redirect("scheduler")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refusal("bad_date", "Write a date like 2026-03-01.") from error


def _said(summary: str) -> str:
    """Return the kept counts of a run in words; what is no table of counts stays as it is."""
    try:
        counts = json.loads(summary)
    except ValueError:
        return summary
    return in_words(counts) if isinstance(counts, dict) else summary


def _context(request: HttpRequest) -> dict[str, Any]:
    if not has_role_anywhere(request.user, PEOPLE):
        raise PermissionDenied
    tells_all, hands = sees_all(request.user), jobs_by_hand()
    status = scheduler_status(at=timezone.now(), tells_all=tells_all)
    said = dict(Job.objects.values_list("name", "last_summary")) if tells_all else {}
    runs = list(Run.objects.filter(by=request.user).select_related("site")[:RUNS_SHOWN])
    for row in status["jobs"]:
        row["summary"] = _said(said.get(row["name"], ""))
        row["about"] = hands[row["name"]].about if row["name"] in hands else ""
    return {
        "status": status,
        "runs": runs,
        "is_busy": any(not one.is_over for one in runs),
        "by_hand": sorted(hands),
        "may_run": has_role_anywhere(request.user, MANAGERS),
        "sites": Site.objects.visible_to(request.user, MANAGERS),
    }
