"""`/api/v1/identity/…`: search a picture, what cameras saw, and the faces nobody could name."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from factoryai.rest import AwareDateTimeField, AwareDateTimeFilter, ErrorSerializer, ModelSerializer, NotFound
from factoryai.sites.models import Role, Site
from factoryai.sites.permissions import SiteRole, SiteScoped
from identity.api.faces import REFUSED_PICTURE, TOO_LARGE, read_upload
from identity.api.snapshots import picture_url
from identity.models import Employee, Sighting, UnknownFace
from identity.querysets import FACE_ROLES, STRANGER_ROLES
from identity.services.review import name_unknown
from identity.services.search import search_picture
from identity.services.sightings import decide_sighting
from identity.services.unknowns import dismiss_unknown, mark_visitor, merge_unknown


class SearchSerializer(serializers.Serializer):
    image = serializers.FileField(help_text="JPEG or PNG; the largest face in it is searched.")
    captured_at = AwareDateTimeField(required=False, help_text="Who does not work here on that day is for review.")
    site = serializers.SlugField(required=False, help_text="Search this site only.")


class FoundSerializer(serializers.Serializer):
    outcome = serializers.ChoiceField(["known", "review", "unknown", "no_face"])
    employee = serializers.IntegerField(allow_null=True)
    employee_code = serializers.CharField(allow_null=True)
    site = serializers.CharField(allow_null=True)
    similarity = serializers.FloatField(allow_null=True)
    second_similarity = serializers.FloatField(allow_null=True)
    engine = serializers.CharField(allow_null=True)
    threshold = serializers.FloatField(allow_null=True)
    reason = serializers.CharField()


class SearchView(APIView):
    permission_classes = [SiteRole]
    parser_classes = [MultiPartParser]
    read_roles = write_roles = FACE_ROLES

    @extend_schema(
        operation_id="identity_search",
        request={"multipart/form-data": SearchSerializer},
        responses={200: FoundSerializer, 413: TOO_LARGE, 422: REFUSED_PICTURE},
    )
    def post(self, request: Request) -> Response:
        """Say whose the largest face in a picture is, among the people of the user's sites. Records nothing."""
        asked = SearchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        sites = Site.objects.visible_to(request.user, self.read_roles)
        if slug := asked.validated_data.get("site"):
            sites = sites.filter(slug=slug)
            if not sites:
                raise NotFound(f"There is no site {slug}.")
        at = asked.validated_data.get("captured_at") or timezone.now()
        found = search_picture(data=read_upload(asked.validated_data["image"]), sites=list(sites), at=at)
        return Response(FoundSerializer(found).data)


class SightingSerializer(ModelSerializer):
    site = serializers.SlugRelatedField("slug", read_only=True)
    camera = serializers.SlugRelatedField("slug", read_only=True)
    employee_code = serializers.CharField(source="employee.code", default=None, read_only=True)
    picture = serializers.SerializerMethodField(help_text="Address of the picture, null when none is kept.")

    class Meta:
        model = Sighting
        fields = [
            "id", "site", "camera", "captured_at", "outcome", "reason", "employee", "employee_code", "similarity",
            "second_similarity", "threshold", "engine", "model_version", "unknown_face", "review", "picture",
        ]  # fmt: skip
        read_only_fields = fields

    def get_picture(self, row: Sighting | UnknownFace) -> str | None:
        return picture_url(row.snapshot)


class SightingFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")
    camera = filters.CharFilter("camera__slug")
    seen_after = AwareDateTimeFilter("captured_at", "gte")
    seen_before = AwareDateTimeFilter("captured_at", "lt")

    class Meta:
        model = Sighting
        fields = ["site", "camera", "employee", "outcome", "review", "unknown_face"]


class DecideSerializer(serializers.Serializer):
    employee = serializers.IntegerField(allow_null=True, help_text="Who it is; null: not who it was thought to be.")


ALREADY = OpenApiResponse(ErrorSerializer, "`already_decided`")
OWN = OpenApiResponse(ErrorSerializer, "`own_record`")


class SightingViewSet(SiteScoped, viewsets.ReadOnlyModelViewSet):
    queryset = Sighting.objects.select_related("site", "camera", "employee", "snapshot")
    serializer_class = SightingSerializer
    filterset_class = SightingFilter
    ordering_fields = ["captured_at"]
    read_roles = FACE_ROLES
    write_roles = (Role.HR,)

    @extend_schema(request=DecideSerializer, responses={200: SightingSerializer, 403: OWN, 409: ALREADY})
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """Say who a doubtful sighting is. Whoever is named gets the punch that belongs to it, marked as decided."""
        sighting = self.get_object()
        asked = DecideSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        key = asked.validated_data["employee"]
        person = None if key is None else employee_for(request, key)
        decide_sighting(sighting=sighting, employee=person, by=request.user, at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)


def employee_for(request: Request, key: int) -> Employee:
    """Return an employee of a site at which the user is HR; 404 for any other."""
    person = Employee.objects.visible_to(request.user, (Role.HR,)).select_related("site").filter(pk=key).first()
    if person is None:
        raise NotFound("There is no such employee.")
    return person


class UnknownFaceSerializer(SightingSerializer):
    class Meta:
        model = UnknownFace
        fields = [
            "id", "site", "state", "times_seen", "first_seen_at", "last_seen_at", "employee", "employee_code",
            "merged_into", "label", "decided_at", "picture",
        ]  # fmt: skip
        read_only_fields = fields

    camera = None


class AssignSerializer(serializers.Serializer):
    employee = serializers.IntegerField()
    punch = serializers.BooleanField(default=True, help_text="Create the punches of its sightings, marked.")
    enrol = serializers.BooleanField(default=False, help_text="Enrol its picture as a photo of the person.")


class VisitorSerializer(serializers.Serializer):
    label = serializers.CharField(max_length=120, allow_blank=True, default="")


class MergeSerializer(serializers.Serializer):
    into = serializers.IntegerField(help_text="The unknown face that stays.")


class UnknownFaceFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")

    class Meta:
        model = UnknownFace
        fields = ["site", "state"]


class UnknownFaceViewSet(SiteScoped, viewsets.ReadOnlyModelViewSet):
    queryset = UnknownFace.objects.select_related("site", "employee", "snapshot").defer("mean")
    serializer_class = UnknownFaceSerializer
    filterset_class = UnknownFaceFilter
    ordering_fields = ["last_seen_at", "times_seen"]
    read_roles = write_roles = STRANGER_ROLES
    action_roles = {"assign": (Role.HR,)}

    @extend_schema(
        request=AssignSerializer,
        responses={200: UnknownFaceSerializer, 403: OWN, 409: ALREADY, 422: REFUSED_PICTURE},
    )
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """Say who it is. Its sightings become that person's, marked as said by a person; nothing is learnt unasked."""
        unknown, asked = self.get_object(), self._asked(AssignSerializer)
        name_unknown(
            unknown=unknown,
            employee=employee_for(request, asked["employee"]),
            by=request.user,
            at=timezone.now(),
            creates_punches=asked["punch"],
            enrols=asked["enrol"],
        )
        return self._answer()

    @extend_schema(request=None, responses={200: UnknownFaceSerializer, 409: ALREADY})
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, pk: str) -> Response:
        """Take it off the list; the same face does not come back to it."""
        dismiss_unknown(unknown=self.get_object(), by=request.user, at=timezone.now())
        return self._answer()

    @extend_schema(request=VisitorSerializer, responses={200: UnknownFaceSerializer, 409: ALREADY})
    @action(detail=True, methods=["post"])
    def visitor(self, request: Request, pk: str) -> Response:
        """Say that it is a visitor, who may come again."""
        unknown = self.get_object()
        mark_visitor(unknown=unknown, by=request.user, at=timezone.now(), **self._asked(VisitorSerializer))
        return self._answer()

    @extend_schema(request=MergeSerializer, responses={200: UnknownFaceSerializer, 409: ALREADY})
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str) -> Response:
        """Say that it is the same person as another unknown face."""
        unknown = self.get_object()
        into = self.get_queryset().filter(pk=self._asked(MergeSerializer)["into"]).first()
        if into is None:
            raise NotFound("There is no such unknown face.")
        merge_unknown(unknown=unknown, into=into, by=request.user, at=timezone.now())
        return self._answer()

    def _asked(self, form: type[serializers.Serializer]) -> dict[str, Any]:
        asked = form(data=self.request.data)
        asked.is_valid(raise_exception=True)
        return asked.validated_data

    def _answer(self) -> Response:
        return Response(self.get_serializer(self.get_object()).data)
