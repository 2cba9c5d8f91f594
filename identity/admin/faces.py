"""Faces in the admin: enrol and take back photos, record the ground, look at what was seen and kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from factoryai.rest import Refusal
from factoryai.sites.models import Role
from factoryai.sites.role_admin import RoleAdmin
from identity.api.snapshots import picture_url
from identity.models import (
    CameraFaces,
    Consent,
    Employee,
    Face,
    PaidRequests,
    PurgeRun,
    Retention,
    Sighting,
    Snapshot,
    UnknownFace,
)
from identity.pictures import decode_picture
from identity.querysets import FACE_ROLES, STRANGER_ROLES
from identity.services.enrolment import (
    Photo,
    advised_more,
    enrol_photo,
    examine_photo,
    record_consent,
    refuse_wrong_person,
    remove_photo,
)
from identity.services.enrolment import require_enrolable as check_enrolable
from identity.services.erasure import erase_biometrics
from identity.services.grab import grab_picture
from identity.services.snapshots import hold_snapshot, release_snapshot
from identity.services.unknowns import dismiss_unknown, mark_visitor
from streaming.models import Camera


def picture(snapshot: Snapshot | None, side: int = 96) -> SafeString | str:
    """Return a small picture; whoever may not see it gets none from its address."""
    url = picture_url(snapshot)
    return format_html('<img src="{}" alt="" width="{}" loading="lazy">', url, side) if url else "—"


class SeveralFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """None or more photos, examined one by one; each error says which file it is about."""

    widget = SeveralFiles(attrs={"accept": "image/jpeg,image/png"})

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = [file for file in (data if isinstance(data, list | tuple) else [data]) if file]
        return [self._examine(super(PhotosField, self).clean(file, initial)) for file in files]

    @staticmethod
    def _examine(file: Any) -> Any:
        try:
            return examine_photo(decode_picture(file.read()))
        except Refusal as refusal:
            raise ValidationError(f"{file.name}: {refusal.message}", code=refusal.code) from refusal


class FaceForm(forms.ModelForm):
    """Photos from files, or the picture a camera sends at this moment."""

    photos = PhotosField(
        required=False,
        help_text="Two or three photos, JPEG or PNG: of this person alone, looking into the camera.",
    )
    camera = forms.ModelChoiceField(
        Camera.objects.none(), required=False, help_text="Or take what this camera of the person's site sees now."
    )

    user: Any = None

    class Meta:
        model = Face
        fields = ["employee"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "camera" in self.fields:
            self.fields["camera"].queryset = Camera.objects.watchable_by(self.user).filter(is_enabled=True)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        employee = cleaned.get("employee")
        if employee and not self.errors:
            try:
                cleaned["photos"] = self._photos(employee, cleaned)
            except Refusal as refusal:
                raise ValidationError(refusal.message, code=refusal.code) from refusal
        return cleaned

    @staticmethod
    def _photos(employee: Employee, cleaned: dict[str, Any]) -> list[Photo]:
        photos, camera = list(cleaned["photos"]), cleaned["camera"]
        check_enrolable(employee)
        if camera and camera.site_id != employee.site_id:
            raise Refusal("other_site", "This camera stands at another site than the person works at.")
        if camera:
            photos.append(examine_photo(grab_picture(camera)))
        if not photos:
            raise Refusal("required", "Choose a photo or a camera.")
        for photo in photos:
            refuse_wrong_person(employee, photo.vector)
        return photos


@admin.register(Face)
class FaceAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = add_roles = delete_roles = (Role.HR,)
    form = FaceForm
    list_display = ["employee", "photo", "quality", "source", "added_at", "added_by"]
    list_filter = ["employee__site", "source"]
    list_select_related = ["employee", "snapshot", "added_by"]
    search_fields = ["employee__code", "employee__name"]

    def get_fields(self, request: HttpRequest, obj: Face | None = None) -> list[str]:
        shown = ["employee", "photo", "quality", "width_px", "sharpness", "brightness", "turn", "source", "added_at"]
        return shown if obj else ["employee", "photos", "camera"]

    def get_form(self, request: HttpRequest, obj: Face | None = None, **kwargs: Any) -> type[FaceForm]:
        return type("FaceForm", (super().get_form(request, obj, **kwargs),), {"user": request.user})

    def get_readonly_fields(self, request: HttpRequest, obj: Face | None = None) -> list[str]:
        return self.get_fields(request, obj) if obj else []

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A refusal that only the write could see (two enrolments at once) is said on the form's own page."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except Refusal as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.path)

    def save_model(self, request: HttpRequest, obj: Face, form: FaceForm, change: bool) -> None:
        """Enrol each photo. Once one is kept, one that is refused is said and does not take it along."""
        at, kept = timezone.now(), []
        for number, photo in enumerate(form.cleaned_data["photos"], 1):
            try:
                kept.append(enrol_photo(employee=obj.employee, photo=photo, source="upload", by=request.user, at=at))
            except Refusal as refusal:
                if not kept:
                    raise
                self.message_user(request, f"Photo {number}: {refusal.message}", messages.WARNING)
        if more := advised_more(obj.employee):
            self.message_user(request, f"{more} more of other moments would serve: with and without glasses, say.")
        obj.__dict__.update(kept[0].__dict__)

    def delete_model(self, request: HttpRequest, obj: Face) -> None:
        remove_photo(snapshot=obj.snapshot, at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Face]) -> None:
        for face in queryset.select_related("snapshot"):
            self.delete_model(request, face)

    @admin.display(description="photo")
    def photo(self, face: Face) -> SafeString | str:
        return picture(face.snapshot)


@admin.register(Consent)
class ConsentAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = add_roles = (Role.HR,)
    fields = ["employee", "basis", "notice_version", "given_date"]
    list_display = ["employee", "basis", "notice_version", "given_date", "recorded_by", "withdrawn_at", "other_method"]
    list_filter = ["employee__site", "basis", "other_method"]
    list_select_related = ["employee", "recorded_by"]
    search_fields = ["employee__code", "employee__name"]

    def save_model(self, request: HttpRequest, obj: Consent, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in self.fields}
        obj.__dict__.update(record_consent(by=request.user, at=timezone.now(), **said).__dict__)


@admin.register(Sighting)
class SightingAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = FACE_ROLES
    list_display = ["captured_at", "camera", "outcome", "employee", "similarity", "threshold", "review", "photo"]
    list_filter = ["site", "outcome", "review", "engine", "camera"]
    list_select_related = ["camera", "employee", "snapshot"]
    search_fields = ["employee__code", "employee__name", "event_id"]
    date_hierarchy = "captured_at"

    @admin.display(description="picture")
    def photo(self, sighting: Sighting) -> SafeString | str:
        return picture(sighting.snapshot, 48)


@admin.register(UnknownFace)
class UnknownFaceAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = STRANGER_ROLES
    exclude = ["mean"]
    list_display = ["__str__", "photo", "site", "state", "times_seen", "last_seen_at", "employee", "label"]
    list_filter = ["site", "state"]
    list_select_related = ["site", "snapshot", "employee"]
    date_hierarchy = "last_seen_at"
    actions = ["dismiss", "visitor"]
    show_facets = admin.ShowFacets.ALWAYS

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnknownFace]:
        return super().get_queryset(request).defer("mean")

    @admin.display(description="picture")
    def photo(self, unknown: UnknownFace) -> SafeString | str:
        return picture(unknown.snapshot, 64)

    @admin.action(description="Dismiss", permissions=["view"])
    def dismiss(self, request: HttpRequest, unknowns: QuerySet[UnknownFace]) -> None:
        self._each(request, unknowns, lambda face, at: dismiss_unknown(unknown=face, by=request.user, at=at))

    @admin.action(description="Visitor", permissions=["view"])
    def visitor(self, request: HttpRequest, unknowns: QuerySet[UnknownFace]) -> None:
        self._each(request, unknowns, lambda face, at: mark_visitor(unknown=face, label="", by=request.user, at=at))

    def _each(self, request: HttpRequest, rows: QuerySet, act: Any) -> None:
        done, at = 0, timezone.now()
        for row in rows:
            try:
                act(row, at)
            except Refusal as refusal:
                self.message_user(request, f"{row}: {refusal.message}", messages.WARNING)
            else:
                done += 1
        self.message_user(request, f"{done} done.")


@admin.register(Snapshot)
class SnapshotAdmin(RoleAdmin, admin.ModelAdmin):
    view_roles = STRANGER_ROLES
    list_display = ["captured_at", "photo", "kind", "reason", "site", "camera", "state", "size_bytes", "is_held"]
    list_filter = ["site", "kind", "state", "is_held"]
    list_select_related = ["site", "camera"]
    search_fields = ["reason", "hold_reason"]
    date_hierarchy = "captured_at"
    actions = ["hold", "release"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Snapshot]:
        return super().get_queryset(request).viewable_by(request.user)

    @admin.display(description="picture")
    def photo(self, snapshot: Snapshot) -> SafeString | str:
        return picture(snapshot, 64)

    @admin.action(description="Hold as evidence", permissions=["view"])
    def hold(self, request: HttpRequest, snapshots: QuerySet[Snapshot]) -> None:
        done = 0
        for snapshot in snapshots:
            try:
                hold_snapshot(snapshot=snapshot, reason="Held in the administration", by=request.user)
            except Refusal as refusal:
                self.message_user(request, f"{snapshot}: {refusal.message}", messages.WARNING)
            else:
                done += 1
        self.message_user(request, f"{done} held.")

    @admin.action(description="Release", permissions=["view"])
    def release(self, request: HttpRequest, snapshots: QuerySet[Snapshot]) -> None:
        done = [release_snapshot(snapshot=snapshot) for snapshot in snapshots]
        self.message_user(request, f"{len(done)} released.")


@admin.register(Retention)
class RetentionAdmin(RoleAdmin, admin.ModelAdmin):
    add_roles = change_roles = delete_roles = (Role.MANAGER,)
    list_display = ["site", "kind", "days"]
    list_filter = ["site", "kind"]
    list_select_related = ["site"]


@admin.register(CameraFaces)
class CameraFacesAdmin(RoleAdmin, admin.ModelAdmin):
    add_roles = change_roles = delete_roles = (Role.MANAGER,)
    list_display = ["camera", "min_width_px", "resight_s", "liveness"]
    list_select_related = ["camera"]

    def save_model(self, request: HttpRequest, obj: CameraFaces, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._tell_camera(obj)

    def delete_model(self, request: HttpRequest, obj: CameraFaces) -> None:
        super().delete_model(request, obj)
        self._tell_camera(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CameraFaces]) -> None:
        for rule in queryset:
            self.delete_model(request, rule)

    @staticmethod
    def _tell_camera(rule: CameraFaces) -> None:
        """The camera process takes a rule over when the camera's row changes."""
        Camera.objects.filter(pk=rule.camera_id).update(updated_at=timezone.now())


class OfTheInstallation(admin.ModelAdmin):
    """What concerns every site at once: superusers read it, nobody writes it."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PurgeRun)
class PurgeRunAdmin(OfTheInstallation):
    list_display = [
        "started_at", "finished_at", "refusal", "planned", "deleted", "freed_bytes", "held", "missing", "failed",
    ]  # fmt: skip


@admin.register(PaidRequests)
class PaidRequestsAdmin(OfTheInstallation):
    list_display = ["day", "count"]
    date_hierarchy = "day"


@admin.action(description="Erase biometrics (no way back)", permissions=["erase"])
def erase_selected(modeladmin: Any, request: HttpRequest, employees: QuerySet[Employee]) -> None:
    """Erase what the chosen people could be recognised by, and say whether it is proven."""
    for employee in employees.visible_to(request.user, (Role.HR,)):
        erased = erase_biometrics(employee=employee, at=timezone.now())
        what = f"{erased.templates} templates, {erased.photos} photos, {erased.snapshots} snapshots"
        if erased.is_proven:
            modeladmin.message_user(request, f"{employee}: erased {what}; a search finds nothing.")
        else:
            modeladmin.message_user(request, f"{employee}: still found: {'; '.join(erased.traces)}", messages.ERROR)


class ErasesBiometrics:
    """Mix in before the admin of employees: the action, for HR."""

    actions = [erase_selected]

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return self._may(request, (Role.HR,))  # type: ignore[attr-defined]
