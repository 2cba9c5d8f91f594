"""Who stands on the list for the assembly point, and who may read it."""

from __future__ import annotations

import pytest
import time_machine

from attendance.tests.factories import Plant, clock, make_plant
from factoryai.evacuation import people_inside

pytestmark = pytest.mark.django_db


@pytest.fixture
def plant() -> Plant:
    return make_plant()


def on_list(plant: Plant, at: str) -> list[tuple[str, bool]]:
    return [(person.name, person.is_sure) for person in people_inside(plant.site, clock(at))]


def test_who_is_at_work_is_on_the_list_until_they_leave(plant):
    plant.punch(plant.asha, "2026-03-02 08:01", "in", place="Gate 1")
    assert on_list(plant, "2026-03-02 12:00") == [(plant.asha.name, True)]
    assert people_inside(plant.site, clock("2026-03-02 12:00"))[0].place == "Gate 1"
    plant.punch(plant.asha, "2026-03-02 16:00", "out")
    assert on_list(plant, "2026-03-02 16:01") == []


def test_who_did_not_check_out_stays_on_the_list_for_a_day_as_not_sure(plant):
    plant.punch(plant.asha, "2026-03-02 08:01", "in")
    assert on_list(plant, "2026-03-03 06:00") == [(plant.asha.name, False)]
    assert on_list(plant, "2026-03-03 08:02") == []


@pytest.mark.parametrize(
    ("name", "status", "is_named"),
    [("meena", 200, True), ("farid", 200, True), ("stranger", 200, False), ("gate", 403, False), (None, 302, False)],
)
@pytest.mark.parametrize("address", ["/evacuation", "/evacuation?format=csv"])
def test_who_reads_the_list(client, plant, name, status, is_named, address):
    plant.punch(plant.asha, "2026-03-02 08:01", "in")
    with time_machine.travel(clock("2026-03-02 12:00"), tick=False):
        if name:
            client.force_login(getattr(plant.people, name))
        answer = client.get(address)
    assert (answer.status_code, plant.asha.name in answer.content.decode()) == (status, is_named)
