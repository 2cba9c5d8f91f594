"""Shifts in versions, who works them, days off, leave, and a site's policy. Every change says which days it touches."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from attendance.admin.previewing import PreviewAdmin
from attendance.admin.showing import HR, SiteFilter, is_id
from attendance.imports import ASSIGNMENTS, SHIFTS
from attendance.models import Assignment, AttendancePolicy, Holiday, Leave, Shift, ShiftVersion
from attendance.services.preview import Preview, preview_change
from attendance.services.rosters import (
    Spans,
    assign_shift,
    end_assignment,
    overlap_of,
    save_shift,
    spans_of_person,
    spans_of_shift,
    spans_of_site,
    touch_person,
    touch_site,
)
from factoryai.sites.csv_admin import CsvImportAdmin
from factoryai.sites.models import Site
from factoryai.sites.role_admin import RoleAdmin

WEEKDAYS = [(0, "Mon"), (1, "Tue"), (2, "Wed"), (3, "Thu"), (4, "Fri"), (5, "Sat"), (6, "Sun")]
FOR_EVER = date(9999, 12, 31)


class WeekdaysField(forms.TypedMultipleChoiceField):
    """Weekdays as ticks; ``empty`` is what none of them means."""

    def __init__(self, *, empty: Any, **kwargs: Any) -> None:
        super().__init__(
            choices=WEEKDAYS,
            coerce=int,
            required=False,
            empty_value=empty,
            widget=forms.CheckboxSelectMultiple,
            **kwargs,
        )


class ShiftForm(forms.ModelForm):
    """One version of a shift. The name of a shift that exists makes its next version."""

    site = forms.ModelChoiceField(Site.objects.all())
    name = forms.CharField(max_length=60, help_text="A name that exists gets a version from the date below on.")

    class Meta:
        model = ShiftVersion
        exclude = ["shift", "number", "created_by"]  # noqa: DJ006 - all but what the service sets

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        site, name, since = cleaned.get("site"), cleaned.get("name"), cleaned.get("effective_from")
        if site and ShiftVersion.objects.filter(shift__site=site, shift__name=name, effective_from=since).exists():
            self.add_error("effective_from", f"{name} has a version from {since} already; choose another date.")
        return cleaned

    def fields_of_version(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in ("site", "name")}


@admin.register(ShiftVersion)
class ShiftVersionAdmin(PreviewAdmin, RoleAdmin, CsvImportAdmin, admin.ModelAdmin):
    """A version never changes: days that were judged by it keep it. A change is a version from a date on."""

    rank = 10
    view_roles = add_roles = HR
    csv_importer = SHIFTS
    csv_roles = HR
    form = ShiftForm
    list_display = ["shift", "site", "version", "effective_from", "hours", "grace", "overtime_policy", "created_by"]
    list_filter = [("shift__site", SiteFilter), "shift"]
    list_select_related = ["shift__site", "created_by"]
    change_form_template = "admin/attendance/shift.html"
    fieldsets = [
        (None, {"fields": ["site", "name", "effective_from", ("starts_at", "ends_at")]}),
        ("Grace", {"fields": [("grace_in_minutes", "grace_out_minutes")]}),
        ("Which punches belong to it", {"fields": [("window_before_minutes", "window_after_minutes"), "dated_by"]}),
        ("What counts", {"fields": ["worked_policy", "direction_policy", "overtime_policy"]}),
        ("Unpaid breaks", {"fields": [("break_minutes", "break_after_minutes"), "break_slots"]}),
        ("Half day and absent", {"fields": [("half_day_below_minutes", "absent_below_minutes")]}),
        ("Repeats", {"fields": [("double_entry_hours", "repeat_within_minutes")]}),
        ("Gaps", {"fields": ["closes_itself", "skips_holidays"]}),
    ]  # fmt: skip

    class Media:
        css = {"all": ["css/admin.css"]}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A version that is looked at shows its shift; site and name are asked for a fresh one."""
        if obj is None:
            return self.fieldsets
        (_, first), *others = self.fieldsets
        return [(None, {"fields": ["shift", "number", *first["fields"][2:]]}), *others]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if "site" in form.base_fields:
            form.base_fields["site"].queryset = Site.objects.visible_to(request.user, HR)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start from the version that ``copy`` names."""
        given = {"effective_from": timezone.now().date(), **super().get_changeform_initial_data(request)}
        copied = given.pop("copy", "")
        version = self.get_queryset(request).filter(pk=copied).first() if is_id(copied) else None
        if version is None:
            return given
        names = [field.name for field in ShiftVersion._meta.fields if field.name in ShiftForm.base_fields]
        fields = {name: getattr(version, name) for name in names}
        return {**fields, "site": version.shift.site_id, "name": version.shift.name, **given}

    def preview_of(self, request: HttpRequest, form: ShiftForm, *, change: bool) -> Preview:
        site, name, since = (form.cleaned_data[field] for field in ("site", "name", "effective_from"))
        shift, at = Shift.objects.filter(site=site, name=name).first(), timezone.now()
        spans = spans_of_shift(shift=shift, since=since, at=at) if shift else []
        return preview_change(
            site=site, spans=spans, change=lambda: self.save_model(request, ShiftVersion(), form, change), at=at
        )

    def save_model(self, request: HttpRequest, obj: ShiftVersion, form: ShiftForm, change: bool) -> None:
        made = save_shift(
            site=form.cleaned_data["site"],
            name=form.cleaned_data["name"],
            fields=form.fields_of_version(),
            by=request.user,
            at=timezone.now(),
        )
        obj.pk, obj.shift, obj.number = made.pk, made.shift, made.number

    @admin.display(description="site")
    def site(self, version: ShiftVersion) -> str:
        return str(version.shift.site)

    @admin.display(description="version", ordering="number")
    def version(self, version: ShiftVersion) -> str:
        return f"v{version.number}"

    @admin.display(description="hours")
    def hours(self, version: ShiftVersion) -> str:
        return f"{version.starts_at:%H:%M} – {version.ends_at:%H:%M}"

    @admin.display(description="grace in / out")
    def grace(self, version: ShiftVersion) -> str:
        return f"{version.grace_in_minutes} / {version.grace_out_minutes} min"


class AssignmentForm(forms.ModelForm):
    weekdays = WeekdaysField(empty=None, help_text="None ticked: every working day of the site.")

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
                "description": "Two days on, two off: length 4, days [0, 1], and the first day of a turn.",
            },
        ),
    ]

    @admin.display(description="days")
    def days(self, assignment: Assignment) -> str:
        if assignment.cycle_length:
            return f"day {assignment.cycle_days} of every {assignment.cycle_length}"
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
class HolidayAdmin(PreviewAdmin, RoleAdmin, admin.ModelAdmin):
    rank = 12
    view_roles = add_roles = change_roles = delete_roles = HR
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
class LeaveAdmin(PreviewAdmin, RoleAdmin, admin.ModelAdmin):
    rank = 13
    view_roles = add_roles = change_roles = delete_roles = HR
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


@admin.register(Shift)
class ShiftAdmin(RoleAdmin, admin.ModelAdmin):
    """Only so that forms can look shifts up by name; they are kept under their versions."""

    view_roles = HR
    search_fields = ["name"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False
