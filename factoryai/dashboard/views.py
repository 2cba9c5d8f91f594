"""Pages: the landing of each role, the refresh of each block, and the first steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from factoryai.alerts.events import last_seq
from factoryai.dashboard.asker import Asker
from factoryai.dashboard.blocks import BLOCKS, show_block, show_blocks
from factoryai.dashboard.reading import DESK
from factoryai.dashboard.steps import DISMISSED, Step, first_steps, own_sites, steps_left
from factoryai.rest import Refusal
from factoryai.sites.models import Role
from streaming.querysets import WATCHERS

SCREEN = ("alerts", "gate", "faces", "cameras", "inside", "today", "queue", "health")
OVERVIEW = ("sites", "alerts", "queue", "health")
HR_DESK = ("today", "queue", "alerts", "faces", "inside")
KEYS = (("j k", "Next and previous alert"), ("x", "Note on this alert; Enter acknowledges"), ("m", "Sound on or off"))
A_YEAR_S = 365 * 24 * 3600


@login_required
@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Open on what the person's role needs: the overview of several sites, security's screen, or HR's desk."""
    asker = Asker.of(request)
    if not asker.choice.offered:
        if request.user.is_superuser:
            return redirect("start")
        raise PermissionDenied
    if len(asker.choice.sites) > 1 and asker.may((Role.MANAGER,)):
        return _overview(asker)
    return _screen(asker) if asker.may(WATCHERS) else _desk(asker)


@login_required
@never_cache
@require_safe
def screen(request: HttpRequest) -> HttpResponse:
    """Show security's screen, over all sites as well."""
    return _screen(_asker(request, WATCHERS))


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show the manager's overview."""
    return _overview(_asker(request, (Role.MANAGER,)))


@login_required
@never_cache
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """Show HR's desk."""
    return _desk(_asker(request, DESK))


@login_required
@never_cache
@require_safe
def block(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with one block alone, as the page holds it."""
    asker = Asker.of(request)
    if name not in BLOCKS or not asker.may(BLOCKS[name].roles):
        raise Http404
    return HttpResponse(show_block(BLOCKS[name], asker).html)


@login_required
@never_cache
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Show the first steps."""
    return _start(Asker.of(request))


@login_required
@never_cache
@require_POST
def do_step(request: HttpRequest, key: str) -> HttpResponse:
    """Do one step; what does not make sense is told beside its field."""
    asker = Asker.of(request)
    step = next((step for step in first_steps(asker) if step.key == key), None)
    if step is None or not _may(asker, step):
        raise Http404
    form = step.form(request.POST, request.FILES, sites=_sites_for(asker, step))
    if form.is_valid():
        try:
            messages.success(request, form.do(by=request.user, at=asker.at))
        except (Refusal, ValidationError) as refused:
            form.add_error(None, getattr(refused, "message", None) or " ".join(refused.messages))
        else:
            return redirect("start")
    return _start(asker, form, status=400)


@login_required
@require_POST
def dismiss(request: HttpRequest) -> HttpResponse:
    """Put the reminder of the first steps away, in this browser."""
    response = redirect("home")
    response.set_cookie(DISMISSED, "away", max_age=A_YEAR_S, httponly=True, samesite="Lax", secure=request.is_secure())
    return response


def _asker(request: HttpRequest, roles: Iterable[str]) -> Asker:
    asker = Asker.of(request)
    if not asker.may(roles):
        raise PermissionDenied
    return asker


def _screen(asker: Asker) -> HttpResponse:
    return _page(asker, "dashboard/screen.html", SCREEN, asker.choice.name.capitalize())


def _overview(asker: Asker) -> HttpResponse:
    return _page(asker, "dashboard/overview.html", OVERVIEW, "Overview")


def _desk(asker: Asker) -> HttpResponse:
    return _page(asker, "dashboard/desk.html", HR_DESK, f"Today at {asker.choice.name}")


def _page(asker: Asker, template: str, names: Iterable[str], heading: str) -> HttpResponse:
    """Render a page of blocks. The number of the last event is read first: what happens meanwhile is heard again."""
    context: dict[str, Any] = {"seq": last_seq(), "heading": heading, "page_keys": KEYS}
    context["blocks"] = show_blocks([name for name in names if name in BLOCKS], asker)
    context["steps_left"] = steps_left(asker)
    context["elsewhere"] = _elsewhere(asker, template)
    return render(asker.request, template, context)


def _elsewhere(asker: Asker, template: str) -> list[tuple[str, str]]:
    """Return the other screens of who has several: the rows of all sites, their cameras and alerts, HR's desk."""
    screens = (
        ("overview", "All sites in rows", (Role.MANAGER,), asker.choice.is_needed),
        ("screen", "Cameras and alerts", WATCHERS, True),
        ("desk", "HR’s desk", DESK, True),
    )
    return [
        (name, label)
        for name, label, roles, is_wanted in screens
        if is_wanted and asker.may(roles) and f"dashboard/{name}.html" != template
    ]


def _start(asker: Asker, given: Any = None, status: int = 200) -> HttpResponse:
    steps = first_steps(asker)
    if not steps:
        raise PermissionDenied
    rows = [(step, _form(asker, step, given)) for step in steps]
    context = {"rows": rows, "left": sum(not step.is_done for step in steps), "next": _next(steps)}
    return render(asker.request, "dashboard/start.html", context, status=status)


def _next(steps: list[Step]) -> str:
    return next((step.key for step in steps if not step.is_done), "")


def _form(asker: Asker, step: Step, given: Any) -> Any:
    """Return the form of a step; None where the person may not do it, or has no site yet to do it for."""
    if given is not None and given.step == step.key:
        return given
    sites = _sites_for(asker, step)
    return step.form(sites=sites) if _may(asker, step) and (sites or step.form.roles is None) else None


def _may(asker: Asker, step: Step) -> bool:
    return asker.user.is_superuser if step.form.roles is None else asker.may(step.form.roles)


def _sites_for(asker: Asker, step: Step) -> list[Any]:
    """Return the sites a step may be done for; the demonstration only while there is no other."""
    sites = asker.sites_as(step.form.roles or ())
    own = set(own_sites(asker))
    return [site for site in sites if site in own] or ([] if asker.user.is_superuser else sites)
