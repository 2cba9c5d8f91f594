"""`/api/v1/employees/{id}/…`: photos, the ground for them, opting out, and erasure."""

from __future__ import annotations

import datetime as dt

from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from factoryai.rest import ErrorSerializer, ModelSerializer, NotFound, Refusal
from factoryai.sites.models import Role
from factoryai.sites.permissions import SiteScoped
from identity.api.snapshots import picture_url
from identity.models import Consent, Employee, Face
from identity.pictures import MOST_BYTES
from identity.querysets import FACE_ROLES
from identity.services.enrolment import (
    advised_more,
    enrol_photo,
    enrol_picture,
    photo_from,
    record_consent,
    remove_photo,
    require_enrolable,
)
from identity.services.erasure import erase_biometrics, opt_out
from streaming.models import Camera

REFUSED_PICTURE = OpenApiResponse(
    ErrorSerializer,
    "`no_face`, `several_faces`, `face_too_small`, `too_blurry`, `too_dark`, `too_bright`, `turned_away`, "
    "`not_an_image`, `truncated_image`, `matches_other_employee`, `unlike_other_photos`, `consent_missing`, "
    "`consent_withdrawn`, `too_many_faces`, `not_active`, `not_indexed`, `no_picture`",
)
TOO_LARGE = OpenApiResponse(ErrorSerializer, "`image_too_large`")


class FaceSerializer(ModelSerializer):
    snapshot = serializers.SerializerMethodField(help_text="Address of the photo; HR only.")

    class Meta:
        model = Face
        fields = ["id", "quality", "source", "engine", "model_version", "added_at", "snapshot"]
        read_only_fields = fields

    def get_snapshot(self, face: Face) -> str:
        return picture_url(face.snapshot)


class EnrolledSerializer(FaceSerializer):
    more_advised = serializers.SerializerMethodField(help_text="How many photos more would serve recognition.")

    class Meta(FaceSerializer.Meta):
        fields = [*FaceSerializer.Meta.fields, "more_advised"]
        read_only_fields = fields

    def get_more_advised(self, face: Face) -> int:
        return advised_more(face.employee)


class PhotoSerializer(serializers.Serializer):
    image = serializers.FileField(required=False, help_text="JPEG or PNG, at most 10 MB and 25 megapixels.")
    camera = serializers.SlugField(required=False, help_text="Instead of an image: take what this camera sees now.")


class EmployeeView(SiteScoped, GenericAPIView):
    """Something about one employee of a site at which the user is HR (or a manager, to read)."""

    pagination_class = None
    filter_backends: list = []
    queryset = Employee.objects.select_related("site")
    read_roles = FACE_ROLES
    write_roles = (Role.HR,)
    lookup_url_kwarg = "employee"


class EmployeeFacesView(EmployeeView):
    parser_classes = [MultiPartParser]
    serializer_class = PhotoSerializer

    @extend_schema(operation_id="employees_faces_list", responses=FaceSerializer(many=True))
    def get(self, request: Request, employee: int) -> Response:
        """The photos a person is known by; two or three are advised."""
        faces = self.get_object().faces.select_related("snapshot")
        return Response(FaceSerializer(faces, many=True).data)

    @extend_schema(
        operation_id="employees_faces_create",
        request={"multipart/form-data": PhotoSerializer},
        responses={201: EnrolledSerializer, 413: TOO_LARGE, 422: REFUSED_PICTURE},
    )
    def post(self, request: Request, employee: int) -> Response:
        """Enrol one photo, uploaded or straight from a camera. The ground for it must be, or is, recorded first."""
        person, at = self.get_object(), timezone.now()
        asked = PhotoSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if "image" in asked.validated_data:
            data = read_upload(asked.validated_data["image"])
            face = enrol_picture(employee=person, data=data, by=request.user, at=at)
        elif "camera" in asked.validated_data:
            face = self._enrol_from_camera(person, asked.validated_data["camera"], at)
        else:
            raise Refusal("required", "Send an image, or name a camera.", fields={"image": "This field is required."})
        return Response(EnrolledSerializer(face).data, status=201)

    def _enrol_from_camera(self, person: Employee, slug: str, at: dt.datetime) -> Face:
        camera = Camera.objects.watchable_by(self.request.user).filter(site=person.site, slug=slug).first()
        if camera is None:
            raise NotFound(f"There is no camera {slug}.")
        require_enrolable(person)
        photo = photo_from(camera)
        return enrol_photo(employee=person, photo=photo, source=Face.Source.CAMERA, by=self.request.user, at=at)


def read_upload(upload: UploadedFile) -> bytes:
    """Return the content of an upload; 413 before it is read when it is too large."""
    if upload.size > MOST_BYTES:
        raise Refusal("image_too_large", f"The file is larger than {MOST_BYTES // 1024**2} MB.", 413)
    return upload.read()


class EmployeeFaceView(EmployeeView):
    serializer_class = FaceSerializer

    @extend_schema(operation_id="employees_faces_destroy", request=None, responses={204: None})
    def delete(self, request: Request, employee: int, face: int) -> Response:
        """Take one photo back: its template, its file, and what a service elsewhere keeps of it."""
        found = self.get_object().faces.select_related("snapshot").filter(pk=face).first()
        if found is None:
            raise NotFound
        remove_photo(snapshot=found.snapshot, at=timezone.now())
        return Response(status=204)


class ConsentSerializer(ModelSerializer):
    class Meta:
        model = Consent
        fields = ["basis", "notice_version", "given_date", "recorded_at", "withdrawn_at", "other_method"]
        read_only_fields = ["recorded_at", "withdrawn_at", "other_method"]


class ConsentView(EmployeeView):
    serializer_class = ConsentSerializer

    @extend_schema(operation_id="employees_consent_list", responses=ConsentSerializer(many=True))
    def get(self, request: Request, employee: int) -> Response:
        """The grounds on which a face was and is used, newest first."""
        return Response(ConsentSerializer(self.get_object().consents.all(), many=True).data)

    @extend_schema(operation_id="employees_consent_create", responses={201: ConsentSerializer})
    def post(self, request: Request, employee: int) -> Response:
        """Record consent or another legal ground, before the first photo."""
        person = self.get_object()
        asked = ConsentSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        ground = record_consent(employee=person, by=request.user, at=timezone.now(), **asked.validated_data)
        return Response(ConsentSerializer(ground).data, status=201)


class ErasedSerializer(serializers.Serializer):
    templates = serializers.IntegerField()
    photos = serializers.IntegerField()
    snapshots = serializers.IntegerField()
    remote_faces = serializers.IntegerField()
    remote_pending = serializers.IntegerField(
        help_text="Not yet deleted by the service elsewhere; asked again nightly."
    )
    held = serializers.IntegerField(help_text="Pictures kept as evidence.")
    traces = serializers.ListField(child=serializers.CharField(), help_text="What a search still finds.")
    is_proven = serializers.BooleanField(help_text="Whether a search for this face finds nothing anywhere.")


class EraseView(EmployeeView):
    serializer_class = ErasedSerializer

    @extend_schema(operation_id="employees_erase_biometrics", request=None, responses=ErasedSerializer)
    def post(self, request: Request, employee: int) -> Response:
        """Erase everything the person could be recognised by, here and elsewhere, and prove it. Payroll rows stay."""
        erased = erase_biometrics(employee=self.get_object(), at=timezone.now())
        return Response(ErasedSerializer(erased.as_dict()).data)


class OptOutSerializer(serializers.Serializer):
    other_method = serializers.ChoiceField(Consent.Method.choices, help_text="What takes the place of the face.")


class OptOutView(EmployeeView):
    serializer_class = OptOutSerializer

    @extend_schema(operation_id="employees_opt_out", responses=ErasedSerializer)
    def post(self, request: Request, employee: int) -> Response:
        """Let a person go without their face: another method is recorded, and everything is erased."""
        person = self.get_object()
        asked = OptOutSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        erased = opt_out(employee=person, other_method=asked.validated_data["other_method"], at=timezone.now())
        return Response(ErasedSerializer(erased.as_dict()).data)
