"""The people who work here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from factoryai.sites.csv_admin import CsvImportAdmin
from factoryai.sites.models import Role
from factoryai.sites.role_admin import RoleAdmin
from identity.admin import faces
from identity.imports import EMPLOYEES
from identity.models import Employee
from identity.services.people import save_employee


@admin.register(Employee)
class EmployeeAdmin(faces.ErasesBiometrics, RoleAdmin, CsvImportAdmin, admin.ModelAdmin):
    view_roles = add_roles = change_roles = csv_roles = (Role.HR, Role.MANAGER)
    csv_importer = EMPLOYEES
    list_display = ["code", "name", "site", "department", "joined_date", "left_date", "is_active"]
    list_display_links = ["code", "name"]
    list_filter = ["site", "is_active", "department"]
    list_select_related = ["site"]
    search_fields = ["name", "code"]
    fields = ["site", "code", "name", "department", "joined_date", "left_date", "is_active", "user"]
    raw_id_fields = ["user"]
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Employee, form: Any, change: bool) -> None:
        save_employee(obj)
