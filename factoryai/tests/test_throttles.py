"""One account is slowed down, and nobody else with it."""

from __future__ import annotations

import pytest
import time_machine
from django.core.cache import cache

from factoryai.sites.tests.factories import api_client, make_people

NOON = "2026-03-02T12:00:10+00:00"
NEXT_MINUTE = "2026-03-02T12:01:00+00:00"


@pytest.fixture
def people(db, settings):
    settings.API_RATE = 3
    cache.clear()
    yield make_people()
    cache.clear()


def ask(user):
    return api_client(user).get("/api/v1/sites", REMOTE_ADDR="192.0.2.1")


def test_an_account_that_asks_too_often_waits_for_the_next_minute(people):
    with time_machine.travel(NOON, tick=False):
        assert [ask(people.meena).status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = ask(people.meena)
    assert refused.json()["code"] == "throttled"
    assert refused.headers["Retry-After"] == "51"
    with time_machine.travel(NEXT_MINUTE, tick=False):
        assert ask(people.meena).status_code == 200


def test_others_behind_the_same_address_go_on(people):
    with time_machine.travel(NOON, tick=False):
        for _ in range(4):
            ask(people.meena)
        assert ask(people.farid).status_code == 200
        assert ask(people.stranger).status_code == 200


def test_no_rate_is_no_limit(people, settings):
    settings.API_RATE = 0
    with time_machine.travel(NOON, tick=False):
        assert {ask(people.meena).status_code for _ in range(8)} == {200}


def test_trying_cameras_has_a_rate_of_its_own(people, settings):
    settings.API_RATE = 0
    body = {"site": "pune", "url": "rtsp://8.8.8.8/1"}
    with time_machine.travel(NOON, tick=False):
        found = [api_client(people.kavita).post("/api/v1/cameras/try", body).status_code for _ in range(21)]
    assert found == [200] * 20 + [429]
