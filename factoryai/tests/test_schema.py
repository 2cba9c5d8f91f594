"""The OpenAPI schema: every address that others code against is in it, as it answers."""

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from factoryai import health
from factoryai.plain_views import PATHS
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
