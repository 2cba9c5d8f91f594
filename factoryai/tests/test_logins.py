"""Logging in by token and by page, what ends a login, and the answer to too many tries."""

from __future__ import annotations

import pytest
from axes.utils import reset
from django.conf import settings
from django.test import Client

from factoryai.sites.tests.factories import PASSWORD, api_client, make_people

TOKEN, REFRESH = "/api/v1/auth/token", "/api/v1/auth/refresh"


@pytest.fixture
def people(db):
    return make_people()


def get_token(username: str, password: str = PASSWORD, *, address: str = "192.0.2.1"):
    return api_client().post(TOKEN, {"username": username, "password": password}, REMOTE_ADDR=address)


def sites_with(access: str):
    return api_client().get("/api/v1/sites", HTTP_AUTHORIZATION=f"Bearer {access}")


def test_a_token_opens_the_api(people):
    pair = get_token("meena").json()
    assert pair.keys() == {"access", "refresh", "expires_in"}
    assert pair["expires_in"] == 900
    assert [row["slug"] for row in sites_with(pair["access"]).json()["results"]] == ["pune"]


def test_a_refresh_gives_a_token_that_works(people):
    answer = api_client().post(REFRESH, {"refresh": get_token("meena").json()["refresh"]}).json()
    assert answer.keys() == {"access", "refresh", "expires_in"}
    assert sites_with(answer["access"]).status_code == 200


@pytest.mark.parametrize(
    ("username", "password"), [("meena", "wrong"), ("nobody", PASSWORD)], ids=["wrong password", "unknown name"]
)
def test_a_wrong_password_and_an_unknown_name_read_the_same(people, username, password):
    answer = get_token(username, password)
    assert (answer.status_code, answer.json()["code"]) == (401, "no_active_account")


def test_an_invented_token_opens_nothing(people):
    answer = sites_with("a.b.c")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_not_valid")


def disable(user) -> None:
    user.is_active = False
    user.save()


def change_password(user) -> None:
    user.set_password("another long sentence")
    user.save()


@pytest.mark.parametrize("end", [disable, change_password])
def test_the_end_of_an_account_ends_its_tokens(people, end):
    pair = get_token("meena").json()
    assert sites_with(pair["access"]).status_code == 200
    end(people.meena)
    assert sites_with(pair["access"]).status_code == 401
    assert api_client().post(REFRESH, {"refresh": pair["refresh"]}).status_code == 401


def test_ten_wrong_passwords_stop_that_person_at_that_address_only(people):
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        assert get_token("meena", "wrong").status_code == 401
    stopped = get_token("meena", "wrong")
    assert (stopped.status_code, stopped.json()["code"]) == (429, "too_many_attempts")
    assert stopped.headers["Retry-After"] == "600"
    assert get_token("meena").status_code == 429
    assert get_token("farid").status_code == 200
    assert get_token("meena", address="192.0.2.2").status_code == 200
    reset()
    assert get_token("meena").status_code == 200


def test_a_good_login_forgives_the_tries_before_it(people):
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        get_token("meena", "wrong")
    assert get_token("meena").status_code == 200
    assert get_token("meena", "wrong").status_code == 401


def test_a_forged_forwarded_address_does_not_get_around_it(people):
    for number in range(settings.AXES_FAILURE_LIMIT):
        answer = api_client().post(
            TOKEN, {"username": "meena", "password": "wrong"}, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}"
        )
    assert answer.status_code == 429


def post_page(client: Client, path: str, username: str, password: str = PASSWORD):
    return client.post(path, {"username": username, "password": password})


def test_the_page_logs_in_and_out(people):
    client = Client()
    assert "Log in" in client.get("/login").content.decode()
    assert post_page(client, "/login", "meena").status_code == 302
    assert client.session["_auth_user_id"] == str(people.meena.pk)
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").url == "/login"
    assert "_auth_user_id" not in client.session


def test_the_page_says_in_words_what_is_wrong(people):
    answer = post_page(Client(), "/login", "meena", "wrong")
    assert 'role="alert"' in answer.content.decode()
    assert "password is wrong" in answer.content.decode()


@pytest.mark.parametrize("path", ["/login", "/admin/login/"])
def test_too_many_tries_on_a_page_are_answered_with_a_sentence(people, path):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = post_page(Client(), path, "root", "wrong")
    assert answer.status_code == 429
    assert "Try again in 10 minutes." in answer.content.decode()
    assert post_page(Client(), path, "root").status_code == 429


def test_the_page_does_not_lead_away(people):
    assert Client().post("/login?next=https://evil.test/", {"username": "meena", "password": PASSWORD}).url == "/"


def test_a_page_needs_its_csrf_token(people):
    assert post_page(Client(enforce_csrf_checks=True), "/login", "meena").status_code == 403


def test_a_session_needs_a_csrf_token_to_change_something_by_the_api(people):
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.kavita)
    answer = client.patch("/api/v1/sites/pune", {"name": "Mine"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("name", ["asha", "gate"])
def test_the_admin_is_for_people_with_a_role(people, name):
    client = Client()
    client.force_login(getattr(people, name))
    assert client.get("/admin/").status_code == 302
