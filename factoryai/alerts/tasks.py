"""Jobs of the alerts; each may run twice or be killed half-way."""

from __future__ import annotations

from django.utils import timezone

from factoryai.alerts import delivery, events, late_jobs, services
from factoryai.jobs.services import job


@job("alerts.deliver")
def deliver() -> dict[str, int]:
    """Send what alerts are to be told to whom."""
    return delivery.deliver_due(clock=timezone.now)


@job("alerts.escalate")
def escalate() -> dict[str, int]:
    """Tell the next person of alerts that nobody acknowledged."""
    return {"escalated": services.escalate_alerts(at=timezone.now())}


@job("alerts.publish_events")
def publish_events() -> dict[str, int]:
    """Number the events that a page can catch up from."""
    return {"numbered": events.publish_events()}


@job("alerts.forget_events")
def forget_events() -> dict[str, int]:
    """Forget events that are too old to catch up from."""
    return {"forgotten": events.forget_events(before=timezone.now() - events.KEPT_FOR)}


@job("alerts.watch_jobs")
def watch_jobs() -> dict[str, int]:
    """Alert people to jobs that should have run and have not."""
    return {"late": late_jobs.watch_jobs(at=timezone.now())}
