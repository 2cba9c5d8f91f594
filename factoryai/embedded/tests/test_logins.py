"""The first logins are made once, with passwords that work, and are taken back with the demonstration."""

from __future__ import annotations

import stat

import pytest
from django.contrib.auth import get_user_model

from factoryai.embedded import logins
from factoryai.sites.models import Membership, Site

pytestmark = pytest.mark.django_db


def can_log_in(login: logins.Login) -> bool:
    """Whether the printed name and password fit; the login throttle has its own tests and needs a request."""
    user = get_user_model().objects.get(username=login.username)
    return user.is_active and user.check_password(login.password)


def test_the_superuser_gets_the_password_of_the_settings():
    login = logins.make_superuser("a long enough one")
    assert (login.username, login.password) == ("admin", "a long enough one")
    assert get_user_model().objects.get(username="admin").is_superuser
    assert can_log_in(login)


def test_without_one_in_the_settings_the_password_is_random():
    login = logins.make_superuser("")
    assert len(login.password) >= 12
    assert can_log_in(login)


def test_an_installation_with_a_superuser_keeps_its_own():
    logins.make_superuser("the first")
    assert logins.make_superuser("the second") is None
    assert get_user_model().objects.get().check_password("the first")


def test_every_demo_person_has_one_role_at_the_demo_site_and_can_log_in(tmp_path):
    site = logins.turn_demo_on(tmp_path)
    known = logins.demo_logins(tmp_path)
    roles = set(Membership.objects.filter(site=site).values_list("user__username", "role"))
    assert roles == {("meena", "hr"), ("farid", "security"), ("kavita", "manager")}
    assert [login.username for login in known] == ["meena", "farid", "kavita"]
    assert all(can_log_in(login) for login in known)


def test_the_passwords_stay_from_start_to_start_in_a_private_file(tmp_path):
    logins.turn_demo_on(tmp_path)
    before = logins.demo_logins(tmp_path)
    logins.turn_demo_on(tmp_path)
    assert logins.demo_logins(tmp_path) == before
    assert stat.S_IMODE((tmp_path / logins.LOGINS_FILE).stat().st_mode) == 0o600


def test_a_changed_password_is_not_printed(tmp_path):
    logins.turn_demo_on(tmp_path)
    meena = get_user_model().objects.get(username="meena")
    meena.set_password("her own")
    meena.save()
    assert [login.password is None for login in logins.demo_logins(tmp_path)] == [True, False, False]


def test_without_the_demonstration_its_people_are_locked_out_until_it_is_back(tmp_path):
    logins.turn_demo_on(tmp_path)
    known = logins.demo_logins(tmp_path)
    logins.turn_demo_off(tmp_path)
    assert not any(can_log_in(login) for login in known)
    assert not Site.objects.get(slug=logins.DEMO_SITE).is_active
    logins.turn_demo_on(tmp_path)
    assert all(can_log_in(login) for login in known)


def test_a_person_of_that_name_from_another_site_is_left_alone(tmp_path):
    stranger = get_user_model().objects.create_user("farid", password="his own")
    logins.turn_demo_on(tmp_path)
    logins.turn_demo_off(tmp_path)
    stranger.refresh_from_db()
    assert stranger.is_active
    assert stranger.check_password("his own")
    assert not Membership.objects.filter(user=stranger).exists()
    assert "farid" not in {login.username for login in logins.demo_logins(tmp_path)}
