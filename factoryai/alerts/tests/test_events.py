"""The numbers of events: no gap, no lateness, whatever commits when."""

from __future__ import annotations

import datetime as dt
import socket
import threading

import pytest
from django.db import connection, transaction

from factoryai.alerts.events import forget_events, last_seq, publish_events, record_event
from factoryai.alerts.models import Delivery, Event
from factoryai.alerts.nudges import PAUSE_S, Nudger
from factoryai.alerts.tests.factories import NOON, blocked_plate, webhook
from factoryai.sites.models import Site
from factoryai.sites.tests.factories import make_site


def record(site: Site, name: object = "1") -> Event:
    return record_event(site=site, kind="alert", object_id=name, at=NOON)


def numbers() -> list[int | None]:
    return list(Event.objects.order_by("pk").values_list("seq", flat=True))


@pytest.mark.django_db(transaction=True)
def test_an_event_is_numbered_after_its_commit_and_not_before():
    site = make_site()
    with transaction.atomic():
        record(site)
        assert numbers() == [None]
    assert numbers() == [1]


@pytest.mark.django_db(transaction=True)
def test_an_event_goes_with_the_transaction_of_its_cause():
    site = make_site()
    with transaction.atomic():
        record(site)
        transaction.set_rollback(True)
    record(site)
    assert numbers() == [1]


@pytest.mark.django_db(transaction=True)
def test_what_a_process_that_died_left_behind_is_numbered_by_the_next():
    site = make_site()
    Event.objects.create(site=site, kind="alert", object_id="left", at=NOON)
    record(site)
    assert numbers() == [1, 2]


@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_numbered_after_those_a_reader_has_seen():
    site = make_site()
    if connection.vendor == "sqlite":  # one writer at a time: the order can only be made by hand
        record(site, "quick")
        Event.objects.create(site=site, kind="alert", object_id="slow", at=NOON)
        assert publish_events() == 1
        assert list(Event.objects.after(1).values_list("object_id", flat=True)) == ["slow"]
        return
    began, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            record(site, "slow")
            began.set()
            go_on.wait(20)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    began.wait(20)
    record(site, "quick")
    seen = last_seq()
    go_on.set()
    thread.join()
    assert list(Event.objects.after(seen).values_list("object_id", flat=True)) == ["slow"]


@pytest.mark.django_db(transaction=True)
def test_many_writers_make_numbers_without_gap_or_double():
    site = make_site()

    def write() -> None:
        for number in range(5):
            record(site, number)
        connection.close()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    publish_events()
    assert sorted(numbers()) == list(range(1, 21))


@pytest.mark.django_db(transaction=True)
def test_forgetting_keeps_the_numbers_going():
    site = make_site()
    record(site)
    assert forget_events(before=NOON + dt.timedelta(seconds=1)) == 1
    record(site)
    assert numbers() == [2]


def test_a_redis_that_swallows_everything_is_given_up_fast_and_left_alone_for_a_while():
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        port = black_hole.getsockname()[1]
        moments = iter([0.0, 0.0, PAUSE_S - 1])
        nudger = Nudger(f"redis://127.0.0.1:{port}/0", clock=lambda: next(moments))
        assert nudger.say("anything") is False
        black_hole.close()
        assert nudger.say("anything") is False


def test_a_redis_that_is_back_is_used_again(settings):
    now = [0.0]
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    nudger = Nudger(f"redis://127.0.0.1:{port}/0", clock=lambda: now[0])
    assert nudger.say("anything") is False
    nudger.use(settings.REDIS_URL)
    assert nudger.say("anything") is False
    now[0] = PAUSE_S
    assert nudger.say("anything") is True


@pytest.mark.django_db(transaction=True)
def test_an_alert_is_raised_and_numbered_while_redis_swallows_everything(settings):
    site = make_site()
    webhook(site)
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        settings.REDIS_URL = f"redis://127.0.0.1:{black_hole.getsockname()[1]}/0"
        blocked_plate(site)
    assert numbers() == [1]
    assert Delivery.objects.get().state == "waiting"
