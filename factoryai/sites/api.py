"""`/api/v1/sites`: the sites a person works at; a superuser makes them, a manager names them."""

from __future__ import annotations

from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, viewsets
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from factoryai.rest import ModelSerializer, RefusesReadOnly, StrictBooleanFilter
from factoryai.sites.models import Role, Site
from factoryai.sites.permissions import PEOPLE, SiteRole, SiteScoped


class SiteSerializer(RefusesReadOnly, ModelSerializer):
    class Meta:
        model = Site
        fields = ["slug", "name", "timezone", "is_active"]

    def get_fields(self) -> dict:
        """A site keeps the slug it was made with: addresses and devices refer to it."""
        fields = super().get_fields()
        fields["slug"].read_only = self.instance is not None and not isinstance(self.instance, list)
        return fields


class SiteFilter(filters.FilterSet):
    is_active = extend_schema_field(OpenApiTypes.BOOL)(StrictBooleanFilter)()

    class Meta:
        model = Site
        fields = ["is_active"]


class MakesSites(BasePermission):
    """Only a superuser adds a site."""

    message = "Only an administrator adds sites."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return request.method != "POST" or request.user.is_superuser


class SiteViewSet(
    SiteScoped,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet,
):
    queryset = Site.objects.all()
    serializer_class = SiteSerializer
    permission_classes = [SiteRole, MakesSites]
    read_roles = (*PEOPLE, Role.DEVICE)
    write_roles = (Role.MANAGER,)
    http_method_names = ["get", "post", "patch", "head", "options"]
    lookup_field = "slug"
    lookup_value_regex = r"[-\w]+"
    filterset_class = SiteFilter
    ordering_fields = ["name", "slug"]
