"""Faces nobody could name: grouped by likeness, and decided by people. Nothing is learnt from a guess."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
from django.db import transaction

from factoryai.alerts.services import record_event
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from identity.models import Employee, PurgeRun, Retention, Sighting, Snapshot, UnknownFace
from identity.rules import GROUPED_AT, SFACE
from identity.services.gallery import lock_gallery
from identity.services.purge import DEFAULT_DAYS

State = UnknownFace.State
JOINABLE = (State.OPEN, State.VISITOR, State.DISMISSED)
"""A visitor or somebody dismissed who comes again joins what was decided, and asks nobody again."""


@transaction.atomic
def file_unknown(*, sighting: Sighting, vector: np.ndarray) -> UnknownFace:
    """Put a sighting to the unknown face it resembles most, or to one of its own. One at a time per site."""
    lock_gallery(sighting.site_id)
    vector = vector / max(float(np.linalg.norm(vector)), 1e-12)
    unknown = most_like(sighting.site, vector) or UnknownFace(
        site=sighting.site,
        model_version=SFACE.model,
        first_seen_at=sighting.captured_at,
        last_seen_at=sighting.captured_at,
        snapshot=sighting.snapshot,
    )
    unknown.mean = _mean([(unknown.mean, unknown.times_seen), (vector, 1)])
    unknown.times_seen += 1
    unknown.first_seen_at = min(unknown.first_seen_at, sighting.captured_at)
    unknown.last_seen_at = max(unknown.last_seen_at, sighting.captured_at)
    unknown.save()
    Sighting.objects.filter(pk=sighting.pk).update(unknown_face=unknown)
    sighting.unknown_face = unknown
    return unknown


def most_like(site: Site, vector: np.ndarray) -> UnknownFace | None:
    """Return the unknown face of a site that a unit vector resembles most, None when it resembles none."""
    groups = UnknownFace.objects.for_site(site).filter(state__in=JOINABLE, model_version=SFACE.model)
    scored = [(float(group.mean @ vector), group) for group in groups.exclude(mean=None)]
    score, group = max(scored, key=lambda pair: pair[0], default=(-1.0, None))
    return group if score >= GROUPED_AT else None


def _mean(weighted: list[tuple[np.ndarray | None, int]]) -> np.ndarray:
    total = sum(vector * weight for vector, weight in weighted if vector is not None)
    return (total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32)


@transaction.atomic
def assign_unknown(*, unknown: UnknownFace, employee: Employee, by: Any, at: dt.datetime) -> list[Sighting]:
    """Say who an unknown face is; returns its sightings, now that person's and marked as said by a person.

    The vector is forgotten. 409 ``already_decided`` for the second of two people, 422 ``other_site``.
    """
    if employee.site_id != unknown.site_id:
        raise Refusal("other_site", "This person works at another site.", 422)
    _decide(unknown, State.ASSIGNED, by, at, employee=employee, mean=None)
    sightings = unknown.sightings.filter(employee__isnull=True)
    keys = list(sightings.values_list("pk", flat=True))
    sightings.filter(pk__in=keys).update(
        employee=employee, review=Sighting.Review.CONFIRMED, reviewed_at=at, reviewed_by=by
    )
    # Now it is a picture of somebody who works here, and for the eyes of fewer people.
    Snapshot.objects.filter(sightings__in=keys).update(kind=Snapshot.Kind.SIGHTING)
    return list(
        Sighting.objects.filter(pk__in=keys).select_related("camera", "site", "employee").order_by("captured_at")
    )


def mark_visitor(*, unknown: UnknownFace, label: str, by: Any, at: dt.datetime) -> UnknownFace:
    """Say that it is a visitor, who may come again without asking anybody."""
    return _decide(unknown, State.VISITOR, by, at, label=label.strip()[:120])


def dismiss_unknown(*, unknown: UnknownFace, by: Any, at: dt.datetime) -> UnknownFace:
    """Take it off the list."""
    return _decide(unknown, State.DISMISSED, by, at)


@transaction.atomic
def merge_unknown(*, unknown: UnknownFace, into: UnknownFace, by: Any, at: dt.datetime) -> UnknownFace:
    """Say that two unknown faces are one person; all that was seen of the first belongs to the second."""
    if unknown.pk == into.pk or unknown.site_id != into.site_id:
        raise Refusal("cannot_merge", "Choose another unknown face of the same site.", 422)
    lock_gallery(unknown.site_id)
    into = UnknownFace.objects.select_for_update().get(pk=into.pk)
    if into.state not in JOINABLE:
        raise Refusal("already_decided", "Somebody has decided the other face already.", 409)
    unknown.refresh_from_db()
    weighted = [(unknown.mean, unknown.times_seen), (into.mean, into.times_seen)]
    _decide(unknown, State.MERGED, by, at, merged_into=into, mean=None)
    Sighting.objects.filter(unknown_face=unknown).update(unknown_face=into)
    into.mean = _mean(weighted)
    into.times_seen += unknown.times_seen
    into.first_seen_at = min(into.first_seen_at, unknown.first_seen_at)
    into.last_seen_at = max(into.last_seen_at, unknown.last_seen_at)
    into.save()
    return into


def _decide(unknown: UnknownFace, state: str, by: Any, at: dt.datetime, **changes: Any) -> UnknownFace:
    rows = UnknownFace.objects.still_open().filter(pk=unknown.pk)
    with transaction.atomic():
        if not rows.update(state=state, decided_at=at, decided_by=by, **changes):
            raise Refusal("already_decided", "Somebody has decided this already.", 409)
        record_event(site=unknown.site, kind="unknown_face", object_id=unknown.pk, at=at)
    unknown.refresh_from_db()
    return unknown


def forget_unknowns(*, at: dt.datetime) -> int:
    """Forget the vectors of faces not seen for as long as the pictures of unknown faces are kept at their site.

    Who is still open by then is dismissed: nobody has said who it is, and the purge may have the picture. Ages are
    counted to the last purge that believed the clock, so one that jumped dismisses nobody. Returns how many.
    """
    last = PurgeRun.objects.filter(refusal="").first()
    at = min(at, last.started_at) if last else at
    forgotten = 0
    for site in Site.objects.all():
        rule = Retention.objects.for_site(site).filter(kind=Snapshot.Kind.UNKNOWN).first()
        before = at - dt.timedelta(days=rule.days if rule else DEFAULT_DAYS)
        old = UnknownFace.objects.for_site(site).exclude(mean=None).filter(last_seen_at__lt=before)
        with transaction.atomic():
            old.still_open().update(state=State.DISMISSED, decided_at=at)
            forgotten += old.update(mean=None)
    return forgotten
