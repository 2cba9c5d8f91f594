"""Pages: who is inside, one zone over time, and what is typical for it."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from factoryai.csv_export import csv_response
from factoryai.rest import Refusal
from factoryai.sites.access import has_role_anywhere, roles_at
from factoryai.sites.choice import choose_site
from factoryai.sites.models import Role
from factoryai.sites.permissions import PEOPLE
from factoryai.sites.role_admin import holds
from occupancy.charts import Bar, draw_chart, draw_signed
from occupancy.models import Zone
from occupancy.rules.trends import HOURS, WEEKDAYS
from occupancy.services.areas import areas_now
from occupancy.services.corrections import CORRECTORS, correct_zone
from occupancy.services.present import present_zone, present_zones
from occupancy.services.reports import Period, Span, drifts, local_day, quality_of, rows_of, span_of
from occupancy.services.trends import Trends, trends_of

WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
QUALITY_DAYS = 30
MOST_PEOPLE = 1_000_000
COLUMNS = ["site", "zone", "time", "average", "peak", "low", "entries", "exits", "logs", "complete"]


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show how many people are inside every zone, against its capacity."""
    return render(request, "occupancy/overview.html", _now(request))


@login_required
@never_cache
@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """Answer with the fragment of the counts."""
    return render(request, "occupancy/_now.html", _now(request))


@login_required
@never_cache
@require_safe
def zone(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one zone: a day by hour, a week or a month by day, and its drift over time."""
    found, at = _zone_or_404(request, pk), timezone.now()
    span = _span(request, found, at)
    rows = rows_of(found, span, at)
    chart = draw_chart([row.as_bar() for row in rows], title=title_of(span, found, at), capacity=found.capacity)
    held = roles_at(request.user, found.site)
    changes = drifts(found)
    resets = [(f"{change.local:%d %b}", change.drift) for change in reversed(changes)]
    context = {
        **_zone_context(found, span.period),
        "span": span,
        "title": title_of(span, found, at),
        "rows": rows,
        "chart": mark_safe(chart),  # noqa: S308  draw_chart escapes every text in it
        "present": present_zone(found, at),
        "drifts": changes,
        "drift_chart": mark_safe(draw_signed(resets, title="What the count was wrong by")),  # noqa: S308  escaped too
        "quality": quality_of(found, span_of(Period.WEEK, None, local_day(found, at)).days),
        "may_correct": not held.isdisjoint(CORRECTORS),
        "may_run": Role.MANAGER in held,
        "once": uuid.uuid4(),
    }
    return render(request, "occupancy/zone.html", context)


@login_required
@never_cache
@require_safe
def trends(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what is typical for a zone: a working day by hour, the fullest hours, month against month."""
    found = _zone_or_404(request, pk)
    seen = trends_of(found, timezone.now())
    curve = [_typical_bar(seen, hour) for hour in HOURS]
    chart = draw_chart(curve, title="A typical day, Monday to Friday", capacity=found.capacity)
    context = {
        **_zone_context(found, "trends"),
        "trends": seen,
        "chart": mark_safe(chart),  # noqa: S308  draw_chart escapes every text in it
        "hours": HOURS,
        "week": [(WEEKDAY_NAMES[day], [_cell(seen, day, hour) for hour in HOURS]) for day in WEEKDAYS],
        "peaks": [(WEEKDAY_NAMES[day], f"{hour:02}:00", seen.typical[day, hour]) for day, hour in seen.peaks],
        "months": [(month, _percent(seen.growth[month.date])) for month in reversed(seen.months)],
    }
    return render(request, "occupancy/trends.html", context)


@login_required
@never_cache
@require_safe
def export(request: HttpRequest, pk: int, period: str) -> HttpResponse:
    """Answer with the table of a period as CSV; an hour that still runs is left out."""
    found, at = _zone_or_404(request, pk), timezone.now()
    if period not in list(Period):
        raise Http404
    span = span_of(Period(period), _date(request), local_day(found, at))
    rows = [
        [
            found.site.name, found.name, row.stamp, f"{row.total.average:.2f}", row.total.peak, row.total.low,
            row.total.entries, row.total.exits, row.total.logs, "yes" if row.total.is_complete else "no",
        ]
        for row in rows_of(found, span, at)
        if row.total and not row.is_running
    ]  # fmt: skip
    return csv_response(f"occupancy-{found.pk}-{period}-{span.first}.csv", COLUMNS, rows)


@login_required
@require_POST
def correct(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the count of a zone by a person's word; the same form sent twice is one correction."""
    found = _zone_or_404(request, pk)
    if roles_at(request.user, found.site).isdisjoint(CORRECTORS):
        raise PermissionDenied
    try:
        log = correct_zone(
            zone=found,
            count=_people(request.POST.get("count", "")),
            reason=request.POST.get("reason", ""),
            by=request.user,
            event_id=request.POST.get("once", "")[:100] or str(uuid.uuid4()),
            at=timezone.now(),
        )
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"The count is {log.count} now; it was wrong by {log.drift}.")
    return redirect("occupancy-zone", pk=pk)


def title_of(span: Span, zone: Zone, at: datetime) -> str:
    """Return what a chart shows, for its heading."""
    if span.period is Period.DAY:
        return f"People inside on {span.first:%A, %d %B %Y}, by hour"
    if span.period is Period.WEEK:
        return f"People inside from {span.first:%d %B} to {span.last:%d %B %Y}, by day"
    return f"People inside in {span.first:%B %Y}, by day"


def _now(request: HttpRequest) -> dict[str, Any]:
    """Return what is inside now at the chosen site, or at all."""
    if not has_role_anywhere(request.user, PEOPLE):
        raise PermissionDenied
    at, choice = timezone.now(), choose_site(request)
    zones = [item for item in present_zones(request.user, at) if choice.shows(item.zone.site_id)]
    areas = [area for area in areas_now(request.user, at) if choice.shows(area.camera.site_id)]
    return {"zones": zones, "areas": areas, "at": at, "may_add": holds(request, (Role.MANAGER,))}


def _zone_context(found: Zone, current: str) -> dict[str, Any]:
    return {"zone": found, "current": current, "periods": list(Period)}


def _span(request: HttpRequest, found: Zone, at: datetime) -> Span:
    wanted = request.GET.get("period", "day")
    period = Period(wanted) if wanted in list(Period) else Period.DAY
    return span_of(period, _date(request), local_day(found, at))


def _date(request: HttpRequest) -> date | None:
    """Return the date of the address; one that makes no sense is the newest."""
    try:
        found = date.fromisoformat(request.GET.get("date", ""))
    except ValueError:
        return None
    return found if found.year >= 2000 else None


def _people(text: str) -> int:
    try:
        count = int(text)
    except ValueError:
        count = -1
    if not 0 <= count <= MOST_PEOPLE:
        raise Refusal("bad_correction", "A correction needs a whole number of people, 0 or more.")
    return count


def _typical_bar(seen: Trends, hour: int) -> Bar:
    typical = seen.weekday.get(hour)
    if typical is None:
        return Bar(f"{hour:02}:00")
    return Bar(f"{hour:02}:00", typical.average, round(typical.peak), round(typical.low))


def _cell(seen: Trends, weekday: int, hour: int) -> tuple[float, int] | None:
    """Return the average of an hour of the week and its shade from 0 to 4; None where nothing was summed."""
    typical = seen.typical.get((weekday, hour))
    if typical is None:
        return None
    return typical.average, round(4 * typical.average / seen.highest) if seen.highest else 0


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{100 * share:+.0f} %"


def _zone_or_404(request: HttpRequest, pk: int) -> Zone:
    found = Zone.objects.visible_to(request.user, PEOPLE).with_counts().select_related("site").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
