"""The conventions of the API: refusals, the one shape of an error, pages, and times that carry an offset."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.core.exceptions import (
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import OperationalError, models, transaction
from django.db.models import ProtectedError
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django_filters import Filter, IsoDateTimeFilter
from rest_framework import exceptions, fields, parsers, serializers, status
from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

NAIVE_TIME = "This time has no offset. Write it like 2026-03-01T08:00:00+05:30."
NON_FIELD = "non_field_errors"

Fields = dict[str, list[str]]


class Refusal(Exception):  # noqa: N818 - an expected answer, not a fault
    """An expected no: ``code`` is for machines, ``message`` for people, ``fields`` names what to mend."""

    def __init__(self, code: str, message: str, status: int = 400, fields: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
        self.fields: Fields = {name: _as_list(texts) for name, texts in (fields or {}).items()}
        self.headers: dict[str, str] = {}


def _as_list(texts: Any) -> list[str]:
    return [texts] if isinstance(texts, str) else [str(text) for text in texts]


class NotFound(Refusal):
    """It does not exist, or the user may not know that it does: the two read the same."""

    def __init__(self, message: str = "There is no such thing here.") -> None:
        super().__init__("not_found", message, 404)


def error_body(code: str, message: str, fields: Fields | None = None) -> dict[str, Any]:
    """Return the one shape every error has."""
    return {"code": code, "message": message, "fields": fields or {}}


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer any expected error in the one shape; None leaves a fault of ours to Django's 500."""
    refusal = refusal_from(error)
    if refusal is None:
        return None
    _roll_back()
    body = error_body(refusal.code, refusal.message, refusal.fields)
    return Response(body, status=refusal.status, headers=refusal.headers)


def _roll_back() -> None:
    """A refused request leaves nothing behind when requests are atomic."""
    connection = transaction.get_connection()
    if connection.settings_dict["ATOMIC_REQUESTS"] and connection.in_atomic_block:
        transaction.set_rollback(True)


def refusal_from(error: Exception) -> Refusal | None:
    """Translate what Django and REST framework raise; None for an error nobody expected."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ModelValidationError):
        error = exceptions.ValidationError(serializers.as_serializer_error(error))
    if isinstance(error, exceptions.ValidationError):
        return _from_validation(error)
    if isinstance(error, exceptions.APIException):
        return _from_api_exception(error)
    return _from_django(error)


def _from_django(error: Exception) -> Refusal | None:
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return NotFound()
    if isinstance(error, PermissionDenied):
        return Refusal("permission_denied", "You may not do this.", 403)
    if isinstance(error, RequestDataTooBig):
        return Refusal("request_too_large", "This request is too large.", 413)
    if isinstance(error, SuspiciousOperation):
        return Refusal("bad_request", "This request makes no sense.", 400)
    if isinstance(error, ProtectedError):
        return Refusal("in_use", "Other records refer to this one.", 409)
    if isinstance(error, OperationalError):
        refusal = Refusal("database_unavailable", "The database does not answer. Try again in a moment.", 503)
        refusal.headers["Retry-After"] = "5"
        return refusal
    return None


def _from_api_exception(error: exceptions.APIException) -> Refusal:
    code = error.get_codes()
    detail = error.detail
    if isinstance(detail, Mapping):  # simplejwt answers {"detail": …, "code": …, "messages": […]}
        code, detail = str(detail.get("code", error.default_code)), detail.get("detail", error.default_detail)
    refusal = Refusal(code if isinstance(code, str) else error.default_code, str(detail), error.status_code)
    if isinstance(error, exceptions.NotFound):
        refusal.message = str(detail).rstrip(".") + "."
    if header := getattr(error, "auth_header", None):
        refusal.headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        refusal.headers["Retry-After"] = str(int(wait) + 1)
    return refusal


def _from_validation(error: exceptions.ValidationError) -> Refusal:
    found: Fields = {}
    codes: list[str] = []
    for name, detail in _flatten(error.detail):
        found.setdefault(name, []).append(str(detail))
        codes.append(getattr(detail, "code", None) or "invalid")
    name, texts = next(iter(found.items()), (NON_FIELD, ["This request makes no sense."]))
    message = texts[0] if name == NON_FIELD else f"{name}: {texts[0]}"
    code = codes[0] if len(set(codes)) == 1 else "invalid"
    return Refusal(code, message, error.status_code, found)


def _flatten(detail: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Walk nested details: ``{"zones": [{"name": […]}]}`` gives ``zones.0.name``."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flatten(inner, _join(path, name))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from _flatten(inner, _join(path, index) if nested else path)
    else:
        yield path or NON_FIELD, detail


def _join(path: str, name: object) -> str:
    if name == NON_FIELD and path:
        return path
    return f"{path}.{name}" if path else str(name)


class JSONParser(parsers.JSONParser):
    """JSON that a person could have meant: a thousand brackets deep is refused like any other nonsense."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise exceptions.ParseError("This JSON is nested too deeply.") from error


class Page(PageNumberPagination):
    """``?page=&page_size=``: 50 rows, at most 500."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 500

    def get_page_size(self, request: Any) -> int:
        """Return how many rows a page has. What is no number is refused, and more than the most is the most."""
        given = request.query_params.get(self.page_size_query_param)
        if given is not None and not (given.isascii() and given.isdecimal() and int(given[:18])):
            text = "Write a whole number from 1 to 500."
            raise Refusal("invalid", f"page_size: {text}", fields={"page_size": text})
        return super().get_page_size(request) or self.page_size


class AwareDateTimeField(fields.DateTimeField):
    """A time with an offset, answered in UTC; one without is refused with the code ``naive_time``."""

    default_error_messages = {"naive_time": NAIVE_TIME}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("default_timezone", dt.UTC)
        super().__init__(**kwargs)

    def enforce_timezone(self, value: dt.datetime) -> dt.datetime:
        if timezone.is_naive(value):
            self.fail("naive_time")
        return super().enforce_timezone(value)


class ModelSerializer(serializers.ModelSerializer):
    """A model serializer whose times refuse to be naive."""

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        models.DateTimeField: AwareDateTimeField,
    }

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Answer every field after a change of some: REST framework leaves defaults out while it is partial."""
        was_partial, self.root.partial = self.root.partial, False
        try:
            return super().to_representation(instance)
        finally:
            self.root.partial = was_partial


class RefusesReadOnly:
    """For a serializer: a change of what cannot be changed is refused with ``read_only``, not passed over.

    A field sent with the value it has is let through, so that a client may send back what it read.
    """

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and self.instance is not None:  # type: ignore[attr-defined]
            fixed = [field for field in self.fields.values() if field.read_only and field.field_name in data]  # type: ignore[attr-defined]
            shown = self.to_representation(self.instance) if fixed else {}  # type: ignore[attr-defined]
            names = [field.field_name for field in fixed if data[field.field_name] != shown.get(field.field_name)]
            if names:
                texts = dict.fromkeys(names, "This field cannot be changed.")
                raise Refusal("read_only", f"{names[0]}: This field cannot be changed.", fields=texts)
        return super().to_internal_value(data)  # type: ignore[misc]


class _AwareFormField(forms.DateTimeField):
    def to_python(self, value: str | None) -> dt.datetime | None:
        if not value:
            return None
        try:
            parsed = parse_datetime(value.strip())
        except ValueError:
            parsed = None
        if parsed is None:
            raise ModelValidationError(self.error_messages["invalid"], code="invalid")
        if timezone.is_naive(parsed):
            raise ModelValidationError(NAIVE_TIME, code="naive_time")
        try:
            return parsed.astimezone(dt.UTC)
        except OverflowError as error:
            raise ModelValidationError(self.error_messages["invalid"], code="invalid") from error


class AwareDateTimeFilter(IsoDateTimeFilter):
    """A query parameter that is a time with an offset (``+`` is written ``%2B`` in an address)."""

    field_class = _AwareFormField


class _StrictBooleanFormField(forms.CharField):
    def clean(self, value: str | None) -> bool | None:
        words = {"": None, "true": True, "1": True, "false": False, "0": False}
        try:
            return words[(value or "").strip().lower()]
        except KeyError as error:
            raise ModelValidationError("Write true or false.", code="invalid_choice") from error


class StrictBooleanFilter(Filter):
    """A query parameter that is ``true`` or ``false``; any other word is refused instead of meaning both."""

    field_class = _StrictBooleanFormField


class ErrorSerializer(serializers.Serializer):
    """The shape of every error, for the schema."""

    code = serializers.CharField(help_text="A word for machines.")
    message = serializers.CharField(help_text="A sentence for people; it may change.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), help_text="What to mend, by field."
    )


STATUSES = {
    status.HTTP_400_BAD_REQUEST: "What was sent makes no sense.",
    status.HTTP_401_UNAUTHORIZED: "Nobody is logged in.",
    status.HTTP_403_FORBIDDEN: "The role does not allow it.",
    status.HTTP_404_NOT_FOUND: "It does not exist, or is not yours to see.",
    status.HTTP_409_CONFLICT: "It stands against what is there.",
    status.HTTP_413_REQUEST_ENTITY_TOO_LARGE: "Too much was sent at once.",
    status.HTTP_415_UNSUPPORTED_MEDIA_TYPE: "It was sent as another media type than this operation reads.",
    status.HTTP_422_UNPROCESSABLE_ENTITY: "It can be read and cannot be used.",
    status.HTTP_429_TOO_MANY_REQUESTS: "Too many requests; `Retry-After` says when.",
    status.HTTP_503_SERVICE_UNAVAILABLE: "The database does not answer; `Retry-After` says when.",
}
