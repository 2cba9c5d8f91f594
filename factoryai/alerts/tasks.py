"""Jobs of the alerts; each may run twice or be killed half-way."""

from __future__ import annotations

from django.utils import timezone

from factoryai.alerts import delivery, events, services
from factoryai.jobs.services import job


@job("alerts.deliver")
def deliver() -> dict[str, int]:
    return delivery.deliver_due(clock=timezone.now)


@job("alerts.escalate")
def escalate() -> dict[str, int]:
    return {"escalated": services.escalate_alerts(at=timezone.now())}


@job("alerts.publish_events")
def publish_events() -> dict[str, int]:
    return {"numbered": events.publish_events()}


@job("alerts.forget_events")
def forget_events() -> dict[str, int]:
    return {"forgotten": events.forget_events(before=timezone.now() - events.KEPT_FOR)}
