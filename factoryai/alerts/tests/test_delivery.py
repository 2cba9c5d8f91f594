"""The outbox: sent once by whoever claims it, tried again while it may help, and never given up in silence."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection

from factoryai.alerts.channels import DeliveryError, PermanentError, send_email, signature
from factoryai.alerts.delivery import CLAIM_FOR, claim, deliver_due
from factoryai.alerts.models import Alert, Delivery
from factoryai.alerts.tests.factories import NOON, blocked_plate, webhook
from factoryai.alerts.tests.receivers import mail_server, web_receiver
from factoryai.sites.tests.factories import make_site


@pytest.fixture
def site(db):
    return make_site()


class Clock:
    """A clock that the test turns."""

    def __init__(self, at: dt.datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> dt.datetime:
        return self.at


def only() -> Delivery:
    return Delivery.objects.get()


def test_a_webhook_gets_the_alert_signed(site):
    with web_receiver() as receiver:
        webhook(site, receiver.url, secret="shared between us")
        alert = blocked_plate(site)
        assert deliver_due(clock=Clock()) == {"sent": 1}
    assert receiver.bodies[0]["id"] == alert.pk
    assert receiver.bodies[0]["severity"] == "critical"
    assert receiver.headers[0]["x-factoryai-signature"] == signature("shared between us", receiver.raw[0])
    assert only().state == "sent"


def test_what_was_sent_is_not_sent_again(site):
    with web_receiver() as receiver:
        webhook(site, receiver.url)
        blocked_plate(site)
        deliver_due(clock=Clock())
        assert deliver_due(clock=Clock(NOON + dt.timedelta(days=2))) == {}
    assert len(receiver.bodies) == 1


def test_a_receiver_in_trouble_is_tried_again_with_the_same_id(site):
    clock = Clock()
    with web_receiver(503, 429) as receiver:
        webhook(site, receiver.url)
        blocked_plate(site)
        assert deliver_due(clock=clock) == {"put_off": 1}
        assert only().due_at == NOON + dt.timedelta(seconds=10)
        assert deliver_due(clock=clock) == {}
        clock.at = NOON + dt.timedelta(seconds=10)
        assert deliver_due(clock=clock) == {"put_off": 1}
        clock.at = NOON + dt.timedelta(seconds=40)
        assert deliver_due(clock=clock) == {"sent": 1}
    assert len({body["delivery"] for body in receiver.bodies}) == 1


@pytest.mark.parametrize("status", [pytest.param(404, id="not there"), pytest.param(403, id="wrong signature")])
def test_a_refusal_for_good_is_an_alert_of_its_own(site, status):
    with web_receiver(status) as receiver:
        webhook(site, receiver.url)
        blocked_plate(site, severity="warning")
        assert deliver_due(clock=Clock()) == {"given_up": 1}
    failed = Alert.objects.get(kind="delivery_failed")
    assert str(status) in failed.detail


def test_a_redirect_is_not_followed(site):
    with web_receiver(302) as receiver:
        webhook(site, receiver.url)
        blocked_plate(site)
        assert deliver_due(clock=Clock()) == {"put_off": 1}
    assert len(receiver.bodies) == 1


def test_a_channel_that_is_away_for_an_hour_gets_the_alert_after_it(site):
    channel = webhook(site, "http://127.0.0.1:9/nobody")
    blocked_plate(site)
    clock = Clock()
    while clock.at < NOON + dt.timedelta(hours=1):
        deliver_due(clock=clock)
        clock.at = only().due_at
    assert only().attempts > 5
    with web_receiver() as receiver:
        channel.target = receiver.url
        channel.save()
        assert deliver_due(clock=clock) == {"sent": 1}


def test_after_a_day_it_is_given_up_and_said(site):
    webhook(site, "http://127.0.0.1:9/nobody")
    blocked_plate(site, severity="warning")
    assert deliver_due(clock=Clock(NOON + dt.timedelta(hours=24))) == {"given_up": 1}
    assert only_failed_alert().title == "Guard room cannot be told of alerts"


def test_a_critical_alarm_is_tried_until_somebody_answers_it_and_people_are_told(site):
    clock = Clock()
    with web_receiver(*[404] * 8) as receiver:
        channel = webhook(site, receiver.url, min_severity="critical")
        alert = blocked_plate(site)
        while len(receiver.bodies) < 8:
            assert deliver_due(clock=clock) == {"put_off": 1}
            clock.at = only().due_at
        channel.refresh_from_db()
        assert channel.is_enabled
        assert only_failed_alert().state == "new"
        clock.at += dt.timedelta(days=40)
        assert deliver_due(clock=clock) == {"sent": 1}
    assert only_failed_alert().state == "closed"
    assert receiver.bodies[-1]["id"] == alert.pk


def test_a_channel_that_does_not_answer_holds_up_no_other(site):
    tried: list[str] = []

    def send(delivery: Delivery) -> None:
        tried.append(delivery.channel.name)
        if delivery.channel.name == "Dead":
            raise DeliveryError("no answer")

    webhook(site, name="Dead")
    for number in range(5):
        blocked_plate(site, key=f"visit-{number}")
    webhook(site, name="Alive")
    blocked_plate(site, key="visit-9")
    assert deliver_due(clock=Clock(), senders={"webhook": send}) == {"put_off": 1, "sent": 1}
    assert sorted(tried) == ["Alive", "Dead"]


def only_failed_alert() -> Alert:
    return Alert.objects.get(kind="delivery_failed")


def test_the_alert_that_a_channel_fails_does_not_breed_another(site):
    def refuses(delivery: Delivery) -> None:
        raise PermanentError("no")

    webhook(site)
    blocked_plate(site)
    clock = Clock()
    for _ in range(3):
        deliver_due(clock=clock, senders={"webhook": refuses})
    assert Alert.objects.filter(kind="delivery_failed").count() == 1
    assert only_failed_alert().times_raised == 1


def test_of_two_claimers_one_wins(site):
    webhook(site)
    blocked_plate(site)
    one, other = only(), only()
    assert [claim(one, at=NOON), claim(other, at=NOON)] == [True, False]


def test_a_claim_of_one_who_died_is_taken_over_only_after_its_time(site):
    webhook(site)
    blocked_plate(site)
    claim(only(), at=NOON)
    sent: list[int] = []
    senders = {"webhook": lambda delivery: sent.append(delivery.pk)}
    assert deliver_due(clock=Clock(NOON + CLAIM_FOR - dt.timedelta(seconds=1)), senders=senders) == {}
    assert deliver_due(clock=Clock(NOON + CLAIM_FOR), senders=senders) == {"sent": 1}


def test_who_lost_the_claim_does_not_write_the_end(site):
    webhook(site)
    blocked_plate(site)

    def so_slow_that_another_takes_over(delivery: Delivery) -> None:
        claim(only(), at=NOON + CLAIM_FOR)
        raise DeliveryError("too slow")

    deliver_due(clock=Clock(), senders={"webhook": so_slow_that_another_takes_over})
    assert (only().state, only().attempts) == ("sending", 2)


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_send_each_message_once():
    site = make_site()
    webhook(site)
    for number in range(6):
        blocked_plate(site, key=f"visit-{number}")
    sent: list[int] = []
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait()
        try:
            deliver_due(clock=Clock(), senders={"webhook": lambda delivery: sent.append(delivery.pk)})
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sent) == len(set(sent)) == 6


def test_an_e_mail_says_what_happened_in_the_time_of_the_site(site, settings):
    with mail_server() as mailbox:
        _use_mail(settings, mailbox.port)
        webhook(site, "guard@example.com", kind="email")
        blocked_plate(site, title="MH12AB1234\r\nBcc: everybody@example.com")
        assert deliver_due(clock=Clock()) == {"sent": 1}
    text = mailbox.messages[0]
    assert "To: guard@example.com" in text
    assert "12:00:00 (Asia/Kolkata)" in text
    assert "\r\nBcc:" not in text.partition("\r\n\r\n")[0]


def test_a_mail_server_that_refuses_the_address_is_not_asked_again(site, settings):
    with mail_server() as mailbox:
        mailbox.refuses = True
        _use_mail(settings, mailbox.port)
        webhook(site, "nobody@example.com", kind="email")
        blocked_plate(site, severity="warning")
        assert deliver_due(clock=Clock()) == {"given_up": 1}


def test_a_mail_server_that_is_away_is_asked_again(site, settings):
    with mail_server() as mailbox:
        port = mailbox.port
    _use_mail(settings, port)
    webhook(site, "guard@example.com", kind="email")
    blocked_plate(site)
    assert deliver_due(clock=Clock()) == {"put_off": 1}


def test_without_a_mail_server_an_e_mail_is_refused_at_once(site, settings):
    settings.EMAIL_HOST, settings.EMAIL_BACKEND = "", "django.core.mail.backends.dummy.EmailBackend"
    webhook(site, "guard@example.com", kind="email")
    blocked_plate(site)
    with pytest.raises(PermanentError, match="FACTORYAI_EMAIL_URL"):
        send_email(only())


def _use_mail(settings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_HOST_USER, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "", False, False
