"""Shifts in versions: what a shift says from a date on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from attendance.admin.fields import SlotsField
from attendance.admin.previewing import PreviewAdmin
from attendance.admin.showing import HR, SiteFilter, is_id
from attendance.imports import SHIFTS
from attendance.models import Shift, ShiftVersion
from attendance.services.preview import Preview, preview_change
from attendance.services.rosters import clash_of, save_shift, spans_of_shift
from factoryai.sites.csv_admin import CsvImportAdmin
from factoryai.sites.models import Site
from factoryai.sites.role_admin import RoleAdmin

LABELS = {
    "effective_from": "Holds from",
    "grace_in_minutes": "Grace at the start, minutes",
    "grace_out_minutes": "Grace at the end, minutes",
    "window_before_minutes": "Before the start, minutes",
    "window_after_minutes": "After the end, minutes",
    "worked_policy": "Worked time is",
    "direction_policy": "In or out",
    "overtime_policy": "Overtime is work",
    "break_minutes": "Unpaid break, minutes",
    "break_after_minutes": "Only after so many minutes of work",
    "half_day_below_minutes": "Half a day below, minutes worked",
    "absent_below_minutes": "Absent below, minutes worked",
    "double_entry_hours": "Second entry within, hours",
    "repeat_within_minutes": "Second look within, minutes",
    "closes_itself": "Ends open sessions at its end",
}
"""The fields in the words of HR."""

HELP = {
    "grace_in_minutes": "An entry at 08:05:00 is not late for 08:00 with 5 minutes, one at 08:05:01 is.",
    "grace_out_minutes": "An exit earlier than this before the end is flagged for HR.",
    "window_before_minutes": "Punches this early still belong to the shift; earlier ones are shown as off shift.",
    "window_after_minutes": "Punches this late still belong to it. A day is final only when this is over.",
    "worked_policy": "First to last pays pauses that nobody took out; the sum pays only what lies between in and out.",
    "direction_policy": "For readers and cameras that do not say which way somebody went.",
    "overtime_policy": "Work on holidays and days off is overtime all of it, unless this is none.",
    "break_minutes": "Taken off each day; pauses that were punched count towards it.",
    "half_day_below_minutes": "480 makes less than eight hours half a day. 0: never.",
    "absent_below_minutes": "240 makes less than four hours no day at all. 0: never.",
    "closes_itself": "Who forgets to punch out is paid to the end of the shift, with a flag for HR; otherwise not.",
}


class ShiftForm(forms.ModelForm):
    """One version of a shift. The name of a shift that exists makes its next version."""

    site = forms.ModelChoiceField(Site.objects.all())
    name = forms.CharField(max_length=60, help_text="A name that exists gets a version from the date below on.")
    break_slots = SlotsField(label="Unpaid at these times", help_text="Like 12:00-12:30, 15:00-15:15; empty is none.")

    class Meta:
        model = ShiftVersion
        exclude = ["shift", "number", "created_by"]  # noqa: DJ006 - all but what the service sets
        labels = LABELS
        help_texts = HELP

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        site, name, since = cleaned.get("site"), cleaned.get("name"), cleaned.get("effective_from")
        if site and ShiftVersion.objects.filter(shift__site=site, shift__name=name, effective_from=since).exists():
            self.add_error("effective_from", f"{name} has a version from {since} already; choose another date.")
        shift = Shift.objects.filter(site=site, name=name).select_related("site").first() if not self.errors else None
        if shift and (text := clash_of(ShiftVersion(shift=shift, number=0, **self.fields_of_version()))):
            self.add_error("starts_at", text)
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


@admin.register(Shift)
class ShiftAdmin(RoleAdmin, admin.ModelAdmin):
    """Only so that forms can look shifts up by name; they are kept under their versions."""

    view_roles = HR
    search_fields = ["name"]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False
