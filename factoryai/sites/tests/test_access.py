"""Who holds which role where."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from factoryai.sites.access import has_role, has_role_anywhere, roles_at, site_of
from factoryai.sites.models import Membership, Role, Site
from factoryai.sites.tests.factories import make_people


@pytest.fixture
def people(db):
    return make_people()


def test_a_role_counts_at_its_site_only(people):
    assert has_role(people.meena, people.site, [Role.HR])
    assert not has_role(people.meena, people.other_site, [Role.HR])
    assert not has_role(people.meena, people.site, [Role.SECURITY])


def test_a_person_may_hold_several_roles(people):
    Membership.objects.create(user=people.meena, site=people.site, role=Role.MANAGER)
    assert roles_at(people.meena, people.site) == {"hr", "manager"}


def test_a_superuser_holds_every_role_everywhere(people):
    assert roles_at(people.root, people.site) == set(Role.values)
    assert set(Site.objects.visible_to(people.root, [Role.HR])) == {people.site, people.other_site}


@pytest.mark.parametrize("name", ["meena", "root"])
def test_a_disabled_account_holds_nothing(people, name):
    user = getattr(people, name)
    assert Site.objects.visible_to(user).exists()
    user.is_active = False
    user.save()
    assert not roles_at(user, people.site)
    assert not has_role_anywhere(user, Role.values)
    assert not Site.objects.visible_to(user).exists()


def test_nobody_holds_nothing(people):
    assert not roles_at(AnonymousUser(), people.site)
    assert not Site.objects.visible_to(AnonymousUser()).exists()


def test_a_closed_site_is_nobodys_but_the_superusers(people):
    people.site.is_active = False
    people.site.save()
    assert not roles_at(people.kavita, people.site)
    assert not Site.objects.visible_to(people.kavita).exists()
    assert roles_at(people.root, people.site)


def test_a_role_asked_for_narrows_what_is_seen(people):
    assert list(Site.objects.visible_to(people.farid)) == [people.site]
    assert not Site.objects.visible_to(people.farid, [Role.HR]).exists()
    assert not Site.objects.visible_to(people.farid, []).exists()


def test_the_site_of_a_thing_is_found_along_its_path(people):
    assert site_of(people.site) == people.site
