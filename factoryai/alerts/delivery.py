"""Sends what waits in the outbox. Any number of claimers may run: a conditional UPDATE decides who sends.

A claim is for `CLAIM_FOR`; whoever dies with one loses it, and the message is tried again. So it is sent at least
once, and carries an id by which the receiver knows a repeat.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from django.db import transaction
from django.utils import timezone

from factoryai.alerts import rules
from factoryai.alerts.channels import SENDERS, DeliveryError, PermanentError, Sender
from factoryai.alerts.models import Audience, Delivery, Severity
from factoryai.alerts.services import close_alert, raise_alert

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
    silent: set[int] = set()
    for _ in range(BATCH):
        waiting = Delivery.objects.claimable(clock()).exclude(channel__in=silent)
        delivery = waiting.select_related("alert__site", "channel").first()
        if delivery is None:
            break
        if claim(delivery, at=clock()):
            outcome = _send(delivery, senders[delivery.channel.kind], clock)
            counts[outcome] += 1
            if outcome != "sent":
                silent.add(delivery.channel_id)  # what does not answer must not hold up what does
    return dict(counts)


def _send(delivery: Delivery, sender: Sender, clock: Callable[[], dt.datetime]) -> str:
    try:
        sender(delivery)
    except DeliveryError as error:
        return _failed(delivery, error, clock())
    at = clock()
    _finish(delivery, state=Delivery.State.SENT, sent_at=at, last_error="")
    close_alert(site=delivery.alert.site, key=_failure_key(delivery), at=at, note="It takes messages again.")
    return "sent"


def _failed(delivery: Delivery, error: DeliveryError, at: dt.datetime) -> str:
    """Put the delivery off, or give it up, and say so when it is no passing trouble."""
    is_refused, alert = isinstance(error, PermanentError), delivery.alert
    gives_up = rules.gives_up(alert.severity, alert.state, delivery.created_at, at, is_refused=is_refused)
    if gives_up:
        _finish(delivery, state=Delivery.State.FAILED, last_error=str(error)[:500])
    else:
        due_at = at + rules.retry_after(delivery.attempts)
        _finish(delivery, state=Delivery.State.WAITING, due_at=due_at, last_error=str(error)[:500])
    if gives_up or rules.is_worth_saying(delivery.attempts, is_refused=is_refused):
        _say_failure(delivery, str(error), at)
    return "given_up" if gives_up else "put_off"


@transaction.atomic
def _say_failure(delivery: Delivery, error: str, at: dt.datetime) -> None:
    """Raise an alert of its own, unless it is that very alert that cannot be told; the channel itself is not told."""
    log.error("Alert %s could not be told to %s: %s", delivery.alert_id, delivery.channel, error)
    if delivery.alert.kind != "delivery_failed":
        alert = raise_alert(
            site=delivery.alert.site,
            kind="delivery_failed",
            severity=Severity.WARNING,
            title=f"{delivery.channel.name} cannot be told of alerts",
            detail=error,
            key=_failure_key(delivery),
            audience=Audience.OPERATIONS,
            at=at,
        )
        alert.deliveries.filter(channel=delivery.channel, attempts=0).delete()


def _failure_key(delivery: Delivery) -> str:
    return f"delivery-failed-{delivery.channel_id}"


def _finish(delivery: Delivery, **changes: object) -> None:
    """Write the end of a try, unless the claim was lost meanwhile."""
    Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.SENDING, attempts=delivery.attempts).update(**changes)
