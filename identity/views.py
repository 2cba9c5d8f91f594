"""The page on which people say who the faces are that nobody could name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from factoryai.rest import Refusal
from factoryai.sites.access import has_role_anywhere
from factoryai.sites.choice import choose_site
from factoryai.sites.models import Role
from identity.forms import FaceForm
from identity.models import Employee, Face, Sighting, UnknownFace
from identity.querysets import FACE_ROLES, STRANGER_ROLES
from identity.services.review import name_unknown
from identity.services.sightings import decide_sighting
from identity.services.unknowns import dismiss_unknown, mark_visitor, merge_unknown

PER_PAGE = 24
MOST_OFFERED = 2000
"""People offered by name while typing; a code that is typed works for everybody."""


@login_required
@never_cache
@require_safe
def review(request: HttpRequest) -> HttpResponse:
    """Show what waits: doubtful sightings to HR and managers, unknown faces to security as well."""
    if not has_role_anywhere(request.user, STRANGER_ROLES):
        raise PermissionDenied
    newest = Prefetch("sightings", Sighting.objects.select_related("camera")[:1], to_attr="newest")
    choice = choose_site(request)
    unknowns = choice.narrow(_unknowns(request)).select_related("site", "snapshot").defer("mean")
    page = Paginator(unknowns.prefetch_related(newest), PER_PAGE).get_page(request.GET.get("page"))
    waiting = choice.narrow(_doubtful(request))
    photos = Prefetch("employee__faces", Face.objects.select_related("snapshot")[:1], to_attr="photos")
    rows = waiting.select_related("site", "camera", "employee", "snapshot").prefetch_related(photos)
    doubtful = list(rows[:PER_PAGE])
    sites = {row.site_id for row in (*page, *doubtful)}
    context = {
        "page": page,
        "doubtful": doubtful,
        "doubtful_count": waiting.count(),
        "people": _offered(request).filter(site__in=sites)[:MOST_OFFERED],
        "may_name": has_role_anywhere(request.user, (Role.HR,)),
        "several_sites": len(sites) > 1,
    }
    return render(request, "identity/review.html", context)


@login_required
@never_cache
@require_POST
def decide_unknown(request: HttpRequest, pk: int) -> HttpResponse:
    """Do what the pressed button says with one unknown face, and go back to the page."""
    unknown = UnknownFace.objects.visible_to(request.user, STRANGER_ROLES).select_related("site").filter(pk=pk).first()
    verb = UNKNOWN_VERBS.get(request.POST.get("verb", ""))
    if unknown is None or verb is None:
        raise Http404
    return _do(request, lambda form: verb(request, unknown, form))


@login_required
@never_cache
@require_POST
def decide_doubtful(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm, correct or reject one doubtful sighting, and go back to the page."""
    sighting = Sighting.objects.visible_to(request.user, (Role.HR,)).select_related("site", "employee").filter(pk=pk)
    verb = request.POST.get("verb", "")
    if not (found := sighting.first()) or verb not in ("confirm", "correct", "reject"):
        raise Http404
    return _do(request, lambda form: _decide(request, found, verb, form))


def _do(request: HttpRequest, act: Callable[[FaceForm], str]) -> HttpResponse:
    form = FaceForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(error for errors in form.errors.values() for error in errors))
        return redirect("faces-review")
    try:
        messages.success(request, act(form))
    except Refusal as refusal:
        messages.error(request, refusal.message)
    return redirect("faces-review")


def _assign(request: HttpRequest, unknown: UnknownFace, form: FaceForm) -> str:
    employee = _employee(request, unknown.site_id, form.cleaned_data["employee"])
    sightings = name_unknown(
        unknown=unknown,
        employee=employee,
        by=request.user,
        at=timezone.now(),
        creates_punches=form.cleaned_data["punch"],
        enrols=form.cleaned_data["enrol"],
    )
    count = len(sightings)
    return f"{employee}: {count} sighting{'' if count == 1 else 's'} assigned."


def _visitor(request: HttpRequest, unknown: UnknownFace, form: FaceForm) -> str:
    mark_visitor(unknown=unknown, label=form.cleaned_data["label"], by=request.user, at=timezone.now())
    return "Marked as a visitor."


def _dismiss(request: HttpRequest, unknown: UnknownFace, form: FaceForm) -> str:
    dismiss_unknown(unknown=unknown, by=request.user, at=timezone.now())
    return "Dismissed."


def _merge(request: HttpRequest, unknown: UnknownFace, form: FaceForm) -> str:
    into = _unknowns(request).filter(pk=form.cleaned_data["into"] or 0).first()
    if into is None:
        raise Refusal("not_found", "Write the number of another open face.")
    merge_unknown(unknown=unknown, into=into, by=request.user, at=timezone.now())
    return f"Merged into face {into.pk}."


UNKNOWN_VERBS = {"assign": _assign, "visitor": _visitor, "dismiss": _dismiss, "merge": _merge}


def _decide(request: HttpRequest, sighting: Sighting, verb: str, form: FaceForm) -> str:
    employee = {
        "confirm": lambda: sighting.employee,
        "correct": lambda: _employee(request, sighting.site_id, form.cleaned_data["employee"]),
        "reject": lambda: None,
    }[verb]()
    decide_sighting(sighting=sighting, employee=employee, by=request.user, at=timezone.now())
    return f"Confirmed: {employee}." if employee else "Rejected."


def _employee(request: HttpRequest, site: int, code: str) -> Employee:
    """Find a person by the code before the first blank, as the list offers it; HR only."""
    words = code.split()
    found = _offered(request).filter(site=site, code__iexact=words[0]).first() if words else None
    if found is None:
        raise Refusal("unknown_employee", "There is nobody with this code at the site. Choose from the list.")
    return found


def _offered(request: HttpRequest) -> Any:
    return Employee.objects.visible_to(request.user, (Role.HR,)).filter(is_active=True).order_by("code")


def _unknowns(request: HttpRequest) -> Any:
    return UnknownFace.objects.visible_to(request.user, STRANGER_ROLES).still_open()


def _doubtful(request: HttpRequest) -> Any:
    return Sighting.objects.visible_to(request.user, FACE_ROLES).awaiting_review()
