"""Opening a gate: planned in the transaction of the visit, asked of the controller afterwards, once, or not at all.

Nothing here is repeated. What fails, is late, or dies half-way leaves the gate as it is, for the guard.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from factoryai.alerts.models import Severity
from factoryai.alerts.services import close_alert, raise_alert
from streaming.models import Camera
from vehicles.controller import Answer, ask
from vehicles.models import Gate, Opening, PlateRead

log = logging.getLogger(__name__)

FRESH = dt.timedelta(seconds=5)
"""A read is of a vehicle that stands there for so long, where no gate says otherwise."""

DEAD_AFTER = dt.timedelta(minutes=1)
"""Longer than any call takes: whoever began it is gone."""

Outcome = Opening.Outcome


def freshness(camera: Camera) -> dt.timedelta:
    """Return how old a read at a camera may be to open its gate."""
    gate = Gate.objects.filter(camera=camera).only("fresh_s").first()
    return dt.timedelta(seconds=gate.fresh_s) if gate else FRESH


def plan_opening(*, read: PlateRead, at: dt.datetime) -> Opening | None:
    """Write that the gate at the read's camera is to be asked, and ask after the commit; None when there is none.

    The constraint lets one through for each visit and direction, however many processes read the same plate.
    """
    gate = Gate.objects.filter(camera=read.camera, is_enabled=True).first()
    if gate is None or read.visit_id is None:
        return None
    try:
        with transaction.atomic():
            opening = Opening.objects.create(
                gate=gate, visit_id=read.visit_id, read=read, direction=read.direction, asked_at=at
            )
    except IntegrityError:
        return None
    transaction.on_commit(lambda: _in_background(opening.pk), robust=True)
    return opening


def _in_background(pk: int) -> None:
    """Ask in a thread of its own: a controller that hangs holds up no camera and no other vehicle's alarm."""

    def run() -> None:
        try:
            open_gate(pk=pk)
        except Exception:
            log.exception("The gate of opening %s was not asked", pk)
        finally:
            connection.close()

    threading.Thread(target=run, name=f"gate-{pk}", daemon=True).start()


def open_gate(*, pk: int, clock: Callable[[], dt.datetime] = timezone.now) -> Opening:
    """Ask the controller of a planned opening, if it is still to be asked, and write down how it went."""
    opening = Opening.objects.select_related("gate__camera__site", "read__visit").get(pk=pk)
    if opening.outcome != Outcome.PENDING:
        return opening
    if refusal := _refusal(opening, clock()):
        return _finish(opening, Outcome.REFUSED, Answer(detail=refusal), clock())
    answer = ask(opening.gate, facts_of(opening))
    return _finish(opening, Outcome.OPENED if answer.is_success else Outcome.FAILED, answer, clock())


def facts_of(opening: Opening) -> dict[str, object]:
    """Return what the controller is told."""
    read = opening.read
    return {
        "opening": opening.pk,
        "camera": opening.gate.camera.slug,
        "plate": read.plate,
        "direction": opening.direction,
        "captured_at": read.captured_at.isoformat(),
    }


def _refusal(opening: Opening, at: dt.datetime) -> str:
    """Return why the gate must not open any more, empty when it may: the lists are asked again at the last moment."""
    from vehicles.services.lists import find_listed

    read, gate = opening.read, opening.gate
    if not gate.is_enabled:
        return "The gate does not open by itself any more."
    if at - read.captured_at > dt.timedelta(seconds=gate.fresh_s):
        return f"The read is {(at - read.captured_at).total_seconds():.1f} s old."
    listed = find_listed([read.match_key], [read.site_id])
    if any(entry.holds(at) for entry in listed["blocked"].get(read.match_key, ())):
        return "The plate was blocked meanwhile."
    allowed = listed["allowed"].get(read.match_key, ())
    if not any(entry.holds(at) and entry.direction in ("", opening.direction) for entry in allowed):
        return "The plate is not allowed any more."
    return ""


@transaction.atomic
def _finish(opening: Opening, outcome: Outcome, answer: Answer, at: dt.datetime) -> Opening:
    opening.outcome, opening.status, opening.took_ms = outcome, answer.status, answer.took_ms
    opening.detail = answer.detail[:200]
    opening.save(update_fields=["outcome", "status", "took_ms", "detail"])
    gate = opening.gate
    site, key = gate.camera.site, f"gate-{gate.pk}"
    if outcome == Outcome.OPENED:
        close_alert(site=site, key=key, at=at, note="It opened again.")
    elif outcome == Outcome.FAILED:
        raise_alert(
            site=site,
            kind="gate_failed",
            severity=Severity.WARNING,
            title=f"The gate at {gate.camera.name} did not open for {opening.read.plate}",
            detail=opening.detail,
            key=key,
            at=at,
        )
    return opening


def settle_openings(*, at: dt.datetime) -> int:
    """Write off calls whose process died; they are not made again, for nobody knows whether the gate opened."""
    count = 0
    for opening in Opening.objects.undecided(at - DEAD_AFTER).select_related("gate__camera__site", "read")[:500]:
        _finish(opening, Outcome.FAILED, Answer(detail="The call was cut off; the gate may have opened."), at)
        count += 1
    return count
