"""Alerts to read and take on, the channels they go out by, and the outbox."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm, PasswordInput
from django.http import HttpRequest
from django.utils import timezone

from factoryai.alerts.models import Alert, AlertStep, Channel, Delivery
from factoryai.alerts.services import acknowledge_alert, close_alert
from factoryai.rest import Refusal
from factoryai.sites.models import Role
from factoryai.sites.permissions import PEOPLE
from factoryai.sites.role_admin import ReadOnly, RoleAdmin


class StepInline(ReadOnly, admin.TabularInline):
    model = AlertStep
    fields = ["at", "step", "by", "note"]
    readonly_fields = fields
    extra = 0
    verbose_name_plural = "what happened"


class DeliveryInline(ReadOnly, admin.TabularInline):
    model = Delivery
    fields = ["channel", "occasion", "state", "attempts", "due_at", "sent_at", "last_error"]
    readonly_fields = fields
    extra = 0


@admin.register(Alert)
class AlertAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = PEOPLE
    list_display = ["raised_at", "severity", "title", "site", "state", "times_raised", "level", "acknowledged_by"]
    list_filter = ["state", "severity", "site", "kind", "audience"]
    list_select_related = ["site", "acknowledged_by"]
    search_fields = ["title", "detail", "key"]
    date_hierarchy = "raised_at"
    inlines = [StepInline, DeliveryInline]
    actions = ["acknowledge", "close"]
    show_facets = admin.ShowFacets.ALWAYS

    @admin.action(description="Acknowledge", permissions=["act"])
    def acknowledge(self, request: HttpRequest, alerts: QuerySet) -> None:
        done, at = 0, timezone.now()
        for alert in alerts:
            try:
                acknowledge_alert(alert=alert, by=request.user, note="", at=at)
            except Refusal as refusal:
                self.message_user(request, f"{alert.title}: {refusal.message}", messages.WARNING)
            else:
                done += 1
        self.message_user(request, f"{done} acknowledged.")

    @admin.action(description="Close", permissions=["act"])
    def close(self, request: HttpRequest, alerts: QuerySet) -> None:
        at = timezone.now()
        done = sum(close_alert(site=alert.site, key=alert.key, by=request.user, at=at) for alert in alerts)
        self.message_user(request, f"{done} closed.")

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Whoever is told of an alert may take it on."""
        return self.has_view_permission(request)


class ChannelForm(ModelForm):
    """The secret is written, never shown; left empty it stays."""

    class Meta:
        model = Channel
        fields = [
            "site", "name", "kind", "target", "secret", "audience", "min_severity", "from_level", "is_enabled",
        ]  # fmt: skip
        widgets = {"secret": PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})}

    def clean_secret(self) -> str:
        return self.cleaned_data["secret"] or self.instance.secret


@admin.register(Channel)
class ChannelAdmin(RoleAdmin, admin.ModelAdmin):
    add_roles = change_roles = delete_roles = (Role.MANAGER,)
    form = ChannelForm
    list_display = ["name", "site", "kind", "target", "audience", "min_severity", "from_level", "is_enabled"]
    list_filter = ["site", "kind", "audience", "is_enabled"]
    list_select_related = ["site"]
    search_fields = ["name", "target"]


@admin.register(Delivery)
class DeliveryAdmin(RoleAdmin, admin.ModelAdmin):
    list_display = ["created_at", "channel", "alert", "occasion", "state", "attempts", "due_at", "last_error"]
    list_filter = ["state", "channel"]
    list_select_related = ["channel", "alert"]
    date_hierarchy = "created_at"
