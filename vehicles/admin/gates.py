"""What a site's gate goes by: controllers, policies and own plate formats. Managers change them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from factoryai.sites.models import Role
from factoryai.sites.role_admin import RoleAdmin
from streaming.sources import SourceError
from vehicles.admin.showing import SiteFilter
from vehicles.controller import check_address
from vehicles.models import Gate, GatePolicy, PlateFormat
from vehicles.querysets import GUARDS
from vehicles.rules.formats import FormatError, compile_format
from vehicles.services.formats import tell_cameras


class GateForm(forms.ModelForm):
    """The secret is written, never shown; left empty it stays, unless the address leads to another host."""

    class Meta:
        model = Gate
        fields = ["camera", "is_enabled", "address", "method", "login", "secret", "timeout_s", "fresh_s"]
        widgets = {"secret": forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})}

    def clean_address(self) -> str:
        try:
            return check_address(self.cleaned_data["address"].strip()).geturl()
        except SourceError as error:
            raise forms.ValidationError(str(error), code=error.code) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("secret") and "address" in cleaned and self._is_same_host(cleaned["address"]):
            cleaned["secret"] = self.instance.secret
        if cleaned.get("login") not in (None, Gate.Login.NONE) and not cleaned.get("secret"):
            self.add_error("secret", "Write the secret; it is for one host, so another host needs it anew.")
        return cleaned

    def _is_same_host(self, address: str) -> bool:
        return bool(self.instance.pk) and urlsplit(address).netloc == urlsplit(self.initial.get("address", "")).netloc


@admin.register(Gate)
class GateAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = GUARDS
    add_roles = change_roles = delete_roles = (Role.MANAGER,)
    form = GateForm
    list_display = ["camera", "is_enabled", "address", "method", "timeout_s", "fresh_s"]
    list_select_related = ["camera__site"]


class TellsCameras:
    """Mix in before ``ModelAdmin`` for rows that camera processes go by."""

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)  # type: ignore[misc]
        tell_cameras(obj.site, timezone.now())

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)  # type: ignore[misc]
        tell_cameras(obj.site, timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet) -> None:
        sites = {row.site for row in queryset.select_related("site")}
        super().delete_queryset(request, queryset)  # type: ignore[misc]
        for site in sites:
            tell_cameras(site, timezone.now())


@admin.register(GatePolicy)
class GatePolicyAdmin(TellsCameras, RoleAdmin, admin.ModelAdmin):
    view_roles = GUARDS
    add_roles = change_roles = delete_roles = (Role.MANAGER,)
    list_display = ["site", "profile", "again_after_minutes", "gone_after_hours"]
    list_select_related = ["site"]


class PlateFormatForm(forms.ModelForm):
    """The pattern is compiled and tried; one that could run away is refused."""

    class Meta:
        model = PlateFormat
        fields = ["site", "name", "pattern"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if "pattern" in cleaned and "name" in cleaned:
            try:
                compile_format(cleaned["name"], cleaned["pattern"])
            except FormatError as error:
                self.add_error(
                    "name" if error.code == "bad_name" else "pattern",
                    forms.ValidationError(str(error), code=error.code),
                )
        return cleaned


@admin.register(PlateFormat)
class PlateFormatAdmin(TellsCameras, RoleAdmin, admin.ModelAdmin):
    view_roles = GUARDS
    add_roles = change_roles = delete_roles = (Role.MANAGER,)
    form = PlateFormatForm
    list_display = ["name", "site", "pattern", "example"]
    list_filter = [("site", SiteFilter)]
    list_select_related = ["site"]

    @admin.display(description="example")
    def example(self, row: PlateFormat) -> str:
        try:
            return compile_format(row.name, row.pattern).example
        except FormatError as error:
            return str(error)
