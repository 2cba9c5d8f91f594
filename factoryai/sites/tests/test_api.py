"""`/api/v1/sites`."""

from __future__ import annotations

import pytest

from factoryai.sites.models import Site
from factoryai.sites.tests.factories import api_client, make_people

LIST = "/api/v1/sites"
GOA = {"slug": "goa", "name": "Goa", "timezone": "Asia/Kolkata"}


@pytest.fixture
def people(db):
    return make_people()


@pytest.mark.parametrize("name", ["meena", "farid", "kavita", "gate"])
def test_everybody_sees_their_own_site_and_no_other(people, name):
    client = api_client(getattr(people, name))
    assert [row["slug"] for row in client.get(LIST).json()["results"]] == ["pune"]
    assert client.get(f"{LIST}/pune").json()["timezone"] == "Asia/Kolkata"
    assert client.get(f"{LIST}/chennai").status_code == 404


def test_the_stranger_cannot_tell_a_site_from_none(people):
    client = api_client(people.stranger)
    hidden, missing = client.get(f"{LIST}/pune"), client.get(f"{LIST}/nowhere")
    assert (hidden.status_code, hidden.json()) == (missing.status_code, missing.json())
    assert client.patch(f"{LIST}/pune", {"name": "Mine"}).status_code == 404


def test_nobody_is_asked_to_log_in(people):
    assert api_client().get(LIST).status_code == 401


def test_only_a_superuser_adds_a_site(people):
    for name in ("kavita", "meena", "gate", "asha", "stranger"):
        assert api_client(getattr(people, name)).post(LIST, GOA).status_code == 403, name
    assert api_client(people.root).post(LIST, GOA).status_code == 201
    assert Site.objects.get(slug="goa").name == "Goa"


def test_a_manager_names_the_site_and_nobody_else(people):
    for name in ("meena", "farid", "gate"):
        assert api_client(getattr(people, name)).patch(f"{LIST}/pune", {"name": "No"}).status_code == 403, name
    assert api_client(people.kavita).patch(f"{LIST}/pune", {"name": "Pune works"}).json()["name"] == "Pune works"


def test_a_site_keeps_its_slug(people):
    answer = api_client(people.kavita).patch(f"{LIST}/pune", {"slug": "other", "name": "Other"})
    assert (answer.status_code, answer.json()["code"]) == (400, "read_only")
    assert list(answer.json()["fields"]) == ["slug"]
    assert not Site.objects.filter(name="Other").exists()


def test_a_site_may_be_sent_back_as_it_was_read(people):
    client = api_client(people.kavita)
    assert client.patch(f"{LIST}/pune", client.get(f"{LIST}/pune").json()).status_code == 200


@pytest.mark.parametrize(("word", "count"), [pytest.param("true", 1, id="true"), pytest.param("false", 0, id="false")])
def test_sites_are_found_by_whether_they_are_active(people, word, count):
    assert api_client(people.kavita).get(f"{LIST}?is_active={word}").json()["count"] == count


def test_a_filter_value_that_means_nothing_is_refused(people):
    answer = api_client(people.kavita).get(f"{LIST}?is_active=maybe")
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["is_active"]


def test_a_zone_that_does_not_exist_is_refused(people):
    answer = api_client(people.root).post(LIST, {**GOA, "timezone": "Asia/Goa"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_timezone")
    assert list(answer.json()["fields"]) == ["timezone"]


def test_the_same_slug_twice_is_refused(people):
    answer = api_client(people.root).post(LIST, {**GOA, "slug": "pune"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unique")


@pytest.mark.parametrize("query", ["page=0", "page=x", "page=99999999999999999999"])
def test_a_page_that_is_not_there_is_not_found(people, query):
    assert api_client(people.kavita).get(f"{LIST}?{query}").json()["code"] == "not_found"


def test_a_list_costs_the_same_however_long_it_is(people, django_assert_max_num_queries):
    for number in range(60):
        Site.objects.create(slug=f"site-{number}", name=f"Site {number}")
    with django_assert_max_num_queries(4):
        answer = api_client(people.root).get(f"{LIST}?page_size=600").json()
    assert (answer["count"], len(answer["results"])) == (62, 62)
