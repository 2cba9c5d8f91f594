"""Cameras in the admin: their state in words, their source without its login, a button that tries an address."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from factoryai.rest import Refusal
from factoryai.sites.models import Role
from factoryai.sites.role_admin import RoleAdmin
from streaming.drawings import DrawingError, check_lines, check_masks, check_zones
from streaming.models import ROLES, Camera
from streaming.services import check_source, set_source
from streaming.sources import SourceError
from streaming.standing import stand
from streaming.trial import try_source

DRAWINGS = {"zones": check_zones, "lines": check_lines, "privacy_masks": check_masks}


class CameraForm(forms.ModelForm):
    """Takes the address with its login, and shows it with stars; stars sent back keep the login."""

    url = forms.CharField(
        label="Address",
        max_length=500,
        strip=False,
        help_text="rtsp://user:password@192.168.1.20/stream1 — the login is kept encrypted and never shown again.",
        widget=forms.TextInput(attrs={"size": 80, "autocomplete": "off", "spellcheck": "false", "data-try": "try/"}),
    )
    roles = forms.MultipleChoiceField(
        choices=[(role, role) for role in ROLES], required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Camera
        fields = [
            "site", "slug", "name", "url", "roles", "direction", "detect_fps", "stream_fps", "is_enabled",
            "zones", "lines", "privacy_masks",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["url"].initial = self.instance.masked_source
            if "lines" in self.fields:
                self.fields["lines"].widget.attrs["data-picture"] = reverse("snapshot", args=[self.instance.slug])

    def clean_url(self) -> Any:
        try:
            return check_source(self.cleaned_data["url"])
        except SourceError as error:
            raise ValidationError(str(error), code=error.code) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name, check in DRAWINGS.items():
            try:
                cleaned[name] = check(cleaned.get(name) or [])
            except DrawingError as error:
                self.add_error(name, ValidationError(str(error), code="bad_drawing"))
        return cleaned

    def save(self, commit: bool = True) -> Camera:
        set_source(self.instance, self.cleaned_data["url"])
        return super().save(commit)


@admin.register(Camera)
class CameraAdmin(RoleAdmin, admin.ModelAdmin):
    add_roles = change_roles = delete_roles = (Role.MANAGER,)
    form = CameraForm
    list_display = ["name", "site", "state", "source", "roles_in_words", "figures", "is_enabled"]
    list_filter = ["site", "is_enabled"]
    list_select_related = ["site", "status"]
    search_fields = ["name", "slug", "address"]
    actions = ["switch_on", "switch_off"]
    fieldsets = [
        (None, {"fields": ["site", "name", "slug", "url", "is_enabled"]}),
        ("What it is for", {"fields": ["roles", "direction"]}),
        ("Pictures a second", {"fields": ["detect_fps", "stream_fps"]}),
        (
            "Drawn on the picture",
            {
                "fields": ["zones", "lines", "privacy_masks"],
                "description": "People are counted over lines, watched in zones, and hidden under masks. A zone of "
                "people counts by the name of a line: choose it anew there when the name changes.",
            },
        ),
    ]

    class Media:
        css = {"all": ["css/admin.css"]}
        js = [forms.Script("js/try-camera.js", type="module"), forms.Script("js/draw-camera.js", type="module")]

    def get_readonly_fields(self, request: HttpRequest, obj: Camera | None = None) -> list[str]:
        return ["site", "slug"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Camera | None = None) -> dict[str, list[str]]:
        return {} if obj else {"slug": ["name"]}

    def get_urls(self) -> list[URLPattern]:
        return [
            path("try/", self.admin_site.admin_view(require_POST(self.try_view)), name="try-camera"),
            *super().get_urls(),
        ]

    def try_view(self, request: HttpRequest) -> JsonResponse:
        """Open the address that stands in the form and answer with its first picture or the reason."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        try:
            source = check_source(request.POST.get("url", ""))
        except SourceError as error:
            return JsonResponse({"ok": False, "code": error.code, "message": str(error)})
        if known := self.get_queryset(request).filter(slug=request.POST.get("slug", "")).first():
            set_source(known, source)
            source = type(source)(source.kind, source.address, known.username, known.password)
        try:
            trial = try_source(source)
        except Refusal as refusal:
            return JsonResponse({"ok": False, "code": refusal.code, "message": refusal.message})
        answer = {"ok": trial.ok, "code": trial.code, "message": trial.message, "jpeg": trial.jpeg}
        return JsonResponse(answer, headers={"Cache-Control": "no-store"})

    @admin.display(description="state")
    def state(self, camera: Camera) -> str:
        standing = stand(camera, timezone.now())
        return f"{standing.word}: {standing.note}" if standing.note else standing.word

    @admin.display(description="source")
    def source(self, camera: Camera) -> str:
        return camera.masked_source

    @admin.display(description="roles")
    def roles_in_words(self, camera: Camera) -> str:
        return ", ".join(camera.roles) or "—"

    @admin.display(description="fps source / shown / detected")
    def figures(self, camera: Camera) -> str:
        standing = stand(camera, timezone.now())
        if not (standing.is_live and standing.status):
            return "—"
        row = standing.status
        return f"{row.source_fps:.0f} / {row.shown_fps:.0f} / {row.detect_fps:.0f}"

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._switch(request, cameras, is_enabled=True)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, cameras: QuerySet[Camera]) -> None:
        self._switch(request, cameras, is_enabled=False)

    def _switch(self, request: HttpRequest, cameras: QuerySet[Camera], *, is_enabled: bool) -> None:
        changed = cameras.exclude(is_enabled=is_enabled).update(is_enabled=is_enabled, updated_at=timezone.now())
        self.message_user(request, f"Switched {'on' if is_enabled else 'off'}: {changed}.")
