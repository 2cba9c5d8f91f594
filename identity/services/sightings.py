"""The verbs on sightings: record what a camera saw, confirm or reject what was doubtful."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from factoryai.alerts.services import record_event
from factoryai.rest import Refusal
from identity.confidential import open_face
from identity.models import CameraFaces, Employee, Sighting, Snapshot
from identity.services.purge import discard_snapshot
from identity.services.snapshots import keep_snapshot
from identity.services.unknowns import file_unknown, most_like
from streaming.frames import Observation
from streaming.models import Camera

log = logging.getLogger(__name__)

Outcome, Review = Sighting.Outcome, Sighting.Review


def record_sighting(*, observation: Observation, at: dt.datetime) -> Sighting | None:
    """Record one face of one passage, exactly once by its event id; decide anew whether the person works here.

    Returns the sighting, the earlier one for a repeated event, and None when the same person, known or not, was sighted
    by the same camera within its re-sighting interval. A picture that cannot be kept does not lose the sighting; none
    is kept of somebody whose biometrics were erased while the observation waited. Raises `Camera.DoesNotExist` for a
    camera that is gone.
    """
    if known := Sighting.objects.filter(event_id=observation.event_id).first():
        return known
    camera = Camera.objects.select_related("site", "face_policy").get(slug=observation.camera)
    data = dict(observation.data)
    jpeg, data["vector"] = open_face(data)
    captured_at = dt.datetime.fromtimestamp(observation.captured_at, dt.UTC)
    employee = _employee(camera, data, captured_at)
    if _was_just_sighted(camera, employee, data, captured_at):
        return None
    is_erased = employee is not None and employee.has_withdrawn
    snapshot = None if is_erased else _keep_picture(camera, jpeg, data["outcome"], captured_at, at)
    try:
        return _write(observation.event_id, camera, employee, data, snapshot, captured_at, at)
    except IntegrityError:
        if snapshot:
            discard_snapshot(snapshot, at)
        return Sighting.objects.get(event_id=observation.event_id)


@transaction.atomic
def _write(
    event_id: str,
    camera: Camera,
    employee: Employee | None,
    data: Mapping[str, Any],
    snapshot: Snapshot | None,
    captured_at: dt.datetime,
    at: dt.datetime,
) -> Sighting:
    is_review = data["outcome"] == Outcome.REVIEW
    sighting = Sighting.objects.create(
        event_id=event_id, site=camera.site, camera=camera, track=data["track"], captured_at=captured_at,
        recorded_at=at, outcome=data["outcome"], reason=data["reason"], employee=employee,
        similarity=data["similarity"], second_similarity=data["second_similarity"], threshold=data["threshold"],
        engine=data["engine"], model_version=data["model"], snapshot=snapshot,
        review=Review.PENDING if is_review else Review.NONE,
    )  # fmt: skip
    if data["outcome"] == Outcome.UNKNOWN and data["vector"] is not None:
        file_unknown(sighting=sighting, vector=data["vector"])
    record_event(site=camera.site, kind="sighting", object_id=sighting.pk, at=at)
    return sighting


def _employee(camera: Camera, data: dict[str, Any], captured_at: dt.datetime) -> Employee | None:
    """Return the person that was recognised; one who does not work here on that day makes it a review."""
    if data["person"] is None:
        return None
    employee = Employee.objects.for_site(camera.site).filter(pk=int(data["person"])).first()
    day = captured_at.astimezone(camera.site.zone).date()
    if data["outcome"] == Outcome.KNOWN and not (employee and employee.is_active and employee.works_on(day)):
        data["outcome"], data["reason"] = Outcome.REVIEW, "not_employed"
    return employee


def _was_just_sighted(
    camera: Camera, employee: Employee | None, data: Mapping[str, Any], captured_at: dt.datetime
) -> bool:
    """Whether this camera has sighted the same person within its interval. What is doubtful is always recorded."""
    same = _sightings_of_the_same(camera, employee, data)
    if same is None:
        return False
    policy = getattr(camera, "face_policy", None) or CameraFaces(camera=camera)
    interval = dt.timedelta(seconds=policy.resight_s)
    around = {"captured_at__gt": captured_at - interval, "captured_at__lt": captured_at + interval}
    return same.filter(camera=camera, outcome=data["outcome"], **around).exists()


def _sightings_of_the_same(
    camera: Camera, employee: Employee | None, data: Mapping[str, Any]
) -> QuerySet[Sighting] | None:
    if data["outcome"] == Outcome.KNOWN:
        return Sighting.objects.filter(employee=employee)
    if data["outcome"] == Outcome.UNKNOWN and data["vector"] is not None:
        unknown = most_like(camera.site, data["vector"])
        return unknown and unknown.sightings.all()
    return None


def _keep_picture(
    camera: Camera, jpeg: bytes, outcome: str, captured_at: dt.datetime, at: dt.datetime
) -> Snapshot | None:
    try:
        return keep_snapshot(
            jpeg=jpeg,
            site=camera.site,
            camera=camera,
            kind=Snapshot.Kind.UNKNOWN if outcome == Outcome.UNKNOWN else Snapshot.Kind.SIGHTING,
            reason={"known": "Sighted", "review": "Sighted, for review", "unknown": "Nobody known"}[outcome],
            captured_at=captured_at,
            at=at,
        )
    except OSError as error:
        log.error("The picture of a sighting at %s cannot be kept: %s", camera.slug, error)
        return None


def decide_sighting(*, sighting: Sighting, employee: Employee | None, by: Any, at: dt.datetime) -> Sighting:
    """Say who a doubtful sighting is, or with None that it is not who it was thought to be.

    Of two people deciding at once the first does; the other gets 409 ``already_decided``. Whoever is named is told on
    to attendance, marked as decided by a person; nobody decides about themselves (403 ``own_record``).
    """
    if employee and employee.site_id != sighting.site_id:
        raise Refusal("other_site", "This person works at another site.", 422)
    for person in (employee, sighting.employee):
        refuse_own(person, by)
    review = Review.CONFIRMED if employee else Review.REJECTED
    with transaction.atomic():
        rows = Sighting.objects.awaiting_review().filter(pk=sighting.pk)
        if not rows.update(review=review, employee=employee, reviewed_at=at, reviewed_by=by):
            raise Refusal("already_decided", "Somebody has decided this already.", 409)
        sighting.refresh_from_db()
        record_event(site=sighting.site, kind="sighting", object_id=sighting.pk, at=at)
        if employee:
            tell_identified(sighting)
    if employee:
        forget_pictures([sighting], employee, at)
    return sighting


def refuse_own(employee: Employee | None, by: Any) -> None:
    """Raise `Refusal` 403 ``own_record`` for who would say of themselves that they were seen, or were not."""
    if employee and by and employee.user_id is not None and employee.user_id == by.pk:
        raise Refusal("own_record", "Nobody decides about their own record.", 403)


def forget_pictures(sightings: Sequence[Sighting], employee: Employee, at: dt.datetime) -> None:
    """Delete the pictures of what was just found to show somebody who withdrew; what is held as evidence stays."""
    if not employee.has_withdrawn:
        return
    for snapshot in Snapshot.objects.filter(sightings__in=sightings).exclude(state=Snapshot.State.DELETED).distinct():
        try:
            discard_snapshot(snapshot, at)
        except OSError as error:
            log.error("Snapshot %s could not be removed yet: %s", snapshot.pk, error)


def tell_identified(sighting: Sighting) -> None:
    """Tell whoever joins people with attendance that a person has said who a sighting is."""
    tell: Callable[[Sighting], None] = import_string(settings.FACE_IDENTIFIED)
    tell(sighting)
