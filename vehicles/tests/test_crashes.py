"""Killed with SIGKILL between any two steps of read, visit, alert and delivery: no alarm is lost, and none doubled."""

from __future__ import annotations

import pytest
from django.db import connection

from factoryai.alerts.models import Channel
from factoryai.alerts.tests.receivers import web_receiver
from vehicles.tests.crash_rig import Worker, crash_often
from vehicles.tests.factories import NOON, make_plant

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

POINTS = 8


def database_url() -> str:
    """Return the address of the database that this test runs on."""
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    return f"postgresql://{given['USER']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"


def test_no_alarm_is_lost_or_doubled_wherever_the_process_dies() -> None:
    plant = make_plant()
    worker = Worker({"DATABASE_URL": database_url()})
    try:
        with web_receiver() as receiver:
            Channel.objects.create(site=plant.site, name="Guard room", kind="webhook", target=receiver.url)
            by = plant.people.root
            tally = crash_often(
                worker=worker, camera=plant.entry, by=by, receiver=receiver, at=NOON, points=POINTS, seed=3
            )
    finally:
        worker.stop()
    assert tally.kills == POINTS
    assert (tally.lost, tally.doubled) == ([], [])
