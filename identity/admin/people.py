"""The people who work here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from factoryai.sites.csv_admin import CsvImportAdmin
from factoryai.sites.models import Role
from factoryai.sites.role_admin import RoleAdmin, holds
from identity.admin.erasure import NAME as ERASE
from identity.admin.erasure import ErasesBiometrics
from identity.admin.pictures import picture
from identity.imports import EMPLOYEES
from identity.models import Employee
from identity.services.people import save_employee


@admin.register(Employee)
class EmployeeAdmin(ErasesBiometrics, RoleAdmin, CsvImportAdmin, admin.ModelAdmin):
    view_roles = add_roles = change_roles = csv_roles = (Role.HR, Role.MANAGER)
    csv_importer = EMPLOYEES
    list_display = ["code", "name", "site", "department", "joined_date", "left_date", "is_active"]
    list_display_links = ["code", "name"]
    list_filter = ["site", "is_active", "department"]
    list_select_related = ["site"]
    search_fields = ["name", "code"]
    fields = ["site", "code", "name", "department", "joined_date", "left_date", "is_active", "user"]
    raw_id_fields = ["user"]
    readonly_fields = ["ground", "photos"]
    show_full_result_count = False

    def get_fieldsets(self, request: HttpRequest, obj: Employee | None = None) -> list[tuple]:
        """Photos and the ground for them are shown to HR, once there is somebody to have them."""
        sets = [(None, {"fields": self.fields})]
        if obj and holds(request, (Role.HR,), obj.site):
            sets.append(("Face", {"fields": self.readonly_fields}))
        return sets

    @admin.display(description="ground")
    def ground(self, person: Employee) -> SafeString | str:
        newest = person.consents.first()
        link = format_html('<a href="{}?employee={}">Record one</a>', reverse("admin:identity_consent_add"), person.pk)
        if newest is None:
            return format_html("None is recorded. {}", link)
        if newest.withdrawn_at is None:
            return str(newest)
        instead = f"; instead of the face: {newest.get_other_method_display()}" if newest.other_method else ""
        return format_html("Withdrawn {}{}. {}", f"{newest.withdrawn_at:%Y-%m-%d}", instead, link)

    @admin.display(description="photos")
    def photos(self, person: Employee) -> SafeString:
        faces = person.faces.select_related("snapshot")
        shown = format_html_join(" ", "{}", ((picture(face.snapshot),) for face in faces))
        add, erase = reverse("admin:identity_face_add"), reverse(f"admin:{ERASE}")
        return format_html(
            '{} <p><a href="{}?employee={}">Add photos</a> · <a href="{}?people={}">Erase biometrics…</a></p>',
            shown or "None.", add, person.pk, erase, person.pk,
        )  # fmt: skip

    def save_model(self, request: HttpRequest, obj: Employee, form: Any, change: bool) -> None:
        save_employee(obj)
