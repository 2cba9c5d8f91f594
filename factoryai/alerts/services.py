"""The verbs on alerts: raise, see, acknowledge, close, escalate. Each writes its history and outbox."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from factoryai.alerts import nudges, rules
from factoryai.alerts.events import record_event
from factoryai.alerts.models import Alert, AlertStep, Audience, Channel, Delivery, Severity, State
from factoryai.rest import Refusal
from factoryai.sites.models import Site

__all__ = [
    "acknowledge_alert",
    "close_alert",
    "escalate_alerts",
    "mark_seen",
    "note_alert",
    "raise_alert",
    "record_event",
]


@transaction.atomic
def raise_alert(
    *,
    site: Site,
    kind: str,
    severity: str,
    title: str,
    key: str,
    at: dt.datetime,
    detail: str = "",
    audience: str = Audience.OPERATIONS,
) -> Alert:
    """Raise an alert in the caller's transaction, or add to the open one of the same ``site`` and ``key``.

    A repeat counts up and may make it graver, never lighter. Graver means new again: delivered, to be acknowledged.
    """
    fields = {"kind": kind, "severity": severity, "title": title[:200], "detail": detail, "audience": audience}
    for _ in range(3):  # the open one may be closed between the failed insert and the look
        if alert := Alert.objects.select_for_update().still_open().filter(site=site, key=key).first():
            return _raise_again(alert, severity=severity, detail=detail, at=at)
        try:
            with transaction.atomic():
                alert = Alert.objects.create(
                    site=site,
                    key=key,
                    raised_at=at,
                    last_raised_at=at,
                    escalates_from=at,
                    next_escalation_at=rules.next_escalation_at(severity, at, 0),
                    **fields,
                )
        except IntegrityError:
            continue
        _note(alert, "raised", at)
        _deliver(alert, "raised", at)
        return alert
    raise Refusal("busy", "This alert is being raised and closed at once. Try again.", 409)


def _raise_again(alert: Alert, *, severity: str, detail: str, at: dt.datetime) -> Alert:
    graver = rules.worse(alert.severity, severity) != alert.severity
    Alert.objects.filter(pk=alert.pk).update(times_raised=F("times_raised") + 1, last_raised_at=at)
    if graver:
        alert.severity = Severity(severity)
        alert.detail = detail or alert.detail
        alert.state = State.NEW
        alert.level = 0
        alert.escalates_from = at
        alert.next_escalation_at = rules.next_escalation_at(severity, at, 0)
        alert.save(update_fields=["severity", "detail", "state", "level", "escalates_from", "next_escalation_at"])
        _note(alert, f"raised-{severity}", at)
        _deliver(alert, f"raised-{severity}", at)
    alert.refresh_from_db(fields=["times_raised", "last_raised_at"])
    return alert


@transaction.atomic
def mark_seen(*, alert: Alert, by: Any, at: dt.datetime) -> bool:
    """Note that somebody opened it; False when it was not new any more."""
    return _step(alert, State.SEEN, at=at, by=by, seen_at=at)


@transaction.atomic
def acknowledge_alert(*, alert: Alert, by: Any, note: str, at: dt.datetime) -> Alert:
    """Take an alert on. The first of two wins; the other gets ``already_acknowledged`` or ``already_closed`` (409)."""
    changes = {"acknowledged_at": at, "acknowledged_by": by, "note": note, "next_escalation_at": None}
    if not _step(alert, State.ACKNOWLEDGED, at=at, by=by, text=note, **changes):
        alert.refresh_from_db()
        raise Refusal(f"already_{alert.state}", f"This alert is already {alert.get_state_display().lower()}.", 409)
    return alert


@transaction.atomic
def note_alert(*, alert: Alert, step: str, note: str, at: dt.datetime) -> None:
    """Write what became known afterwards into an alert's history; its state stays as it is."""
    _note(alert, step, at, text=note)


@transaction.atomic
def close_alert(*, site: Site, key: str, at: dt.datetime, by: Any = None, note: str = "") -> bool:
    """Close the open alert of ``key``: its cause is gone. False when there was none."""
    alert = Alert.objects.still_open().filter(site=site, key=key).first()
    if alert is None or not _step(alert, State.CLOSED, at=at, by=by, text=note, closed_at=at, next_escalation_at=None):
        return False
    _deliver(alert, "closed", at)
    return True


@transaction.atomic
def escalate_alerts(*, at: dt.datetime) -> int:
    """Raise every unanswered alert that is due to its next level; two callers at once escalate each once."""
    escalated = 0
    for alert in Alert.objects.due_to_escalate(at)[:500]:
        level = alert.level + 1
        due = rules.next_escalation_at(alert.severity, alert.escalates_from, level)
        won = (
            Alert.objects.unanswered()
            .filter(pk=alert.pk, level=alert.level)
            .update(level=level, next_escalation_at=due)
        )
        if won:
            alert.level = level
            _note(alert, f"escalated-{level}", at)
            _deliver(alert, f"{alert.severity}-escalated-{level}", at)
            escalated += 1
    return escalated


def _step(alert: Alert, state: State, *, at: dt.datetime, by: Any, text: str = "", **changes: Any) -> bool:
    before = rules.states_before(state)
    if not Alert.objects.filter(pk=alert.pk, state__in=before).update(state=state, **changes):
        return False
    for name, value in {"state": state, **changes}.items():
        setattr(alert, name, value)
    _note(alert, state.value, at, by=by, text=text)
    return True


def _note(alert: Alert, step: str, at: dt.datetime, *, by: Any = None, text: str = "") -> None:
    """Write one line of history and tell the open pages."""
    AlertStep.objects.create(alert=alert, step=step, at=at, by=by, note=text)
    record_event(site=alert.site, kind="alert", object_id=alert.pk, at=at)


def _deliver(alert: Alert, occasion: str, at: dt.datetime) -> None:
    """Put one delivery per channel that should hear of it into the outbox."""
    heard_before = set(alert.deliveries.values_list("channel_id", flat=True)) if occasion == "closed" else None
    channels = [
        channel
        for channel in Channel.objects.filter(site=alert.site, audience=alert.audience, is_enabled=True)
        if _should_hear(channel, alert, heard_before)
    ]
    Delivery.objects.bulk_create(
        [Delivery(alert=alert, channel=c, occasion=occasion, created_at=at, due_at=at) for c in channels],
        ignore_conflicts=True,
    )
    if channels:
        transaction.on_commit(nudges.deliveries_waiting, robust=True)


def _should_hear(channel: Channel, alert: Alert, heard_before: set[int] | None) -> bool:
    if heard_before is not None:
        return channel.pk in heard_before
    return rules.is_at_least(alert.severity, channel.min_severity) and channel.from_level <= alert.level
