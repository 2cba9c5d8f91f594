"""`/api/v1/employees`: who works here."""

from __future__ import annotations

from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, viewsets

from factoryai.rest import ModelSerializer, Refusal, RefusesReadOnly, StrictBooleanFilter
from factoryai.sites.models import Role
from factoryai.sites.permissions import SiteField, SiteScoped
from identity.models import Employee
from identity.services.people import save_employee


class EmployeeSerializer(RefusesReadOnly, ModelSerializer):
    site = SiteField()

    class Meta:
        model = Employee
        fields = ["id", "site", "code", "name", "department", "joined_date", "left_date", "is_active"]

    def get_fields(self) -> dict:
        """A person stays at the site they were added to: records of pay refer to it."""
        fields = super().get_fields()
        fields["site"].read_only = self.instance is not None and not isinstance(self.instance, list)
        return fields

    def create(self, data: dict) -> Employee:
        return save_employee(Employee(**data))

    def update(self, instance: Employee, data: dict) -> Employee:
        for name, value in data.items():
            setattr(instance, name, value)
        return save_employee(instance)

    def validate(self, data: dict) -> dict:
        joined = data.get("joined_date", getattr(self.instance, "joined_date", None))
        left = data.get("left_date", getattr(self.instance, "left_date", None))
        if joined and left and left < joined:
            text = "Nobody leaves before joining."
            raise Refusal("end_before_start", text, fields={"left_date": text})
        return data


class EmployeeFilter(filters.FilterSet):
    site = filters.CharFilter("site__slug")
    is_active = extend_schema_field(OpenApiTypes.BOOL)(StrictBooleanFilter)()
    name = filters.CharFilter("name", "icontains")

    class Meta:
        model = Employee
        fields = ["site", "code", "department", "is_active", "name"]


class EmployeeViewSet(
    SiteScoped,
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.UpdateModelMixin,
    viewsets.GenericViewSet,
):
    queryset = Employee.objects.select_related("site")
    serializer_class = EmployeeSerializer
    read_roles = (Role.HR, Role.MANAGER)
    write_roles = (Role.HR, Role.MANAGER)
    http_method_names = ["get", "post", "patch", "head", "options"]
    filterset_class = EmployeeFilter
    ordering_fields = ["code", "name", "department", "joined_date"]
