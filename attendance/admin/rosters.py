"""Who works which shift, days off, leave, and a site's policy. Every change says which days it touches."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from attendance.admin.fields import WEEKDAYS, CycleDaysField, WeekdaysField
from attendance.admin.previewing import PreviewAdmin
from attendance.admin.showing import HR, SiteFilter
from attendance.imports import ASSIGNMENTS, HOLIDAYS, LEAVE
from attendance.models import Assignment, AttendancePolicy, Holiday, Leave
from attendance.services.rosters import (
    Spans,
    assign_shift,
    end_assignment,
    overlap_of,
    spans_of_person,
    spans_of_site,
    touch_person,
    touch_site,
)
from factoryai.sites.csv_admin import CsvImportAdmin
from factoryai.sites.role_admin import RoleAdmin

FOR_EVER = date(9999, 12, 31)


class AssignmentForm(forms.ModelForm):
    weekdays = WeekdaysField(empty=None, help_text="None ticked: every working day of the site.")
    cycle_days = CycleDaysField(
        label="Days that are worked", help_text="Of the turn, from 1: two on and two off is length 4, days 1-2."
    )

    class Meta:
        model = Assignment
        fields = [
            "employee", "shift", "from_date", "to_date", "weekdays", "cycle_length", "cycle_days", "cycle_anchor",
        ]  # fmt: skip

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        person, shift = cleaned.get("employee"), cleaned.get("shift")
        if person and shift and person.site_id != shift.site_id:
            self.add_error("shift", "The person and the shift belong to different sites.")
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()
        if not self.errors and (day := overlap_of(self.instance)):
            self.add_error("shift", f"On {day} it overlaps a shift that the person has already.")


@admin.register(Assignment)
class AssignmentAdmin(PreviewAdmin, RoleAdmin, CsvImportAdmin, admin.ModelAdmin):
    rank = 11
    view_roles = add_roles = change_roles = delete_roles = HR
    csv_importer = ASSIGNMENTS
    csv_roles = HR
    form = AssignmentForm
    list_display = ["employee", "shift", "from_date", "to_date", "days"]
    list_filter = ["shift", ("employee__site", SiteFilter)]
    list_select_related = ["employee", "shift"]
    autocomplete_fields = ["employee"]
    search_fields = ["employee__name", "=employee__code"]
    date_hierarchy = "from_date"
    fieldsets = [
        (None, {"fields": ["employee", "shift", "from_date", "to_date", "weekdays"]}),
        (
            "A roster that turns",
            {
                "classes": ["collapse"],
                "fields": ["cycle_length", "cycle_days", "cycle_anchor"],
                "description": "For rosters that do not follow the week: two days on and two off, a fortnight.",
            },
        ),
    ]

    @admin.display(description="days")
    def days(self, assignment: Assignment) -> str:
        if assignment.cycle_length:
            days = CycleDaysField().prepare_value(assignment.cycle_days)
            return f"days {days} of every {assignment.cycle_length}"
        if assignment.weekdays is None:
            return "every working day"
        return " ".join(dict(WEEKDAYS)[day] for day in assignment.weekdays)

    def spans_of(self, row: Assignment) -> Spans:
        last = row.to_date or FOR_EVER
        return spans_of_person(employee=row.employee, first=row.from_date, last=last, at=timezone.now())

    def save_model(self, request: HttpRequest, obj: Assignment, form: Any, change: bool) -> None:
        assign_shift(assignment=obj, at=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Assignment) -> None:
        end_assignment(assignment=obj, at=timezone.now())

    def delete_queryset(self, request: HttpRequest, rows: QuerySet[Assignment]) -> None:
        for assignment in rows:
            end_assignment(assignment=assignment, at=timezone.now())


@admin.register(Holiday)
class HolidayAdmin(PreviewAdmin, RoleAdmin, CsvImportAdmin, admin.ModelAdmin):
    rank = 12
    view_roles = add_roles = change_roles = delete_roles = HR
    csv_importer = HOLIDAYS
    csv_roles = HR
    list_display = ["date", "name", "site"]
    list_filter = [("site", SiteFilter)]
    list_select_related = ["site"]
    date_hierarchy = "date"

    def spans_of(self, row: Holiday) -> Spans:
        return spans_of_site(site=row.site, first=row.date, last=row.date, at=timezone.now())

    def save_model(self, request: HttpRequest, obj: Holiday, form: Any, change: bool) -> None:
        if change:
            _touch_holiday(Holiday.objects.get(pk=obj.pk))
        super().save_model(request, obj, form, change)
        _touch_holiday(obj)

    def delete_model(self, request: HttpRequest, obj: Holiday) -> None:
        _touch_holiday(obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, rows: QuerySet[Holiday]) -> None:
        for holiday in rows:
            _touch_holiday(holiday)
        super().delete_queryset(request, rows)


def _touch_holiday(holiday: Holiday) -> None:
    touch_site(site=holiday.site, first=holiday.date, last=holiday.date, at=timezone.now())


@admin.register(Leave)
class LeaveAdmin(PreviewAdmin, RoleAdmin, CsvImportAdmin, admin.ModelAdmin):
    rank = 13
    view_roles = add_roles = change_roles = delete_roles = HR
    csv_importer = LEAVE
    csv_roles = HR
    list_display = ["employee", "kind", "from_date", "to_date", "part", "note"]
    list_filter = ["kind", ("employee__site", SiteFilter)]
    list_select_related = ["employee"]
    autocomplete_fields = ["employee"]
    search_fields = ["employee__name", "=employee__code"]
    date_hierarchy = "from_date"

    def spans_of(self, row: Leave) -> Spans:
        return spans_of_person(employee=row.employee, first=row.from_date, last=row.to_date, at=timezone.now())

    def save_model(self, request: HttpRequest, obj: Leave, form: Any, change: bool) -> None:
        if change:
            _touch_leave(Leave.objects.get(pk=obj.pk))
        super().save_model(request, obj, form, change)
        _touch_leave(obj)

    def delete_model(self, request: HttpRequest, obj: Leave) -> None:
        _touch_leave(obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, rows: QuerySet[Leave]) -> None:
        for leave in rows:
            _touch_leave(leave)
        super().delete_queryset(request, rows)


def _touch_leave(leave: Leave) -> None:
    touch_person(employee=leave.employee, first=leave.from_date, last=leave.to_date, at=timezone.now())


class PolicyForm(forms.ModelForm):
    week_offs = WeekdaysField(empty=[], label="Days off", help_text="For assignments that name no days of their own.")

    class Meta:
        model = AttendancePolicy
        fields = [
            "site", "effective_from", "week_offs", "default_shift", "counts_unplanned_work", "monthly_grace_uses",
            "monthly_grace_minutes", "free_lates", "half_day_every", "law", "pay_rounding", "pay_rounding_minutes",
        ]  # fmt: skip


@admin.register(AttendancePolicy)
class AttendancePolicyAdmin(PreviewAdmin, RoleAdmin, admin.ModelAdmin):
    view_roles = add_roles = change_roles = delete_roles = HR
    form = PolicyForm
    list_display = ["site", "effective_from", "default_shift", "monthly_grace_minutes", "half_day_every", "law"]
    list_filter = [("site", SiteFilter)]
    list_select_related = ["site", "default_shift"]
    fieldsets = [
        (None, {"fields": ["site", "effective_from", "week_offs", "default_shift", "counts_unplanned_work"]}),
        ("Grace by the month", {"fields": [("monthly_grace_uses", "monthly_grace_minutes")]}),
        ("Late days", {"fields": [("free_lates", "half_day_every")]}),
        ("Law", {"fields": ["law"], "description": "Passed limits are listed as warnings; no pay changes by them."}),
        ("Pay", {"fields": [("pay_rounding", "pay_rounding_minutes")], "description": "Only in the export."}),
    ]  # fmt: skip

    def spans_of(self, row: AttendancePolicy) -> Spans:
        return spans_of_site(site=row.site, first=row.effective_from, last=FOR_EVER, at=timezone.now())

    def save_model(self, request: HttpRequest, obj: AttendancePolicy, form: Any, change: bool) -> None:
        since = AttendancePolicy.objects.get(pk=obj.pk).effective_from if change else obj.effective_from
        super().save_model(request, obj, form, change)
        touch_site(site=obj.site, first=min(since, obj.effective_from), last=FOR_EVER, at=timezone.now())

    def delete_model(self, request: HttpRequest, obj: AttendancePolicy) -> None:
        touch_site(site=obj.site, first=obj.effective_from, last=FOR_EVER, at=timezone.now())
        super().delete_model(request, obj)
