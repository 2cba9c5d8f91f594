"""The nightly drift reset: a log row with what the count was wrong by, once a business date, never at a wrong time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from factoryai.alerts.models import Severity
from factoryai.alerts.services import close_alert, raise_alert
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from occupancy.models import Log, Zone, microseconds
from occupancy.rules.resets import Policy, ResetDecision, ResetPlan, decide_reset, due_at, next_reset, reset_count
from occupancy.rules.sums import Kind
from occupancy.services.capacity import judge_zones
from occupancy.services.logs import after_all
from occupancy.services.watermarks import reopen_for

PeopleOnShift = Callable[[Site, datetime], int]
"""Counts the people with an open attendance session at a site at an instant."""


def reset_zones(*, at: datetime, people_on_shift: PeopleOnShift | None) -> dict[str, int]:
    """Reset every zone whose time has come; a missed one asks a person instead. Returns how many of each."""
    done = {"reset": 0, "asked": 0}
    for pk in Zone.objects.filter(site__is_active=True).values_list("pk", flat=True).order_by("pk"):
        if outcome := _reset_if_due(pk, at, people_on_shift):
            done[outcome] += 1
    return done


def plan_reset(zone: Zone, at: datetime) -> ResetPlan:
    """Decide about the reset of a zone that ``at`` is nearest to."""
    first_fact = None
    if zone.last_reset_date is None:
        first_fact = Log.objects.filter(zone=zone).order_by("at_us").values_list("at", flat=True).first()
    policy = Policy(zone.reset_policy)
    return decide_reset(at, zone.site.zone, zone.reset_at, policy, zone.last_reset_date, first_fact)


@transaction.atomic
def _reset_if_due(pk: int, at: datetime, people_on_shift: PeopleOnShift | None) -> str:
    zone = _lock(pk)
    policy = Policy(zone.reset_policy)
    plan = plan_reset(zone, at)
    if zone.reset_asked_date == plan.business_date:
        return ""
    if plan.decision is ResetDecision.RUN and at >= due_at(plan.business_date, zone.site.zone, zone.reset_at):
        if policy is Policy.TO_OPEN_SESSIONS and people_on_shift is None:
            return _ask(zone, plan.business_date, at, "Nobody counts the people on shift here.")
        _reset(zone, plan.business_date, at, people_on_shift)
        return "reset"
    if plan.decision is ResetDecision.ASK:
        return _ask(zone, plan.business_date, at, f"It was due at {zone.reset_at:%H:%M} and did not run in time.")
    return ""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a new setting of the drift reset will do, in words; whether its time has passed for now."""

    words: str
    has_passed: bool = False


def judge_new_time(*, zone: Zone, at: datetime) -> Outlook:
    """Judge a reset that was just switched on, or set to another time; the caller has locked the zone.

    One whose time has passed is not made up for, its window or not: people may be inside. A person is asked at once.
    """
    if zone.reset_policy == Policy.OFF:
        return Outlook("The count is not reset by itself.")
    plan, clock = plan_reset(zone, at), zone.site.zone
    is_past_due = due_at(plan.business_date, clock, zone.reset_at) <= at
    has_passed = plan.decision is ResetDecision.ASK or (plan.decision is ResetDecision.RUN and is_past_due)
    if has_passed and zone.logs.exists():
        set_at = f"{at.astimezone(clock):%H:%M}"
        _ask(zone, plan.business_date, at, f"It was set to {zone.reset_at:%H:%M} at {set_at}, when that had passed.")
    elif has_passed:
        Zone.objects.filter(pk=zone.pk).update(reset_asked_date=plan.business_date)
    due = next_reset(at, clock, zone.reset_at, zone.last_reset_date).astimezone(clock)
    words = f"The next drift reset is due on {due:%A, %d %B at %H:%M}."
    if has_passed:
        words = f"{zone.reset_at:%H:%M} has passed: nothing is reset now, correct the count if it is wrong. {words}"
    return Outlook(words, has_passed)


@transaction.atomic
def reset_by_hand(
    *, zone: Zone, business_date: date, at: datetime, people_on_shift: PeopleOnShift | None, by: Any
) -> bool:
    """Run the reset of ``business_date`` by a person's word, however late; False when it ran before.

    Raises `Refusal` for a date whose window is not open yet, and when the number to reset to is not known.
    """
    zone = _lock(zone.pk)
    policy = Policy(zone.reset_policy)
    plan = plan_reset(zone, at)
    if plan.decision in (ResetDecision.DONE, ResetDecision.OFF) or (zone.last_reset_date or date.min) >= business_date:
        return False
    if business_date != plan.business_date:
        raise Refusal("wrong_date", f"The reset that may run now is that of {plan.business_date}.", 409)
    if policy is Policy.TO_OPEN_SESSIONS and people_on_shift is None:
        raise Refusal("people_unknown", "Nobody counts the people on shift. Correct the count instead.", 409)
    _reset(zone, business_date, at, people_on_shift, by)
    return True


def _lock(pk: int) -> Zone:
    return Zone.objects.select_for_update(of=("self",)).select_related("site").get(pk=pk)


def _reset(
    zone: Zone, business_date: date, at: datetime, people_on_shift: PeopleOnShift | None, by: Any = None
) -> None:
    policy = Policy(zone.reset_policy)
    people = people_on_shift(zone.site, at) if policy is Policy.TO_OPEN_SESSIONS and people_on_shift else 0
    count = reset_count(policy, people)
    seen = Zone.objects.with_counts().get(pk=zone.pk).raw_count
    set_at = after_all(zone, at)
    Log.objects.create(
        zone=zone, source="reset", event_id=f"reset:{business_date}", at=set_at, at_us=microseconds(set_at),
        received_at=at, kind=Kind.RESET, step=0, count=count, drift=seen - count, by=by,
        reason=f"Night of {business_date}",
    )  # fmt: skip
    zone.last_reset_date = business_date
    zone.save(update_fields=["last_reset_date"])
    reopen_for(zone, at)
    close_alert(site=zone.site, key=missed_key(zone), at=at, by=by, note="The count was reset.")
    judge_zones(ids=[zone.pk], at=at)


def _ask(zone: Zone, business_date: date, at: datetime, why: str) -> str:
    """Ask a person, once a business date: by now there may be people inside."""
    if zone.reset_asked_date == business_date:
        return ""
    zone.reset_asked_date = business_date
    zone.save(update_fields=["reset_asked_date"])
    raise_alert(
        site=zone.site, kind="drift_reset", severity=Severity.WARNING, key=missed_key(zone), at=at,
        title=f"The count of {zone.name} was not reset",
        detail=f"{why} Count the people inside and correct the number, "
        "or run the drift reset by hand on the scheduler page if nobody is inside.",
    )  # fmt: skip
    return "asked"


def missed_key(zone: Zone) -> str:
    """Return the key of the alert that asks a person about a missed reset."""
    return f"drift-reset:{zone.pk}"
