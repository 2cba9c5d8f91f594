"""Faces in the admin: enrol and take back photos, record the ground, look at what was seen and kept."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.safestring import SafeString

from factoryai.rest import Refusal
from factoryai.sites.models import Role
from factoryai.sites.role_admin import RoleAdmin
from identity.admin.pictures import picture
from identity.models import (
    CameraFaces,
    Consent,
    Employee,
    Face,
)
from identity.pictures import decode_picture
from identity.services.enrolment import (
    Photo,
    advised_more,
    enrol_photo,
    examine_photo,
    photo_from,
    record_consent,
    refuse_wrong_person,
    remove_photo,
)
from identity.services.enrolment import require_enrolable as check_enrolable
from streaming.models import Camera


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
    def _photos(employee: Employee, cleaned: dict[str, Any]) -> list[tuple[Photo, str]]:
        photos, camera = [(photo, Face.Source.UPLOAD) for photo in cleaned["photos"]], cleaned["camera"]
        check_enrolable(employee)
        if camera and camera.site_id != employee.site_id:
            raise Refusal("other_site", "This camera stands at another site than the person works at.")
        if camera:
            photos.append((photo_from(camera), Face.Source.CAMERA))
        if not photos:
            raise Refusal("required", "Choose a photo or a camera.")
        for photo, _ in photos:
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
        for number, (photo, source) in enumerate(form.cleaned_data["photos"], 1):
            try:
                kept.append(enrol_photo(employee=obj.employee, photo=photo, source=source, by=request.user, at=at))
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
