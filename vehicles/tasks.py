"""Jobs of the gate; each may run twice or be killed half-way."""

from __future__ import annotations

from django.utils import timezone

from factoryai.jobs.services import job
from vehicles.services import alarms, gates, visits


@job("vehicles.close_unseen_visits")
def close_unseen_visits() -> dict[str, int]:
    return {"closed": visits.close_unseen(at=timezone.now())}


@job("vehicles.alarm_inside")
def alarm_inside() -> dict[str, int]:
    return {"alarmed": alarms.alarm_inside(at=timezone.now())}


@job("vehicles.settle_openings")
def settle_openings() -> dict[str, int]:
    return {"written_off": gates.settle_openings(at=timezone.now())}
