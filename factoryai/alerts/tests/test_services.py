"""Raising, acknowledging, closing and escalating, on a real database."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection, transaction

from factoryai.alerts.models import Alert, Delivery, Event
from factoryai.alerts.services import acknowledge_alert, close_alert, escalate_alerts, mark_seen
from factoryai.alerts.tests.factories import NOON, blocked_plate, webhook
from factoryai.rest import Refusal
from factoryai.sites.tests.factories import make_people, make_site

MINUTE = dt.timedelta(minutes=1)


def steps(alert: Alert) -> list[str]:
    return list(alert.steps.values_list("step", flat=True))


@pytest.fixture
def people(db):
    return make_people()


def test_the_same_cause_is_one_alert_that_counts(people):
    first = blocked_plate(people.site)
    again = blocked_plate(people.site, at=NOON + MINUTE)
    assert again.pk == first.pk
    assert again.times_raised == 2
    assert again.last_raised_at == NOON + MINUTE
    assert steps(first) == ["raised"]


def test_the_same_key_at_another_site_is_another_alert(people):
    assert blocked_plate(people.site).pk != blocked_plate(people.other_site).pk


def test_a_closed_alert_is_raised_anew(people):
    first = blocked_plate(people.site)
    assert close_alert(site=people.site, key="visit-1", at=NOON + MINUTE)
    assert blocked_plate(people.site, at=NOON + 2 * MINUTE).pk != first.pk


def test_closing_what_is_not_open_says_so(people):
    blocked_plate(people.site)
    assert not close_alert(site=people.other_site, key="visit-1", at=NOON)
    assert close_alert(site=people.site, key="visit-1", at=NOON)
    assert not close_alert(site=people.site, key="visit-1", at=NOON)


def test_becoming_graver_makes_it_new_again_and_tells_everybody(people):
    webhook(people.site)
    alert = blocked_plate(people.site, severity="warning")
    acknowledge_alert(alert=alert, by=people.farid, note="", at=NOON)
    graver = blocked_plate(people.site, severity="critical", at=NOON + MINUTE)
    assert (graver.state, graver.severity) == ("new", "critical")
    assert graver.next_escalation_at == NOON + 3 * MINUTE
    assert set(alert.deliveries.values_list("occasion", flat=True)) == {"raised", "raised-critical"}


def test_becoming_lighter_changes_nothing(people):
    blocked_plate(people.site, severity="critical")
    assert blocked_plate(people.site, severity="info").severity == "critical"


def test_an_alert_goes_with_the_transaction_of_its_cause(people):
    webhook(people.site)
    with transaction.atomic():
        blocked_plate(people.site)
        transaction.set_rollback(True)
    assert not Alert.objects.exists()
    assert not Delivery.objects.exists()
    assert not Event.objects.exists()


def test_of_two_who_press_one_acknowledges(people):
    alert = blocked_plate(people.site)
    seen_by_both = Alert.objects.get(pk=alert.pk)
    acknowledge_alert(alert=alert, by=people.farid, note="On my way", at=NOON)
    with pytest.raises(Refusal) as refusal:
        acknowledge_alert(alert=seen_by_both, by=people.kavita, note="Me too", at=NOON)
    assert (refusal.value.code, refusal.value.status) == ("already_acknowledged", 409)
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.note) == (people.farid, "On my way")


def test_looking_twice_is_noted_once(people):
    alert = blocked_plate(people.site)
    assert mark_seen(alert=alert, by=people.farid, at=NOON)
    assert not mark_seen(alert=alert, by=people.kavita, at=NOON)
    assert steps(alert) == ["raised", "seen"]


def test_an_unanswered_alert_escalates_at_its_times_and_then_never_again(people):
    alert = blocked_plate(people.site)
    mark_seen(alert=alert, by=people.farid, at=NOON)
    assert escalate_alerts(at=NOON + 2 * MINUTE - dt.timedelta(seconds=1)) == 0
    assert [escalate_alerts(at=NOON + minutes * MINUTE) for minutes in (2, 3, 10, 30, 600)] == [1, 0, 1, 1, 0]
    assert steps(alert)[2:] == ["escalated-1", "escalated-2", "escalated-3"]


def test_an_acknowledged_alert_does_not_escalate(people):
    acknowledge_alert(alert=blocked_plate(people.site), by=people.farid, note="", at=NOON)
    assert escalate_alerts(at=NOON + 60 * MINUTE) == 0


def test_a_channel_hears_from_its_severity_and_level_on(people):
    webhook(people.site, name="Guard")
    webhook(people.site, name="Owner", from_level=1)
    webhook(people.site, name="Only critical", min_severity="critical")
    webhook(people.site, name="Off", is_enabled=False)
    webhook(people.site, name="HR", audience="personnel")
    webhook(people.other_site, name="Elsewhere")
    blocked_plate(people.site, severity="warning")
    assert set(Delivery.objects.values_list("channel__name", flat=True)) == {"Guard"}
    escalate_alerts(at=NOON + 30 * MINUTE)
    told = Delivery.objects.filter(occasion="warning-escalated-1").values_list("channel__name", flat=True)
    assert set(told) == {"Guard", "Owner"}


def test_the_end_is_told_to_those_who_heard_the_beginning(people):
    webhook(people.site, name="Guard")
    webhook(people.site, name="Owner", from_level=1)
    blocked_plate(people.site)
    close_alert(site=people.site, key="visit-1", at=NOON + MINUTE)
    assert list(Delivery.objects.filter(occasion="closed").values_list("channel__name", flat=True)) == ["Guard"]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_raise_one_alert():
    site = make_site()
    barrier = threading.Barrier(8)
    ids: list[int] = []

    def press() -> None:
        barrier.wait()
        try:
            ids.append(blocked_plate(site).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alert = Alert.objects.get()
    assert ids == [alert.pk] * 8
    assert alert.times_raised == 8
    assert steps(alert) == ["raised"]
