"""What the OpenAPI schema says of every operation: the errors it may answer, in their one shape."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework.permissions import SAFE_METHODS, AllowAny

from factoryai.rest import STATUSES, ErrorSerializer


class Schema(AutoSchema):
    """Adds 400, 401, 403, 404 and 429 where an operation may answer them."""

    def _get_response_bodies(self, direction: str = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for code in self._error_statuses():
            if str(code) not in bodies:
                answer = OpenApiResponse(ErrorSerializer, STATUSES[code])
                bodies[str(code)] = self._get_response_for_code(answer, str(code), direction=direction)
        return bodies

    def _error_statuses(self) -> list[int]:
        statuses = []
        if self.method not in SAFE_METHODS or self.get_filter_backends():
            statuses.append(400)
        if not all(isinstance(permission, AllowAny) for permission in self.view.get_permissions()):
            statuses += [401, 403]
        if "{" in self.path:
            statuses.append(404)
        return statuses
