"""The administration's start page and every list behind it: what waits for whom, in which order, and what it costs."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from factoryai.administration import APPS
from factoryai.alerts.models import Alert
from identity.models import Sighting
from tests.access.world import World, make_world

MOST_QUERIES = 20


@pytest.fixture
def world(db, settings, tmp_path) -> World:
    settings.MEDIA_PLACE = str(tmp_path)
    return make_world()


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def lists() -> dict[str, str]:
    models = admin.site._registry
    return {m._meta.label: reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_changelist") for m in models}


def waiting_of(page) -> list[str]:
    return [f"{one.count} {one.words}" for one in page.context["found"]]


def test_every_list_opens_with_few_queries(world):
    client, costs = browser(world.users["root"]), {}
    for label, address in lists().items():
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200, label
        costs[label] = len(asked)
    assert {label: count for label, count in costs.items() if count > MOST_QUERIES} == {}


ALERT, PLATE = "1 alert that nobody has taken on", "1 plate read with doubt"
DESK = ["1 flag to review", "1 correction asked for", "1 pay period over and not locked"]
BOTH_FACES, STRANGER = "2 faces to name (1 doubtful, 1 unknown)", "1 face to name (1 unknown)"


@pytest.mark.parametrize(
    ("person", "said"),
    [("hr", [*DESK, BOTH_FACES]), ("sec", [ALERT, STRANGER, PLATE]), ("mgr", [ALERT, *DESK, BOTH_FACES, PLATE])],
)
def test_the_start_page_says_what_waits_for_whom_at_their_own_site(world, person, said):
    assert waiting_of(browser(world.users[person]).get("/admin/")) == said


def test_what_cannot_wait_stands_first(world):
    Alert.objects.filter(site=world.home).update(severity="critical")
    Sighting.objects.update(review="accepted")
    page = browser(world.users["mgr"]).get("/admin/")
    assert waiting_of(page)[0] == f"{ALERT}, 1 critical"
    assert page.context["found"][0].is_urgent
    assert STRANGER in waiting_of(page)


def test_what_people_do_every_day_stands_first(world):
    page = browser(world.users["mgr"]).get("/admin/")
    labels = [app["app_label"] for app in page.context["app_list"]]
    assert labels == [label for label in APPS if label in labels]
    assert labels[0] == "attendance"
