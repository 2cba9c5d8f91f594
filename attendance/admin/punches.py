"""Punches are facts and only looked at; sources say whose silence is waited for; a closing ends the waiting."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from attendance.admin.local_time import LocalDateTimeField, SiteClock, clock_column, to_instant
from attendance.admin.showing import HR, RecentFilter, badge, local, month_link, picture
from attendance.imports import PUNCHES
from attendance.models import Closing, Punch, Source
from attendance.querysets import STATES
from attendance.services.watermarks import close_site
from factoryai.rest import Refusal
from factoryai.sites.csv_admin import CsvImportAdmin
from factoryai.sites.models import Role
from factoryai.sites.role_admin import RoleAdmin

LEVELS = {"counted": "ok", "duplicate": "calm", "superseded": "calm", "off_shift": "look"}


class StateFilter(SimpleListFilter):
    title = "what became of it"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state.replace("_", " ")) for state in STATES]

    def queryset(self, request: HttpRequest, rows: QuerySet) -> QuerySet:
        return rows.filter(state=self.value()) if self.value() else rows


class RecentPunches(RecentFilter):
    field = "at"
    days = 7


@admin.register(Punch)
class PunchAdmin(SiteClock, RoleAdmin, CsvImportAdmin, admin.ModelAdmin):
    rank = 4
    view_roles = HR
    csv_importer = PUNCHES
    csv_roles = HR
    list_display = [
        "time",
        "person",
        "direction",
        "source",
        "place",
        "confidence",
        "snapshot_shown",
        "became",
        "reason",
    ]
    list_filter = [RecentPunches, StateFilter, "direction", "source__kind"]
    search_fields = ["employee__name", "=employee__code", "=event_id"]
    search_help_text = "Name or code of the person, or an event id"
    date_hierarchy = "at"
    list_per_page = 50
    show_full_result_count = False

    class Media:
        css = {"all": ["css/admin.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Punch]:
        return super().get_queryset(request).with_state().select_related("employee__site", "source")

    @admin.display(description="time at the site", ordering="at")
    def time(self, punch: Punch) -> str:
        return local(punch.at, punch.employee.site.zone, "%a %d %b %Y %H:%M:%S")

    @admin.display(description="person", ordering="employee__name")
    def person(self, punch: Punch) -> SafeString:
        return month_link(punch.employee, punch.at.astimezone(punch.employee.site.zone))

    @admin.display(description="picture")
    def snapshot_shown(self, punch: Punch) -> SafeString | str:
        return picture(punch.snapshot)

    @admin.display(description="became")
    def became(self, punch: Punch) -> SafeString:
        return badge(punch.state.replace("_", " "), LEVELS[punch.state])  # type: ignore[attr-defined]

    @admin.display(description="why")
    def reason(self, punch: Punch) -> str:
        return punch.reason  # type: ignore[attr-defined]


@admin.register(Source)
class SourceAdmin(SiteClock, RoleAdmin, admin.ModelAdmin):
    view_roles = HR
    change_roles = (Role.HR, Role.MANAGER)
    list_display = ["name", "site", "kind", "reported", "is_required"]
    list_editable = ["is_required"]
    list_filter = ["kind", "is_required"]
    list_select_related = ["site"]
    fields = ["name", "site", "kind", "reported_until", "is_required"]
    readonly_fields = ["name", "site", "kind", "reported_until"]

    @admin.display(description="has reported until", ordering="reported_until")
    def reported(self, source: Source) -> str:
        return local(source.reported_until, source.site.zone, "%a %d %b %Y %H:%M")


class ClosingForm(forms.ModelForm):
    until = LocalDateTimeField(label="Everything is in until", help_text="On the clock of the site.")

    class Meta:
        model = Closing
        fields = ["site", "until", "reason"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("site") and cleaned.get("until"):
            cleaned["until"] = to_instant(self, "until", cleaned["until"], cleaned["site"].zone)
            if cleaned["until"] and cleaned["until"] > timezone.now():
                self.add_error("until", "Only what is over can be closed.")
        return cleaned


@admin.register(Closing)
class ClosingAdmin(SiteClock, RoleAdmin, admin.ModelAdmin):
    """HR's word that nothing earlier is still to come; it ends the wait for a source that is broken."""

    view_roles = add_roles = HR
    form = ClosingForm
    list_display = ["site", "closed_until", "reason", "by", clock_column("at", "said")]
    list_select_related = ["site", "by"]

    @admin.display(description="until", ordering="until")
    def closed_until(self, closing: Closing) -> str:
        return local(closing.until, closing.site.zone, "%a %d %b %Y %H:%M")

    def save_model(self, request: HttpRequest, obj: Closing, form: Any, change: bool) -> None:
        try:
            made = close_site(site=obj.site, until=obj.until, reason=obj.reason, by=request.user, at=timezone.now())
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            obj.pk = made.pk
