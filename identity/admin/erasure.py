"""The button that erases what people could be recognised by: first it says what would go, then it does it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from factoryai.sites.models import Role
from identity.models import Consent, Employee
from identity.services.erasure import Erased, erase_biometrics, opt_out

NAME = "identity_employee_erase"
MOST = 200


class ErasureForm(forms.Form):
    """Why it is erased, and what takes the place of the face."""

    other_method = forms.ChoiceField(
        label="From now on they clock in by",
        choices=[("", "— nothing: they left"), *Consent.Method.choices],
        required=False,
        help_text="Who opts out keeps another way. No photo is taken again before a new ground is recorded.",
    )


@admin.action(description="Erase biometrics…", permissions=["erase"])
def erase_selected(modeladmin: Any, request: HttpRequest, employees: QuerySet[Employee]) -> HttpResponse:
    """Show what would be erased of the chosen people; nothing is erased yet."""
    keys = employees.values_list("pk", flat=True)[:MOST]
    return HttpResponseRedirect(f"{reverse(f'admin:{NAME}')}?people={','.join(map(str, keys))}")


class ErasesBiometrics:
    """Mix in before the admin of employees: the action and its page, for HR."""

    actions = [erase_selected]

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return self._may(request, (Role.HR,))  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.erase_view)  # type: ignore[attr-defined]
        return [path("erase-biometrics/", view, name=NAME), *super().get_urls()]  # type: ignore[misc]

    def erase_view(self, request: HttpRequest) -> HttpResponse:
        """Ask before, and say after, what is erased of whom; only people of sites at which one is HR."""
        if not self.has_erase_permission(request):
            raise PermissionDenied
        people = _people(request)
        form = ErasureForm(request.POST or None)
        if people and request.method == "POST" and form.is_valid():
            for person in people:
                self._erase(request, person, form.cleaned_data["other_method"])
            return HttpResponseRedirect(reverse("admin:identity_employee_changelist"))
        context = {
            **self.admin_site.each_context(request),  # type: ignore[attr-defined]
            "title": "Erase biometrics",
            "opts": Employee._meta,
            "people": people,
            "form": form,
        }
        return TemplateResponse(request, "admin/identity/erase.html", context)

    def _erase(self, request: HttpRequest, person: Employee, other_method: str) -> None:
        at = timezone.now()
        if other_method:
            erased = opt_out(employee=person, other_method=other_method, at=at)
        else:
            erased = erase_biometrics(employee=person, at=at)
        level = messages.SUCCESS if erased.is_proven else messages.ERROR
        self.message_user(request, f"{person}: {said_of(erased)}", level)  # type: ignore[attr-defined]


def _people(request: HttpRequest) -> list[Employee]:
    keys = [int(key) for key in request.GET.get("people", "").split(",") if key.isdecimal() and len(key) < 18]
    rows = Employee.objects.visible_to(request.user, (Role.HR,)).filter(pk__in=keys[:MOST])
    return list(rows.select_related("site").prefetch_related("faces").order_by("code"))


def said_of(erased: Erased) -> str:
    """Say what went, what waits, and whether it is proven."""
    said = [f"erased {erased.templates} templates, {erased.photos} photos, {erased.snapshots} snapshots"]
    if erased.remote_faces or erased.remote_pending:
        said.append(f"{erased.remote_faces} faces at the service, {erased.remote_pending} still to go there")
    if erased.held:
        said.append(f"{erased.held} held as evidence and kept")
    if erased.is_proven:
        return f"{', '.join(said)}; a search finds nothing."
    return f"{', '.join(said)}; still found: {'; '.join(erased.traces)}"
