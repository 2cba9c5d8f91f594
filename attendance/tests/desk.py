"""HR's desk in the tests: a browser that is signed in, the text of a page, and a Monday on which somebody was late."""

from __future__ import annotations

from typing import Any

from django.test import Client

from attendance.services.finalise import finalise_days
from attendance.tests.factories import Plant, clock, make_plant


def browser(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(answer: Any) -> str:
    return answer.content.decode()


def late_monday() -> Plant:
    """Asha came late and left early on Monday, and the days since are final."""
    plant = make_plant()
    plant.punch(plant.asha, "2026-03-02 08:06:12", "in", place="Gate 1")
    plant.punch(plant.asha, "2026-03-02 16:00", "out", place="Gate 1")
    finalise_days(at=clock("2026-03-04 12:00"))
    return plant
