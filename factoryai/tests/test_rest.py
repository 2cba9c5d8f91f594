"""The one shape of an error, whatever raised it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import OperationalError
from django.db.models import ProtectedError
from django.http import Http404
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import exceptions, serializers

from factoryai import errors
from factoryai.rest import AwareDateTimeField, Refusal, exception_handler, refusal_from
from factoryai.sites.tests.factories import api_client, make_people


class Punch(serializers.Serializer):
    at = AwareDateTimeField()


class Punches(serializers.Serializer):
    punches = Punch(many=True)


def refusal_of(serializer: serializers.Serializer) -> Refusal:
    with pytest.raises(exceptions.ValidationError) as error:
        serializer.is_valid(raise_exception=True)
    return refusal_from(error.value)


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        pytest.param(Refusal("period_locked", "Locked.", 409), "period_locked", 409, id="a refusal of ours"),
        pytest.param(Http404(), "not_found", 404, id="nothing there"),
        pytest.param(ObjectDoesNotExist(), "not_found", 404, id="no such row"),
        pytest.param(PermissionDenied(), "permission_denied", 403, id="forbidden by Django"),
        pytest.param(exceptions.PermissionDenied(), "permission_denied", 403, id="forbidden by the framework"),
        pytest.param(exceptions.NotAuthenticated(), "not_authenticated", 401, id="nobody"),
        pytest.param(exceptions.ParseError(), "parse_error", 400, id="not JSON"),
        pytest.param(exceptions.MethodNotAllowed("PUT"), "method_not_allowed", 405, id="wrong method"),
        pytest.param(exceptions.UnsupportedMediaType("a/b"), "unsupported_media_type", 415, id="wrong type"),
        pytest.param(exceptions.Throttled(3), "throttled", 429, id="too often"),
        pytest.param(RequestDataTooBig(), "request_too_large", 413, id="too large"),
        pytest.param(SuspiciousOperation(), "bad_request", 400, id="suspicious"),
        pytest.param(ProtectedError("", set()), "in_use", 409, id="others refer to it"),
        pytest.param(OperationalError(), "database_unavailable", 503, id="database away"),
        pytest.param(ModelValidationError("No.", code="odd"), "odd", 400, id="refused by a model"),
    ],
)
def test_every_expected_error_has_a_code_and_a_sentence(error, code, status):
    answer = exception_handler(error, {})
    assert (answer.status_code, answer.data["code"]) == (status, code)
    assert answer.data.keys() == {"code", "message", "fields"}
    assert answer.data["message"].endswith((".", '".'))


def test_a_fault_of_ours_is_left_to_be_logged():
    assert exception_handler(ZeroDivisionError(), {}) is None


def test_who_comes_too_often_is_told_when_to_come_again():
    assert exception_handler(exceptions.Throttled(3), {}).headers["Retry-After"] == "4"


def test_a_time_without_an_offset_has_its_own_code():
    refusal = refusal_of(Punch(data={"at": "2026-03-01T08:00:00"}))
    assert (refusal.code, list(refusal.fields)) == ("naive_time", ["at"])


def test_a_missing_field_is_named():
    refusal = refusal_of(Punch(data={}))
    assert (refusal.code, refusal.fields) == ("required", {"at": ["This field is required."]})


def test_several_reasons_are_called_invalid():
    rows = [{"at": "2026-03-01T08:00:00"}, {"at": "2026-03-01T08:00:00Z"}, {"at": "soon"}]
    refusal = refusal_of(Punches(data={"punches": rows}))
    assert refusal.code == "invalid"
    assert set(refusal.fields) == {"punches.0.at", "punches.2.at"}


@given(st.datetimes(min_value=dt.datetime(2, 1, 1), max_value=dt.datetime(9998, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_times_keep_their_instant_and_are_answered_in_utc(naive, minutes):
    at = naive.replace(tzinfo=dt.timezone(dt.timedelta(minutes=minutes)))
    parsed = AwareDateTimeField().to_internal_value(at.isoformat())
    assert parsed == at
    assert AwareDateTimeField().to_representation(parsed).endswith("Z")


@given(st.datetimes())
def test_no_naive_time_is_ever_taken(naive):
    with pytest.raises(exceptions.ValidationError) as error:
        AwareDateTimeField().to_internal_value(naive.isoformat())
    assert error.value.get_codes() == ["naive_time"]


@given(st.recursive(st.text(min_size=1), lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(), inner)))
def test_no_shape_of_detail_breaks_the_shape_of_the_answer(detail):
    body = exception_handler(exceptions.ValidationError(detail), {}).data
    assert all(isinstance(text, str) for texts in body["fields"].values() for text in texts)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/api/nowhere"])
def test_an_unknown_address_of_the_api_answers_in_json(path):
    answer = api_client().get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.django_db
def test_what_is_not_json_is_refused_in_json():
    answer = api_client().post("/api/v1/auth/token", "{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize(
    ("view", "arguments", "code"),
    [
        pytest.param(errors.bad_request, [SuspiciousOperation()], "bad_request", id="400"),
        pytest.param(errors.permission_denied, [PermissionDenied()], "permission_denied", id="403"),
        pytest.param(errors.server_error, [], "server_error", id="500"),
        pytest.param(errors.csrf_failure, [], "csrf_failed", id="csrf"),
    ],
)
def test_errors_outside_the_framework_are_json_for_programs_and_pages_for_people(view, arguments, code):
    program = view(RequestFactory().get("/api/video_feed"), *arguments)
    person = view(RequestFactory().get("/"), *arguments)
    assert f'"code": "{code}"' in program.content.decode()
    assert person["Content-Type"].startswith("text/html")
    assert person.status_code == program.status_code


@pytest.mark.django_db
def test_json_nested_beyond_reason_is_refused_like_any_other_nonsense():
    answer = api_client(make_people().kavita).post("/api/v1/cameras", "[" * 100_000, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")
