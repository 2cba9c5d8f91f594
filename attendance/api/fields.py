"""Fields that several serializers share: a person and a shift, each only where the user may act."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from rest_framework import serializers

from factoryai.rest import Refusal
from factoryai.sites.access import roles_at, site_of
from factoryai.sites.models import Role
from factoryai.sites.permissions import roles_for

HR = (Role.HR, Role.MANAGER)
POSTERS = (Role.DEVICE, Role.HR, Role.MANAGER)


class OwnedField(serializers.PrimaryKeyRelatedField):
    """A row by its id. One of another site is unknown; one of a site where the role is missing is refused."""

    def get_queryset(self) -> QuerySet:
        return super().get_queryset().visible_to(self.context["request"].user)

    def to_internal_value(self, data: Any) -> Model:
        row = super().to_internal_value(data)
        request, view = self.context["request"], self.context["view"]
        if roles_at(request.user, site_of(row)).isdisjoint(roles_for(request, view)):
            raise Refusal("permission_denied", "Your role at this site does not allow it.", 403)
        return row
