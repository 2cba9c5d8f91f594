"""The administration: every list opens, actions act once, and it is not for everybody."""

from __future__ import annotations

import pytest
from django.contrib.admin import site as admin_site
from django.test import Client
from django.urls import reverse

from factoryai.alerts.models import Alert, Channel
from factoryai.alerts.tests.factories import NOON, blocked_plate, webhook
from factoryai.jobs.services import beat_ticked
from factoryai.sites.models import Membership, Site
from factoryai.sites.tests.factories import make_people

GROUND = [model for model in admin_site._registry if model._meta.app_label in {"sites", "alerts", "jobs", "auth"}]
ALERTS = "/admin/alerts/alert/"


def browser(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def people(db):
    people = make_people()
    webhook(people.site)
    blocked_plate(people.site)
    beat_ticked(at=NOON)
    return people


def test_a_nul_in_what_is_typed_is_refused_where_a_database_would_fail(people):
    fields = "app_label=attendance&model_name=assignment&field_name=employee"
    assert browser(people.root).get(f"/admin/autocomplete/?{fields}&term=a").status_code == 200
    assert browser(people.root).get(f"/admin/autocomplete/?{fields}&term=a%00b").status_code == 400


@pytest.mark.parametrize("value", ["9" * 30, "9223372036854775808", "10000", "0", "-1", "nonsense", "a%00b", ""])
def test_a_calendar_is_asked_for_no_day_that_it_does_not_have(people, value):
    """Django answers a link of a list's dates that somebody mistyped with an error of the server."""
    client = browser(people.root)
    assert client.get(f"{ALERTS}?raised_at__year=2026&raised_at__month=3").status_code == 200
    answer = client.get(f"{ALERTS}?raised_at__year={value}")
    assert (answer.status_code, "This address makes no sense" in answer.content.decode()) == (400, True)


@pytest.mark.parametrize(
    "address",
    [
        "attendance/correction/add/?at=2026-03-02T08:00", "attendance/leave/add/?employee=nonsense",
        f"attendance/assignment/add/?employee={'9' * 30}", "vehicles/blockedplate/add/?valid_until=nonsense",
        "django_celery_beat/periodictask/add/?expires=9999-12-31",
    ],
)  # fmt: skip
def test_a_form_leaves_out_what_it_cannot_take_over_from_its_address(people, address):
    assert browser(people.root).get(f"/admin/{address}").status_code == 200


def test_a_form_takes_over_what_fits(people):
    address = f"/admin/vehicles/blockedplate/add/?plate=MH12AB1234&site={people.site.pk}&valid_until=nonsense"
    page = browser(people.root).get(address).content.decode()
    assert 'value="MH12AB1234"' in page
    assert f'<option value="{people.site.pk}" selected>' in page


@pytest.mark.parametrize("model", GROUND, ids=lambda model: model._meta.label)
def test_every_list_opens_for_the_superuser_and_not_without_a_role(people, model):
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert browser(people.root).get(address).status_code == 200
    assert browser(people.asha).get(address).status_code == 302
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize("model", GROUND, ids=lambda model: model._meta.label)
def test_every_page_of_a_row_opens(people, model):
    if (row := model._default_manager.first()) is None:
        assert model._meta.model_name == "group"
        return
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk])
    assert browser(people.root).get(address).status_code == 200


def act(user, action: str, alert) -> None:
    answer = browser(user).post(ALERTS, {"action": action, "_selected_action": [alert.pk]})
    assert answer.status_code == 302


def test_acknowledging_acts_once(people):
    alert = blocked_plate(people.site)
    act(people.farid, "acknowledge", alert)
    act(people.root, "acknowledge", alert)
    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by) == ("acknowledged", people.farid)
    assert alert.steps.filter(step="acknowledged").count() == 1


def test_closing_closes(people):
    alert = blocked_plate(people.site)
    act(people.farid, "close", alert)
    alert.refresh_from_db()
    assert alert.state == "closed"


def test_staff_sees_and_acts_on_alerts_of_their_own_site_only(people):
    foreign = blocked_plate(people.other_site, title="Elsewhere")
    assert "Elsewhere" not in browser(people.farid).get(ALERTS).content.decode()
    assert browser(people.farid).get(f"{ALERTS}{foreign.pk}/change/").status_code == 302
    act(people.farid, "close", foreign)
    foreign.refresh_from_db()
    assert foreign.state == "new"


@pytest.mark.parametrize("model", GROUND, ids=lambda model: model._meta.label)
def test_security_opens_alerts_and_nothing_else_of_the_ground(people, model):
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    assert browser(people.farid).get(address).status_code == (200 if model is Alert else 403)


def test_devices_and_people_without_a_role_are_sent_to_the_login(people):
    for user in (people.gate, people.asha):
        assert browser(user).get("/admin/").status_code == 302


def test_a_channels_secret_is_never_shown_and_stays_when_left_empty(people):
    channel = webhook(people.site, name="Signed", secret="Canary-7f3e")
    address = f"/admin/alerts/channel/{channel.pk}/change/"
    assert "Canary-7f3e" not in browser(people.root).get(address).content.decode()
    form = {
        "site": people.site.pk, "name": "Renamed", "kind": "webhook", "target": "https://a.test/", "secret": "",
        "audience": "operations", "min_severity": "info", "from_level": 0, "is_enabled": "on",
    }  # fmt: skip
    assert browser(people.root).post(address, form).status_code == 302
    kept = Channel.objects.get(pk=channel.pk)
    assert (kept.name, kept.secret) == ("Renamed", "Canary-7f3e")


def test_a_role_is_given_on_the_page_of_the_person(people):
    address = f"/admin/auth/user/{people.asha.pk}/change/"
    page = browser(people.root).get(address)
    form = {
        name: value
        for name, value in page.context["adminform"].form.initial.items()
        if isinstance(value, str | bool) and name != "password"
    }
    form = {name: value for name, value in form.items() if value} | {
        "date_joined_0": "2026-03-02", "date_joined_1": "12:00:00",
        "memberships-TOTAL_FORMS": 1, "memberships-INITIAL_FORMS": 0,
        "memberships-0-user": people.asha.pk, "memberships-0-site": people.site.pk, "memberships-0-role": "hr",
    }  # fmt: skip
    assert browser(people.root).post(address, form).status_code == 302
    assert Membership.objects.filter(user=people.asha, site=people.site, role="hr").exists()


def test_a_site_keeps_its_slug(people):
    page = browser(people.root).get(f"/admin/sites/site/{people.site.pk}/change/").content.decode()
    assert 'name="slug"' not in page
    assert 'name="slug"' in browser(people.root).get("/admin/sites/site/add/").content.decode()
    assert Site.objects.get(pk=people.site.pk).slug == "pune"
