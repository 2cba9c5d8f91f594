"""Sends what waits in the outbox. Any number of claimers may run: a conditional UPDATE decides who sends.

A claim is for `CLAIM_FOR`; whoever dies with one loses it, and the message is tried again. So it is sent at least
once, and carries an id by which the receiver knows a repeat.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from django.utils import timezone

from factoryai.alerts import rules
from factoryai.alerts.channels import SENDERS, DeliveryError, PermanentError, Sender
from factoryai.alerts.models import Audience, Delivery, Severity
from factoryai.alerts.services import raise_alert

log = logging.getLogger(__name__)

CLAIM_FOR = dt.timedelta(minutes=2)
"""Longer than the slowest channel may take (10 s), short enough that a crash delays an alarm little."""
BATCH = 100


def claim(waiting: Delivery, *, at: dt.datetime) -> bool:
    """Take one delivery; False when somebody else was faster."""
    won = Delivery.objects.filter(
        pk=waiting.pk, state=waiting.state, attempts=waiting.attempts, due_at=waiting.due_at
    ).update(state=Delivery.State.SENDING, attempts=waiting.attempts + 1, due_at=at + CLAIM_FOR)
    if won:
        waiting.state, waiting.attempts = Delivery.State.SENDING, waiting.attempts + 1
    return bool(won)


def deliver_due(
    *, clock: Callable[[], dt.datetime] = timezone.now, senders: Mapping[str, Sender] = SENDERS
) -> dict[str, int]:
    """Send everything that is due; returns how many were sent, put off and given up."""
    counts: Counter[str] = Counter()
    waiting = Delivery.objects.claimable(clock()).select_related("alert__site", "channel")[:BATCH]
    for delivery in waiting:
        if claim(delivery, at=clock()):
            counts[_send(delivery, senders[delivery.channel.kind], clock)] += 1
    return dict(counts)


def _send(delivery: Delivery, sender: Sender, clock: Callable[[], dt.datetime]) -> str:
    try:
        sender(delivery)
    except PermanentError as error:
        return _give_up(delivery, str(error), clock())
    except DeliveryError as error:
        return _put_off(delivery, str(error), clock())
    _finish(delivery, state=Delivery.State.SENT, sent_at=clock(), last_error="")
    return "sent"


def _put_off(delivery: Delivery, error: str, at: dt.datetime) -> str:
    if rules.gives_up(delivery.created_at, at):
        return _give_up(delivery, error, at)
    due_at = at + rules.retry_after(delivery.attempts)
    _finish(delivery, state=Delivery.State.WAITING, due_at=due_at, last_error=error[:500])
    return "put_off"


def _give_up(delivery: Delivery, error: str, at: dt.datetime) -> str:
    """Stop trying, and say so with an alert of its own, unless it is that very alert that cannot be told."""
    _finish(delivery, state=Delivery.State.FAILED, last_error=error[:500])
    log.error("Alert %s could not be told to %s: %s", delivery.alert_id, delivery.channel, error)
    if delivery.alert.kind != "delivery_failed":
        raise_alert(
            site=delivery.alert.site,
            kind="delivery_failed",
            severity=Severity.WARNING,
            title=f"{delivery.channel.name} cannot be told of alerts",
            detail=error,
            key=f"delivery-failed-{delivery.channel_id}",
            audience=Audience.OPERATIONS,
            at=at,
        )
    return "given_up"


def _finish(delivery: Delivery, **changes: object) -> None:
    """Write the end of a try, unless the claim was lost meanwhile."""
    Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.SENDING, attempts=delivery.attempts).update(**changes)
