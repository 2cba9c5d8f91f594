"""What comes after a lock is paid once, whatever is settled, opened again, and settled anew."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db.models import Sum

from attendance.models import Adjustment, PayPeriod
from attendance.services.periods import add_period, lock_period, unlock_period
from attendance.tests.factories import Plant, make_plant
from factoryai.rest import Refusal

pytestmark = pytest.mark.django_db

JULY = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def plant() -> Plant:
    return make_plant()


def month(plant: Plant, number: int) -> PayPeriod:
    """Lock March to June by number."""
    first = date(2026, number, 1)
    period = add_period(site=plant.site, first=first, last=date(2026, number, 30))
    return lock_again(plant, period)


def lock_again(plant: Plant, period: PayPeriod) -> PayPeriod:
    return lock_period(period=period, by=plant.people.kavita, at=JULY, accept_unreviewed=True)


def unlock(plant: Plant, period: PayPeriod) -> PayPeriod:
    return unlock_period(period=period, by=plant.people.kavita, reason="A mistake", at=JULY)


def came_late(plant: Plant, text: str, direction: str) -> None:
    plant.punch(plant.asha, f"2026-03-02 {text}", direction, at=JULY)


def owed() -> list[tuple[int, int | None]]:
    return list(Adjustment.objects.order_by("pk").values_list("worked_minutes", "settled_in"))


def test_an_adjustment_that_waits_again_takes_up_what_has_come_since(plant: Plant) -> None:
    month(plant, 3)
    came_late(plant, "08:00", "in")
    came_late(plant, "12:00", "out")
    april = month(plant, 4)
    came_late(plant, "17:00", "out")
    assert owed() == [(240, april.pk), (300, None)]
    unlock(plant, april)
    assert owed() == [(540, None)]
    plant.rebuild(plant.asha, at=JULY)
    lock_again(plant, april)
    assert owed() == [(540, april.pk)]


def test_what_was_settled_on_top_of_a_period_is_opened_first(plant: Plant) -> None:
    month(plant, 3)
    came_late(plant, "08:00", "in")
    came_late(plant, "12:00", "out")
    april = month(plant, 4)
    came_late(plant, "17:00", "out")
    may = month(plant, 5)
    with pytest.raises(Refusal, match="unlock that one first") as refused:
        unlock(plant, april)
    assert refused.value.code == "later_period_locked"
    unlock(plant, may)
    unlock(plant, april)
    assert Adjustment.objects.aggregate(owed=Sum("worked_minutes"))["owed"] == 540
