"""`/api/v1/alerts`: who may see and take on what."""

from __future__ import annotations

import pytest

from factoryai.alerts.models import Alert
from factoryai.alerts.services import acknowledge_alert, close_alert
from factoryai.alerts.tests.factories import NOON, blocked_plate
from factoryai.sites.tests.factories import api_client, make_people

LIST = "/api/v1/alerts"


@pytest.fixture
def people(db):
    return make_people()


@pytest.fixture
def alert(people):
    return blocked_plate(people.site)


def acknowledge(user, alert: Alert, note: str = "On my way"):
    return api_client(user).post(f"{LIST}/{alert.pk}/acknowledge", {"note": note})


@pytest.mark.parametrize("name", ["farid", "kavita", "root"])
def test_security_and_managers_see_and_take_on_an_alert(people, alert, name):
    user = getattr(people, name)
    rows = api_client(user).get(LIST).json()["results"]
    assert [(row["id"], row["site"], row["state"]) for row in rows] == [(alert.pk, "pune", "new")]
    answer = acknowledge(user, alert)
    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["acknowledged_by"]) == ("acknowledged", user.username)


@pytest.mark.parametrize("name", ["stranger", "meena"])
def test_whom_it_does_not_concern_sees_nothing_and_changes_nothing(people, alert, name):
    user = getattr(people, name)
    assert api_client(user).get(LIST).json()["count"] == 0
    assert api_client(user).get(f"{LIST}/{alert.pk}").status_code == 404
    assert acknowledge(user, alert).status_code == 404
    alert.refresh_from_db()
    assert alert.state == "new"


@pytest.mark.parametrize("name", ["gate", "asha"])
def test_without_a_role_for_people_it_is_refused(people, alert, name):
    answer = api_client(getattr(people, name)).get(LIST)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert acknowledge(getattr(people, name), alert).status_code == 403


def test_nobody_is_asked_to_log_in(alert):
    answer = api_client().get(LIST)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert acknowledge(None, alert).status_code == 401


def test_hr_sees_what_concerns_personnel_and_security_does_not(people):
    blocked_plate(people.site, kind="grace_used_up", audience="personnel", key="grace-1")
    assert api_client(people.meena).get(LIST).json()["count"] == 1
    assert api_client(people.farid).get(LIST).json()["count"] == 0


def test_the_second_to_acknowledge_is_told(people, alert):
    acknowledge(people.farid, alert)
    answer = acknowledge(people.kavita, alert)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_acknowledged")


def test_states_filter_the_list(people, alert):
    acknowledge_alert(alert=blocked_plate(people.site, key="2"), by=people.farid, note="", at=NOON)
    blocked_plate(people.site, key="3")
    close_alert(site=people.site, key="3", at=NOON)
    client = api_client(people.farid)
    assert [row["id"] for row in client.get(LIST, {"state": "new"}).json()["results"]] == [alert.pk]
    assert client.get(f"{LIST}?state=new&state=acknowledged").json()["count"] == 2
    assert client.get(LIST, {"state": "angry"}).json()["fields"].keys() == {"state"}


def test_a_filter_by_a_time_without_an_offset_is_refused(people):
    answer = api_client(people.farid).get(LIST, {"raised_after": "2026-03-02T12:00:00"})
    assert (answer.status_code, answer.json()["code"]) == (400, "naive_time")
    assert api_client(people.farid).get(LIST, {"raised_after": "2026-03-02T12:00:00+05:30"}).status_code == 200


def test_nobody_changes_an_alert_by_writing_to_it(people, alert):
    answer = api_client(people.kavita).patch(f"{LIST}/{alert.pk}", {"severity": "info", "site": "chennai"})
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_looking_is_noted_and_keeps_the_alert_unanswered(people, alert):
    answer = api_client(people.farid).post(f"{LIST}/{alert.pk}/seen")
    assert answer.json()["state"] == "seen"
    assert Alert.objects.unanswered().count() == 1


def test_a_list_costs_the_same_however_long_it_is(people, django_assert_max_num_queries):
    for number in range(20):
        blocked_plate(people.site, key=f"visit-{number}")
    client = api_client(people.farid)
    with django_assert_max_num_queries(4):
        assert client.get(LIST).json()["count"] == 20
