"""The chosen site: offered to who has several, kept with the login, never a stranger's."""

from __future__ import annotations

import pytest

from factoryai.sites.models import Membership, Role
from factoryai.sites.tests.factories import make_people, make_site


@pytest.fixture
def people(db):
    """Farid guards two sites of three."""
    people = make_people()
    Membership.objects.create(user=people.farid, site=make_site("nashik"), role=Role.SECURITY)
    return people


@pytest.fixture
def get(client, people):
    def got(path, name="farid", **headers):
        client.force_login(getattr(people, name))
        return client.get(path, headers=headers)

    return got


def test_who_works_at_one_site_has_nothing_to_choose(get):
    assert "site-switch" not in get("/", "meena").content.decode()


def test_only_ones_own_sites_are_offered(get):
    page = get("/").content.decode()
    assert ('value="pune"' in page, 'value="nashik"' in page, 'value="chennai"' in page) == (True, True, False)


def test_a_choice_is_kept_until_all_are_chosen_again(client, people):
    client.force_login(people.farid)
    assert "Nashik" in client.get("/?site=nashik").content.decode()
    assert 'value="nashik" selected' in client.get("/alerts/").content.decode()
    client.get("/?site=")
    assert " selected" not in client.get("/").content.decode()


@pytest.mark.parametrize("slug", ["chennai", "nowhere", "pune' or 1=1"])
def test_a_site_that_is_not_ones_own_is_no_page(get, slug):
    assert get(f"/?site={slug}").status_code == 404


def test_a_fragment_changes_nothing_for_other_windows(client, people):
    client.force_login(people.farid)
    client.get("/?site=pune")
    client.get("/blocks/alerts?site=nashik", headers={"HX-Request": "true"})
    assert 'value="pune" selected' in client.get("/").content.decode()


def test_a_site_that_was_taken_away_is_not_shown_from_memory(client, people):
    client.force_login(people.farid)
    client.get("/?site=nashik")
    Membership.objects.filter(site__slug="nashik").delete()
    page = client.get("/")
    assert page.status_code == 200
    assert "Nashik" not in page.content.decode()
