"""What people read when a page is missing, forbidden or broken: plain words and a way back."""

from __future__ import annotations

import re

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory

from factoryai import errors
from factoryai.sites.tests.factories import make_people


@pytest.mark.django_db
def test_a_page_that_is_not_there_says_so_and_leads_back():
    client = Client()
    client.force_login(make_people().farid)
    for path in ("/nothing", "/cameras/nowhere/"):
        answer = client.get(path)
        page = answer.content.decode()
        assert (answer.status_code, "There is no such page" in page, 'href="/"' in page) == (404, True, True)


def test_a_broken_page_needs_neither_a_user_nor_the_database():
    page = errors.server_error(RequestFactory().get("/anything")).content.decode()
    assert "Something went wrong here" in page
    assert 'href="/"' in page


@pytest.mark.django_db
def test_a_forbidden_page_says_whom_to_ask(rf):
    request = rf.get("/anything")
    request.user = make_people().farid
    answer = errors.permission_denied(request, PermissionDenied())
    assert (answer.status_code, "Your role does not allow this" in answer.content.decode()) == (403, True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/", "/screen/", "/overview/", "/desk/", "/start/", "/wall/", "/alerts/", "/vehicles/", "/vehicles/visits/",
        "/vehicles/review", "/faces/review", "/occupancy/", "/evacuation", "/scheduler/", "/admin/",
    ],
)  # fmt: skip
def test_a_login_without_a_role_is_told_the_same_on_every_page(path):
    people, client = make_people(), Client()
    for name, words in (("asha", "it has no role at a site yet"), ("gate", "the login of a device")):
        client.force_login(getattr(people, name))
        answer = client.get(path, follow=True)
        page = answer.content.decode()
        assert (answer.status_code, words in page) == (403, True)
        assert 'aria-label="Main"' not in page


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["meena", "farid", "kavita", "root"])
def test_the_menu_leads_to_pages_that_open(name):
    client = Client()
    client.force_login(getattr(make_people(), name))
    menu = client.get("/scheduler/").content.decode().partition('aria-label="Main"')[2].partition("</nav>")[0]
    links = re.findall(r'href="([^"]+)"', menu)
    assert len(links) > 5
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)
