"""Pages for security: the log of the gate, the visits, one visit, and the reads that a person must look at."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from factoryai.alerts.events import last_seq
from factoryai.alerts.models import Alert
from factoryai.csv_export import csv_response
from factoryai.rest import Refusal
from factoryai.sites.access import has_role_anywhere
from factoryai.sites.choice import choose_site
from streaming.models import Camera
from vehicles.forms import LogForm, SaidForm
from vehicles.models import ListEntry, PlateRead, Visit
from vehicles.querysets import GUARDS
from vehicles.services.alarms import BLOCKED
from vehicles.services.review import decide_read
from vehicles.wording import WHY, reasons_in_words

PER_PAGE = 50
MOST_EXPORTED = 50_000
MOST_PAGES = 10_000
COLUMNS = (
    "time", "site", "camera", "direction", "plate", "read as", "verdict", "confidence", "reasons", "gate", "why",
    "blocked", "visit", "review",
)  # fmt: skip


def _require_guard(request: HttpRequest) -> None:
    if not has_role_anywhere(request.user, GUARDS):
        raise PermissionDenied


def _reads(request: HttpRequest) -> Any:
    """Return the reads of the chosen site, or of all."""
    return choose_site(request).narrow(_all_reads(request))


def _all_reads(request: HttpRequest) -> Any:
    rows = PlateRead.objects.visible_to(request.user, GUARDS)
    return rows.select_related("site", "camera", "snapshot", "visit")


def _zone(request: HttpRequest) -> ZoneInfo:
    """Return the zone in which the days of a filter are meant: that of the first site."""
    return next((site.zone for site in choose_site(request).sites), ZoneInfo("UTC"))


def _page(request: HttpRequest, rows: QuerySet) -> dict[str, Any]:
    """Return one page of rows without counting them all: a log has millions."""
    asked = request.GET.get("page", "1")
    number = min(int(asked), MOST_PAGES) if asked.isascii() and asked.isdecimal() and len(asked) < 9 else 1
    number = max(number, 1)
    found = list(rows[(number - 1) * PER_PAGE : number * PER_PAGE + 1])
    choice = choose_site(request)
    kept = {name: value for name, value in request.GET.items() if name not in ("page", "site") and value}
    query = {**kept, "site": choice.slug} if choice.is_needed else kept
    return {
        "is_narrowed": bool(kept),
        "rows": found[:PER_PAGE],
        "number": number,
        "newer": f"?{urlencode({**query, 'page': number - 1})}" if number > 1 else "",
        "older": f"?{urlencode({**query, 'page': number + 1})}" if len(found) > PER_PAGE else "",
        "query": urlencode(query),
    }


def _log(request: HttpRequest) -> dict[str, Any]:
    form = _form(request)
    page = _page(request, form.filter(_reads(request)))
    several = len({read.site_id for read in page["rows"]}) > 1
    return {"form": form, "page": page, "several_sites": several, **_standing(request)}


def _form(request: HttpRequest) -> LogForm:
    cameras = choose_site(request).narrow(Camera.objects.visible_to(request.user, GUARDS).with_role("gate"))
    return LogForm(request.GET, cameras=cameras, zone=_zone(request))


def _standing(request: HttpRequest) -> dict[str, Any]:
    """Return what stands above every page: who is inside, what waits, and alarms that nobody has taken on."""
    choice = choose_site(request)
    alarms = choice.narrow(Alert.objects.visible_to(request.user, GUARDS)).unanswered().filter(kind=BLOCKED)
    return {
        "seq": last_seq(),
        "inside": _visits(request).still_open().count(),
        "waiting": _reads(request).awaiting_review().doubtful().count(),
        "alarms": alarms.select_related("site", "acknowledged_by")[:10],
    }


def _visits(request: HttpRequest) -> Any:
    rows = choose_site(request).narrow(Visit.objects.visible_to(request.user, GUARDS))
    return rows.select_related("site", "vehicle", "alert")


@login_required
@never_cache
@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Show what was read at the gates, the newest first; the same address answers a refresh with the table alone."""
    _require_guard(request)
    template = "vehicles/_log.html" if request.headers.get("HX-Request") else "vehicles/log.html"
    return render(request, template, _log(request))


@login_required
@never_cache
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Answer with the newest of the filtered log as CSV."""
    _require_guard(request)
    form = _form(request)
    reads = form.filter(_reads(request))[:MOST_EXPORTED]
    return csv_response("vehicle-log.csv", COLUMNS, map(_cells, reads.iterator(chunk_size=1000)))


def _cells(read: PlateRead) -> tuple[Any, ...]:
    return (
        read.captured_at.astimezone(read.site.zone).isoformat(timespec="seconds"), read.site.name,
        read.camera.name if read.camera else "", read.direction, read.plate, read.raw, read.get_verdict_display(),
        f"{read.confidence:.3f}", reasons_in_words(read.reasons), read.get_decision_display(), WHY.get(read.why, ""),
        read.level, read.visit_id or "", read.get_review_display() if read.review else "",
    )  # fmt: skip


@login_required
@never_cache
@require_safe
def visits(request: HttpRequest) -> HttpResponse:
    """Show the stays of vehicles; without a filter those that are inside."""
    _require_guard(request)
    state = request.GET.get("state", Visit.State.OPEN)
    rows = _visits(request)
    if state in Visit.State.values:
        rows = rows.filter(state=state)
    if plate := request.GET.get("plate", "").strip():
        rows = rows.spelled(plate)
    context = {
        "page": _page(request, rows),
        "state": state,
        "states": [*Visit.State.choices, ("all", "All")],
        "plate": plate[:64],
        "now": timezone.now(),
        **_standing(request),
    }
    context["several_sites"] = len({visit.site_id for visit in context["page"]["rows"]}) > 1
    template = "vehicles/_visits.html" if request.headers.get("HX-Request") else "vehicles/visits.html"
    return render(request, template, context)


@login_required
@never_cache
@require_safe
def visit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one visit: when, how surely, its alert, its reads, and what was asked of the gate."""
    found = _visit_or_404(request, pk)
    entries = ListEntry.objects.visible_to(request.user).filter(match_key=found.match_key)
    here = entries.filter(site=found.site) | entries.filter(site__isnull=True)
    now = timezone.now()
    context = {
        "visit": found,
        "alerts": _alerts_of(request, found),
        "reads": _all_reads(request).filter(visit=found)[:PER_PAGE],
        "openings": found.openings.select_related("gate__camera"),
        "entries": [(entry, entry.standing(now)) for entry in here.select_related("added_by", "site")],
        "others": Visit.objects.genuine().filter(vehicle=found.vehicle_id).exclude(pk=found.pk)[:10],
        "add_query": urlencode({"plate": found.plate, "site": found.site_id}),
        "now": now,
        "seq": last_seq(),
    }
    template = "vehicles/_visit.html" if request.headers.get("HX-Request") else "vehicles/visit.html"
    return render(request, template, context)


def _alerts_of(request: HttpRequest, visit: Visit) -> Any:
    keys = [f"visit-{visit.pk}", f"watched-visit-{visit.pk}"]
    rows = Alert.objects.visible_to(request.user, GUARDS).filter(site=visit.site, key__in=keys)
    return rows.select_related("acknowledged_by", "site")


def _visit_or_404(request: HttpRequest, pk: int) -> Visit:
    rows = Visit.objects.visible_to(request.user, GUARDS).select_related("site", "vehicle", "alert")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


PAGE_KEYS = [("a", "Accept"), ("c", "Correct"), ("d", "Discard"), ("1", "Take the first of what it may be …")]
KINDS = {"doubtful": "Doubtful plates", "other": "Not the form of a plate"}


@login_required
@never_cache
@require_safe
def review(request: HttpRequest) -> HttpResponse:
    """Show the next read that waits for a person, large, with what it may be."""
    _require_guard(request)
    kind = request.GET.get("kind", "doubtful")
    kind = kind if kind in KINDS else "doubtful"
    waiting = _waiting(request, kind)
    asked = request.GET.get("read", "")
    chosen = (
        waiting.filter(pk=int(asked)).first() if asked.isascii() and asked.isdecimal() and len(asked) < 19 else None
    )
    context = {
        "read": chosen or waiting.first(),
        "count": waiting.count(),
        "kind": kind,
        "kinds": [(name, title, _waiting(request, name).count()) for name, title in KINDS.items()],
        "page_keys": PAGE_KEYS,
    }
    return render(request, "vehicles/review.html", context)


def _waiting(request: HttpRequest, kind: str) -> Any:
    """Return what waits, alarms first, then the newest: a car at the gate does not wait behind one of yesterday."""
    rows = _reads(request).awaiting_review().order_by("-level", "-captured_at", "-pk")
    return rows.doubtful() if kind == "doubtful" else rows.filter(verdict=PlateRead.Verdict.INVALID)


@login_required
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Do what the pressed button says with one read, and show the next."""
    rows = PlateRead.objects.visible_to(request.user, GUARDS).filter(pk=pk)
    read = rows.select_related("site", "vehicle", "camera")
    form = SaidForm(request.POST)
    if not (found := read.first()) or not form.is_valid():
        raise Http404
    kind = form.cleaned_data["kind"] if form.cleaned_data["kind"] in KINDS else "doubtful"
    back = f"{reverse('plates-review')}?kind={kind}"
    said = {name: form.cleaned_data[name] for name in ("verb", "plate")}
    try:
        decided = decide_read(read=found, by=request.user, at=timezone.now(), **said)
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect(back if refusal.status == 409 else f"{back}&read={found.pk}")
    words = {"accept": "Accepted", "correct": "Corrected", "discard": "Discarded"}[said["verb"]]
    if decided.level:
        messages.error(request, f"{words}: {decided.plate} is blocked. The alarm was raised.")
    else:
        messages.success(request, f"{words}: {decided.plate}." if said["verb"] != "discard" else "Discarded.")
    return redirect(back)
