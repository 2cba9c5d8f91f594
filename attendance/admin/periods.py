"""Pay periods: what stands in the way of a lock, the lock itself, the export, and what came after."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from attendance.admin.local_time import SiteClock, clock_column
from attendance.admin.showing import HR, badge
from attendance.api.periods import TYPES, export_answer
from attendance.models import Adjustment, PayPeriod, PeriodStep
from attendance.services.periods import add_period, lock_period, standing_in_the_way, unlock_period
from factoryai.rest import Refusal
from factoryai.sites.access import has_role
from factoryai.sites.models import Role
from factoryai.sites.role_admin import ReadOnly, RoleAdmin


class StepInline(ReadOnly, admin.TabularInline):
    model = PeriodStep
    fields = ["at", "step", "by", "reason", "content_hash"]
    readonly_fields = fields
    extra = 0
    verbose_name_plural = "what happened"


class AdjustmentInline(ReadOnly, admin.TabularInline):
    model = Adjustment
    fk_name = "period"
    fields = ["employee", "shift_date", "worked_minutes", "overtime_minutes", "found_at", "settled_in"]
    readonly_fields = fields
    extra = 0
    verbose_name_plural = "adjustments: what came after the lock"


class PeriodForm(forms.ModelForm):
    class Meta:
        model = PayPeriod
        fields = ["site", "department", "first_date", "last_date"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if {"site", "first_date", "last_date"} <= cleaned.keys():
            try:
                self.made = add_period(
                    site=cleaned["site"],
                    first=cleaned["first_date"],
                    last=cleaned["last_date"],
                    department=cleaned.get("department", ""),
                )
            except Refusal as refusal:
                raise forms.ValidationError(refusal.message, code=refusal.code) from refusal
        return cleaned

    def _post_clean(self) -> None:
        """The service has checked and saved."""


@admin.register(PayPeriod)
class PayPeriodAdmin(SiteClock, RoleAdmin, admin.ModelAdmin):
    rank = 5
    view_roles = add_roles = HR
    form = PeriodForm
    list_display = ["__str__", "standing", clock_column("locked_at", "locked"), "locked_by", "waiting"]
    list_filter = ["state"]
    list_select_related = ["site", "locked_by"]
    date_hierarchy = "first_date"
    inlines = [AdjustmentInline, StepInline]
    change_form_template = "admin/attendance/period.html"

    class Media:
        css = {"all": ["css/admin.css"]}

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/lock/", wrap(require_POST(self.lock_view)), name="attendance-lock"),
            path("<int:pk>/unlock/", wrap(require_POST(self.unlock_view)), name="attendance-unlock"),
            path("<int:pk>/export.<str:kind>", wrap(self.export_view), name="attendance-export"),
            *super().get_urls(),
        ]

    @admin.display(description="state", ordering="state")
    def standing(self, period: PayPeriod) -> SafeString:
        return badge(period.get_state_display(), "calm" if period.is_locked else "look")

    @admin.display(description="adjustments waiting")
    def waiting(self, period: PayPeriod) -> int:
        return period.adjustments.filter(settled_in=None).count()

    def save_model(self, request: HttpRequest, obj: PayPeriod, form: Any, change: bool) -> None:
        obj.pk = form.made.pk
        obj.refresh_from_db()

    def render_change_form(self, request: HttpRequest, context: dict, *args: Any, **kwargs: Any) -> HttpResponse:
        if (period := kwargs.get("obj")) is not None:
            context["period"] = period
            context["in_the_way"] = None if period.is_locked else standing_in_the_way(period)
            context["may_unlock"] = has_role(request.user, period.site, (Role.MANAGER,))
            context["kinds"] = list(TYPES)
        return super().render_change_form(request, context, *args, **kwargs)

    def lock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        accept = request.POST.get("accept_unreviewed") == "on"
        return self._act(
            request,
            pk,
            lambda period: lock_period(period=period, by=request.user, at=timezone.now(), accept_unreviewed=accept),
            "The period is locked.",
        )

    def unlock_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        reason = request.POST.get("reason", "")
        return self._act(
            request,
            pk,
            lambda period: unlock_period(period=period, by=request.user, reason=reason, at=timezone.now()),
            "The period is open again.",
            roles=(Role.MANAGER,),
        )

    def _act(
        self, request: HttpRequest, pk: int, act: Any, done: str, roles: tuple[str, ...] = HR
    ) -> HttpResponseRedirect:
        period = self._period(request, pk)
        try:
            if not has_role(request.user, period.site, roles):
                raise Refusal("permission_denied", "Your role does not allow this.", 403)
            act(period)
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:attendance_payperiod_change", args=[pk]))

    def _period(self, request: HttpRequest, pk: int) -> PayPeriod:
        return get_object_or_404(self.get_queryset(request).select_related("site"), pk=pk)

    def export_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
        if kind not in TYPES:
            raise Http404
        return export_answer(request, self._period(request, pk), kind)


@admin.register(Adjustment)
class AdjustmentAdmin(SiteClock, RoleAdmin, admin.ModelAdmin):
    rank = 6
    view_roles = HR
    list_display = [
        "shift_date",
        "employee",
        "period",
        "worked_minutes",
        "overtime_minutes",
        clock_column("found_at", "found"),
        "settled_in",
    ]
    list_filter = [("settled_in", admin.EmptyFieldListFilter)]
    list_select_related = ["employee__site", "period__site", "settled_in__site"]
    search_fields = ["employee__name", "=employee__code"]
    date_hierarchy = "shift_date"
