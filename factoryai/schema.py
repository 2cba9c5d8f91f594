"""What the OpenAPI schema says of every operation: a name that lasts, and the errors it may answer in their one shape.

Generated clients make method names of operation ids and type names of components, so both change only on purpose.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, Final

from django.core.exceptions import FieldDoesNotExist
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import get_doc
from drf_spectacular.utils import OpenApiResponse
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.relations import RelatedField

from factoryai.rest import STATUSES, ErrorSerializer

METHODS: Final = ("get", "post", "put", "patch", "delete")
VERBS: Final = {
    "list": ("list", ""),
    "create": ("create", "Add {}"),
    "retrieve": ("retrieve", "Read {}"),
    "partial_update": ("update", "Change {}"),
    "destroy": ("destroy", "Remove {}"),
}


class Schema(AutoSchema):
    """Names operations by path and verb, and adds the refusals an operation may answer."""

    def get_operation_id(self) -> str:
        """Return names like ``alerts_list``, ``alerts_acknowledge`` and ``attendance_check_in``."""
        words = [word.replace("-", "_") for word in self._tokenize_path()]
        action = getattr(self.view, "action", None)
        if action in VERBS:
            return "_".join([*words, VERBS[action][0]])
        if action is None and sum(hasattr(self.view, method) for method in METHODS) > 1:
            return super().get_operation_id()
        return "_".join(words)

    def get_description(self) -> str:
        """Return what the operation, else its view, says of itself; a docstring of a mixin speaks of code."""
        handler = getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)
        text = get_doc(handler) or cleandoc(type(self.view).__doc__ or "")
        return text.replace("``", "`")

    def get_summary(self) -> str | None:
        """Return the first sentence of what the operation says of itself, else one from its verb."""
        action = getattr(self.view, "action", None)
        text = get_doc(getattr(self.view, action or self.method.lower(), None)).replace("``", "`")
        if not text and action in VERBS:
            return self._plain_summary(action)
        text = text or self.get_description()
        return " ".join(text.split("\n\n")[0].split()).partition(". ")[0].rstrip(".") or None

    def _plain_summary(self, action: str) -> str:
        names = self.view.queryset.model._meta
        if action == "list":
            return f"{str(names.verbose_name_plural).capitalize()} that you may see"
        article = "an" if str(names.verbose_name)[0] in "aeiou" else "a"
        return VERBS[action][1].format(f"{article} {names.verbose_name}")

    def _map_serializer_field(self, field: Any, direction: str, bypass_extensions: bool = False) -> Any:
        """Say of what is only read that it may be null; drf-spectacular knows it of what is written."""
        found = super()._map_serializer_field(field, direction, bypass_extensions)
        if not (found and field.read_only and _may_be_null(field)):
            return found
        return {"allOf": [found], "nullable": True} if "$ref" in found else {**found, "nullable": True}

    def _get_response_bodies(self, direction: str = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for code in self._error_statuses():
            if str(code) not in bodies:
                answer = OpenApiResponse(ErrorSerializer, STATUSES[code])
                bodies[str(code)] = self._get_response_for_code(answer, str(code), direction=direction)
        return dict(sorted(bodies.items()))

    def _error_statuses(self) -> list[int]:
        statuses = [404, 503]
        changes = self.method not in SAFE_METHODS
        if changes or self.get_filter_backends() or self.get_override_parameters():
            statuses.append(400)
        if not all(isinstance(permission, AllowAny) for permission in self.view.get_permissions()):
            statuses += [401, 403, 429]
        if changes and self.method != "DELETE" and self.get_request_serializer() is not None:
            statuses += [409, 413, 415, 422]
        return statuses


def _may_be_null(field: Any) -> bool:
    """Whether a field that is only read can be null: its default says so, or the column of the relation it shows."""
    if field.default is None:
        return True
    model = getattr(getattr(field.parent, "Meta", None), "model", None)
    if not isinstance(field, RelatedField) or model is None or "." in (field.source or ""):
        return False
    try:
        return bool(model._meta.get_field(field.source).null)
    except FieldDoesNotExist:
        return False
