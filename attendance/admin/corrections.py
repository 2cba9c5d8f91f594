"""Correction requests: ask here, and somebody else approves or refuses."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from attendance.admin.local_time import LocalDateTimeField, SiteClock, to_instant
from attendance.admin.showing import HR, NoteActionForm, badge, is_id, local, month_link
from attendance.models import Correction
from attendance.services.corrections import ask_correction, decide_correction
from factoryai.rest import Refusal
from factoryai.sites.role_admin import RoleAdmin

LEVELS = {Correction.State.PENDING: "look", Correction.State.APPROVED: "ok", Correction.State.REFUSED: "calm"}


class CorrectionForm(forms.ModelForm):
    at = LocalDateTimeField(label="Time", required=False, help_text="On the clock of the person's site.")

    class Meta:
        model = Correction
        fields = ["employee", "kind", "punch", "at", "direction", "reason"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        person, punch = cleaned.get("employee"), cleaned.get("punch")
        if person and cleaned.get("at"):
            cleaned["at"] = to_instant(self, "at", cleaned["at"], person.site.zone)
            if cleaned["at"] and cleaned["at"] > timezone.now():
                self.add_error("at", "This time has not come yet.")
        kind = cleaned.get("kind")
        if kind != Correction.Kind.REMOVE and not cleaned.get("at") and "at" not in self.errors:
            self.add_error("at", "Say when the punch should have been.")
        if kind != Correction.Kind.ADD and (punch is None or (person and punch.employee_id != person.pk)):
            self.add_error("punch", "Choose the punch of this person that is wrong.")
        return cleaned

    def _post_clean(self) -> None:
        """The service checks and saves; the model's own checks would see a half-made row."""


@admin.register(Correction)
class CorrectionAdmin(SiteClock, RoleAdmin, admin.ModelAdmin):
    rank = 3
    view_roles = add_roles = HR
    form = CorrectionForm
    list_display = ["asked", "person", "kind", "wanted", "direction", "reason", "asked_by", "standing", "note"]
    list_filter = ["state", "kind"]
    list_select_related = ["employee__site", "asked_by", "decided_by", "punch"]
    raw_id_fields = ["punch"]
    autocomplete_fields = ["employee"]
    search_fields = ["employee__name", "=employee__code", "reason"]
    date_hierarchy = "asked_at"
    action_form = NoteActionForm
    actions = ["approve", "refuse"]
    show_facets = admin.ShowFacets.ALWAYS

    class Media:
        css = {"all": ["css/admin.css"]}

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Take over whom a link names, when it names anybody."""
        given = super().get_changeform_initial_data(request)
        return {name: value for name, value in given.items() if name not in ("employee", "punch") or is_id(value)}

    @admin.display(description="asked", ordering="asked_at")
    def asked(self, correction: Correction) -> str:
        return local(correction.asked_at, correction.employee.site.zone, "%d %b %Y %H:%M")

    @admin.display(description="person", ordering="employee__name")
    def person(self, correction: Correction) -> SafeString:
        day = correction.at or correction.punch.at  # type: ignore[union-attr]
        return month_link(correction.employee, day.astimezone(correction.employee.site.zone))

    @admin.display(description="time wanted")
    def wanted(self, correction: Correction) -> str:
        zone = correction.employee.site.zone
        old = f"instead of {local(correction.punch.at, zone)}" if correction.punch and correction.at else ""
        return f"{local(correction.at, zone, '%d %b %Y %H:%M:%S')} {old}".strip()

    @admin.display(description="state", ordering="state")
    def standing(self, correction: Correction) -> SafeString:
        words = correction.get_state_display()
        if correction.decided_by:
            words = f"{words} by {correction.decided_by}"
        return badge(words, LEVELS[Correction.State(correction.state)])

    @admin.action(description="Approve", permissions=["decide"])
    def approve(self, request: HttpRequest, corrections: QuerySet[Correction]) -> None:
        self._decide(request, corrections, approve=True)

    @admin.action(description="Refuse", permissions=["decide"])
    def refuse(self, request: HttpRequest, corrections: QuerySet[Correction]) -> None:
        self._decide(request, corrections, approve=False)

    def _decide(self, request: HttpRequest, corrections: QuerySet[Correction], *, approve: bool) -> None:
        at, note, done = timezone.now(), request.POST.get("note", ""), 0
        for correction in corrections:
            try:
                decide_correction(correction=correction, approve=approve, note=note, by=request.user, at=at)
            except Refusal as refusal:
                self.message_user(request, f"{correction}: {refusal.message}", messages.WARNING)
            else:
                done += 1
        self.message_user(request, f"{done} {'approved' if approve else 'refused'}.")

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def save_model(self, request: HttpRequest, obj: Correction, form: Any, change: bool) -> None:
        fields = form.cleaned_data
        made = ask_correction(
            employee=fields["employee"],
            kind=fields["kind"],
            punch=fields.get("punch"),
            punch_at=fields.get("at"),
            direction=fields["direction"],
            reason=fields["reason"],
            by=request.user,
            at=timezone.now(),
        )
        obj.pk = made.pk
        obj.refresh_from_db()
