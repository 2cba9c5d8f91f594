"""Pages: who is inside, and one zone over time."""

from __future__ import annotations

import csv

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from factoryai.sites.permissions import PEOPLE
from occupancy.charts import draw_chart
from occupancy.models import Zone
from occupancy.services.present import present_zones
from occupancy.services.reports import PERIODS, drifts, rows_of

TITLES = {"today": "People inside today, by hour", "week": "The last 7 days", "month": "The last 31 days"}


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show how many people are inside every zone, against its capacity."""
    return render(request, "occupancy/overview.html", {"zones": present_zones(request.user, timezone.now())})


@login_required
@never_cache
@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """Answer with the fragment of the counts."""
    return render(request, "occupancy/_now.html", {"zones": present_zones(request.user, timezone.now())})


@login_required
@never_cache
@require_safe
def zone(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one zone: today by hour, a week or a month by day, and its drift over time."""
    found, at = _zone_or_404(request, pk), timezone.now()
    period = request.GET.get("period", "today")
    period = period if period in PERIODS else "today"
    rows = rows_of(found, period, at)
    chart = draw_chart([row.as_bar() for row in rows], title=TITLES[period], capacity=found.capacity)
    context = {
        "zone": found,
        "period": period,
        "titles": TITLES,
        "rows": rows,
        "chart": mark_safe(chart),  # noqa: S308  draw_chart escapes every text in it
        "drifts": drifts(found),
    }
    return render(request, "occupancy/zone.html", context)


@login_required
@never_cache
@require_safe
def export(request: HttpRequest, pk: int, period: str) -> HttpResponse:
    """Answer with the table of a period as CSV."""
    found = _zone_or_404(request, pk)
    if period not in PERIODS:
        raise Http404
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="occupancy-{found.pk}-{period}.csv"'
    writer = csv.writer(response)
    writer.writerow(["time", "average", "peak", "low", "entries", "exits", "logs", "complete"])
    for row in rows_of(found, period, timezone.now()):
        if total := row.total:
            figures = (total.peak, total.low, total.entries, total.exits, total.logs)
            writer.writerow([row.label, f"{total.average:.2f}", *figures, "yes" if total.is_complete else "no"])
    return response


def _zone_or_404(request: HttpRequest, pk: int) -> Zone:
    found = Zone.objects.visible_to(request.user, PEOPLE).select_related("site").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
