"""Day records to look at, and a person's month on one page."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString

from attendance.admin.local_time import SiteClock
from attendance.admin.showing import HR, DepartmentFilter, RecentFilter, SiteFilter, badge, local, month_link
from attendance.models import DayRecord, Decision, Flag, LimitWarning, Punch
from attendance.models.days import Review, hours
from attendance.models.shifts import check_date
from attendance.rules.intervals import midnight
from attendance.rules.shifts import DAY, days_between
from attendance.services.ledger import ledger_of
from attendance.services.limits import minutes_beyond_law
from factoryai.sites.role_admin import ReadOnly, RoleAdmin
from identity.models import Employee

LEVELS = {
    DayRecord.Status.PRESENT: "ok", DayRecord.Status.HALF_DAY: "look", DayRecord.Status.ABSENT: "bad",
    DayRecord.Status.HOLIDAY: "calm", DayRecord.Status.WEEK_OFF: "calm", DayRecord.Status.ON_LEAVE: "calm",
}  # fmt: skip


class FlagInline(ReadOnly, admin.TabularInline):
    model = Flag
    fields = ["kind", "minutes", "why", "review", "reviewed_by", "note"]
    readonly_fields = fields
    extra = 0


@admin.register(DayRecord)
class DayRecordAdmin(SiteClock, RoleAdmin, admin.ModelAdmin):
    rank = 2
    view_roles = HR
    list_display = [
        "date",
        "person",
        "department",
        "shift",
        "status_badge",
        "entered",
        "left",
        "worked",
        "extra",
        "state",
    ]
    list_filter = [RecentFilter, "status", "state", ("site", SiteFilter), DepartmentFilter]
    search_fields = ["employee__name", "=employee__code"]
    search_help_text = "Name or code of the person"
    date_hierarchy = "shift_date"
    list_per_page = 50
    show_full_result_count = False
    inlines = [FlagInline]
    fieldsets = [
        (None, {"fields": ["employee", "shift_date", "version", "status", "leave", "state", "period"]}),
        ("Times at the site", {"fields": [("starts_at", "ends_at"), ("first_in", "last_out"), "closes_at"]}),
        ("Minutes", {"fields": [
            ("worked_minutes", "scheduled_minutes", "overtime_minutes"),
            "by_date",
            ("after_start_minutes", "past_grace_minutes", "grace_used_minutes", "early_exit_minutes"),
        ]}),
    ]  # fmt: skip
    readonly_fields = ["after_start_minutes", "by_date"]

    class Media:
        css = {"all": ["css/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[DayRecord]:
        return super().get_queryset(request).with_names()

    def get_urls(self) -> list[URLPattern]:
        month = path(
            "person/<int:employee>/<str:month>/", self.admin_site.admin_view(self.month_view), name="attendance-month"
        )
        return [month, *super().get_urls()]

    @admin.display(description="date", ordering="shift_date")
    def date(self, day: DayRecord) -> str:
        return f"{day.shift_date:%a %d %b %Y}"

    @admin.display(description="person", ordering="employee__name")
    def person(self, day: DayRecord) -> SafeString:
        return month_link(day.employee, day.shift_date)

    @admin.display(description="department")
    def department(self, day: DayRecord) -> str:
        return day.employee.department or "—"

    @admin.display(description="shift")
    def shift(self, day: DayRecord) -> str:
        return str(day.version) if day.version else "—"

    @admin.display(description="status", ordering="status")
    def status_badge(self, day: DayRecord) -> SafeString:
        return badge(day.get_status_display() or "no shift", LEVELS.get(day.status, "look"))  # type: ignore[call-overload]

    @admin.display(description="in")
    def entered(self, day: DayRecord) -> str:
        return local(day.first_in, day.site.zone)

    @admin.display(description="out")
    def left(self, day: DayRecord) -> str:
        return local(day.last_out, day.site.zone)

    @admin.display(description="worked", ordering="worked_minutes")
    def worked(self, day: DayRecord) -> str:
        return day.worked_hours

    @admin.display(description="worked by date")
    def by_date(self, day: DayRecord) -> str:
        return day.hours_by_date or "all on its own date"

    @admin.display(description="overtime", ordering="overtime_minutes")
    def extra(self, day: DayRecord) -> str:
        return day.overtime_hours if day.overtime_minutes else "—"

    def month_view(self, request: HttpRequest, employee: int, month: str) -> TemplateResponse:
        """One person's month: every day with its punches, flags and decisions, the sums and the ledger."""
        person = get_object_or_404(Employee.objects.visible_to(request.user, HR).select_related("site"), pk=employee)
        try:
            first = dt.date.fromisoformat(f"{month}-01")
            check_date(first)
        except (ValueError, ValidationError) as error:
            raise Http404 from error
        context = {
            **self.admin_site.each_context(request),
            **month_context(person, first),
            "title": f"{person.name}, {first:%B %Y}",
            "opts": self.model._meta,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/attendance/month.html", context)


def month_context(person: Employee, first: dt.date) -> dict[str, Any]:
    """Return what the page of a month shows; ten queries whatever happened in it."""
    last = (first + 31 * DAY).replace(day=1) - DAY
    records: dict[dt.date, list[DayRecord]] = defaultdict(list)
    found = DayRecord.objects.filter(employee=person).dated(first, last).with_names()
    for record in found.prefetch_related("flags__reviewed_by").order_by("shift_date", "starts_at"):
        records[record.shift_date].append(record)
    punches = _punches(person, first, last)
    beyond = minutes_beyond_law(person, first, last)
    rows = [{"date": day, "records": records[day], "punches": punches[day]} for day in days_between(first, last)]
    return {
        "person": person,
        "zone": person.site.zone,
        "month": first,
        "rows": [row for row in rows if row["records"] or row["punches"]],
        "sums": _sums(person, first, last),
        "ledger": ledger_of(person, first),
        "beyond_law": None if beyond is None else hours(beyond),
        "warnings": LimitWarning.objects.filter(employee=person, date__gte=first, date__lte=last).order_by("date"),
        "decisions": Decision.objects.filter(employee=person, shift_date__gte=first, shift_date__lte=last)
        .select_related("by")
        .order_by("-at"),
        "before": f"{first - DAY:%Y-%m}",
        "after": f"{last + DAY:%Y-%m}",
    }


def _punches(person: Employee, first: dt.date, last: dt.date) -> dict[dt.date, list[Punch]]:
    zone = person.site.zone
    found: dict[dt.date, list[Punch]] = defaultdict(list)
    rows = Punch.objects.filter(employee=person, at__gte=midnight(first, zone), at__lt=midnight(last + DAY, zone))
    for punch in rows.with_state().select_related("source").order_by("at", "pk"):
        found[punch.at.astimezone(zone).date()].append(punch)
    return found


def _sums(person: Employee, first: dt.date, last: dt.date) -> dict[str, Any]:
    sums = (
        DayRecord.objects.filter(employee=person)
        .dated(first, last)
        .aggregate(
            worked=Sum("worked_minutes", default=0),
            overtime=Sum("overtime_minutes", default=0),
            present=Count("pk", Q(status=DayRecord.Status.PRESENT)),
            half=Count("pk", Q(status=DayRecord.Status.HALF_DAY)),
            absent=Count("pk", Q(status=DayRecord.Status.ABSENT)),
        )
    )
    sums["worked_hours"], sums["overtime_hours"] = hours(sums["worked"]), hours(sums["overtime"])
    sums["waiting"] = (
        Flag.objects.filter(day__employee=person, shift_date__gte=first, shift_date__lte=last)
        .filter(review=Review.PENDING)
        .count()
    )
    return sums


@admin.register(LimitWarning)
class LimitWarningAdmin(RoleAdmin, admin.ModelAdmin):
    rank = 7
    view_roles = HR
    list_display = ["date", "employee", "limit", "by_minutes", "why"]
    list_filter = ["limit", ("site", SiteFilter)]
    list_select_related = ["employee"]
    search_fields = ["employee__name", "=employee__code"]
    date_hierarchy = "date"
    show_full_result_count = False
