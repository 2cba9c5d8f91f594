"""The OpenAPI schema: every address that others code against is in it, as it answers."""

import jsonschema
import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from factoryai import health
from factoryai.plain_views import PATHS
from factoryai.schema_names import ENUMS
from streaming import bus

CONTRACT = {
    "/api/v1/cameras": {"get", "post"},
    "/api/v1/cameras/{slug}": {"patch"},
    "/api/v1/cameras/{slug}/status": {"get"},
    "/api/v1/cameras/{slug}/snapshot.jpg": {"get"},
    "/api/v1/cameras/{slug}/stream-ticket": {"post"},
    "/api/video_feed": {"get"},
    "/api/v1/alerts": {"get"},
    "/api/v1/alerts/{id}/acknowledge": {"post"},
    "/api/health": {"get"},
    "/metrics": {"get"},
}


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(public=True)


@pytest.mark.parametrize("path", CONTRACT)
def test_what_others_code_against_is_in_the_schema(schema, path):
    assert schema["paths"][path].keys() >= CONTRACT[path]


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        pytest.param("/api/video_feed", {"200", "400", "401", "404"}, id="feed"),
        pytest.param("/api/v1/cameras/{slug}/snapshot.jpg", {"200", "304", "401", "404", "503"}, id="snapshot"),
        pytest.param("/api/health", {"200", "503"}, id="health"),
        pytest.param("/metrics", {"200"}, id="metrics"),
    ],
)
def test_a_plain_view_says_how_it_may_answer(schema, path, statuses):
    assert schema["paths"][path]["get"]["responses"].keys() == statuses


def test_the_sizes_of_pictures_are_those_there_are(schema):
    sizes = {item["name"]: item for item in schema["paths"]["/api/video_feed"]["get"]["parameters"]}["tier"]
    assert sizes["schema"]["enum"] == list(bus.TIERS)


def test_health_is_described_with_the_parts_it_looks_at(schema):
    body = schema["paths"]["/api/health"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert body["properties"]["checks"]["required"] == list(health.CHECKS)


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_a_plain_view_answers_as_it_says(schema, path):
    answer = Client().get(path.replace("{slug}", "nowhere"))
    said = schema["paths"][path]["get"]["responses"][str(answer.status_code)]
    assert answer["Content-Type"].partition(";")[0] in said["content"]


def test_names_are_those_of_methods_and_nothing_is_named_twice(schema):
    found = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]
    assert len(found) == len(set(found))
    assert all(name.isidentifier() and name == name.lower() for name in found)
    assert {"alerts_list", "alerts_acknowledge", "attendance_check_in", "auth_token", "cameras_stream_ticket"} <= {
        *found
    }


def test_every_choice_has_a_name_that_was_given(schema):
    found = {name for name, model in schema["components"]["schemas"].items() if "enum" in model}
    derived = found - ENUMS.keys()
    assert not derived, f"Give each a name in factoryai/schema_names.py, by its values: {derived}"


def test_every_operation_says_what_it_does_and_has_a_described_tag(schema):
    tags = {tag["name"] for tag in schema["tags"]}
    for path in schema["paths"].values():
        for operation in path.values():
            assert operation["summary"], operation["operationId"]
            assert set(operation["tags"]) <= tags, operation["operationId"]


def test_every_model_has_an_example_that_fits_it(schema):
    models = schema["components"]["schemas"]
    for name, model in models.items():
        if model.get("type") != "object":
            continue
        assert "example" in model, name
        jsonschema.Draft4Validator(_nullable({**model, "components": {"schemas": models}})).validate(model["example"])


def _nullable(part):
    """Write OpenAPI's ``nullable`` as JSON Schema does."""
    if isinstance(part, list):
        return [_nullable(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    inner = {name: _nullable(value) for name, value in part.items() if name not in ("nullable", "example")}
    return {"anyOf": [inner, {"type": "null"}]} if part.get("nullable") is True else inner
