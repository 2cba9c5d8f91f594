"""Enrolling people: on a recorded ground, from photos that one engine would know them by and nobody else."""

from __future__ import annotations

import datetime as dt
import logging
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from django.conf import settings
from django.db import IntegrityError, transaction

from factoryai.rest import Refusal
from identity.models import Consent, Employee, Face, RemoteFace, Snapshot
from identity.pictures import decode_picture, encode_picture
from identity.recognisers.base import Face as FoundFace
from identity.recognisers.base import PermanentError, TransientError
from identity.recognisers.rekognition import IndexedFace, RekognitionRecogniser
from identity.recognisers.retries import Allowance, paid_from
from identity.rules import ENROL_WIDTH, SFACE, is_unlike_own, judge_quality, other_owner, quality_score
from identity.services import engines
from identity.services.erasure import delete_remote_faces
from identity.services.gallery import gallery_changed, gallery_for, lock_gallery
from identity.services.grab import watch_camera
from identity.services.purge import discard_snapshot
from identity.services.snapshots import keep_snapshot
from streaming.models import Camera

log = logging.getLogger(__name__)

ADVISED_FACES = 3
"""Two photos: rank-1 100 % of 20 draws over 22 people; one: 99.5 %. The third covers glasses, a beard, a mask."""

MOST_FACES = 10
KEPT_SIDE = 1280
SECOND_FACE = 0.3
"""A second face of this share of the largest one's width makes it unclear who is meant."""

WHY = {
    "no_face": "No face can be found in this picture.",
    "several_faces": "There are several faces in this picture. Send one of this person alone.",
    "face_too_small": f"The face is too small: it must be at least {ENROL_WIDTH:.0f} pixels wide.",
    "too_blurry": "The face is blurred.",
    "too_dark": "The face is too dark.",
    "too_bright": "The face is too bright.",
    "turned_away": "The face is turned away. Look into the camera.",
}


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A picture with one good face in it, turned upright, and that face's vector."""

    image: np.ndarray
    face: FoundFace
    vector: np.ndarray


def record_consent(
    *, employee: Employee, basis: str, notice_version: str, given_date: dt.date, by: Any, at: dt.datetime
) -> Consent:
    """Record on what ground a face is used; one that says the same is kept, another one ends the one before."""
    current = employee.consents.in_force().first()
    if current and (current.basis, current.notice_version) == (basis, notice_version):
        return current
    if given_date > at.astimezone(employee.site.zone).date():
        raise Refusal("in_future", "A ground cannot be given in the future.", 422)
    try:
        with transaction.atomic():
            employee.consents.in_force().update(withdrawn_at=at)
            consent = Consent.objects.create(
                employee=employee,
                basis=basis,
                notice_version=notice_version,
                given_date=given_date,
                recorded_at=at,
                recorded_by=by,
            )
            gallery_changed(employee.site_id)
    except IntegrityError as error:
        raise Refusal("busy", "Somebody records the ground for this person at this moment. Try again.", 409) from error
    return consent


def require_ground(*, employee: Employee, by: Any, at: dt.datetime) -> Consent:
    """Return the ground in force; without one record the installation's own, if it has one.

    Who withdrew is never enrolled again on the installation's ground: 422 ``consent_withdrawn``. Where consent is
    asked for, nobody is without it: 422 ``consent_missing``.
    """
    if consent := employee.consents.in_force().first():
        return consent
    if employee.consents.exists():
        raise Refusal("consent_withdrawn", "This person withdrew. Record a new consent before the first photo.", 422)
    if settings.FACE_GROUND != Consent.Basis.EMPLOYMENT:
        raise Refusal("consent_missing", "Record this person's consent before the first photo.", 422)
    return record_consent(
        employee=employee,
        basis=Consent.Basis.EMPLOYMENT,
        notice_version=settings.FACE_NOTICE,
        given_date=at.astimezone(employee.site.zone).date(),
        by=by,
        at=at,
    )


def examine_photo(image: np.ndarray) -> Photo:
    """Turn a picture upright and return its one good face; raises `Refusal` 422 with the reason.

    Costs four detections and one embedding, about 60 ms.
    """
    finder = engines.finder()
    view, faces = finder.find_upright(image)
    if not faces:
        raise Refusal("no_face", WHY["no_face"], 422)
    if any(face.quality.width >= SECOND_FACE * faces[0].quality.width for face in faces[1:]):
        raise Refusal("several_faces", WHY["several_faces"], 422)
    if why := judge_quality(faces[0].quality, min_width=ENROL_WIDTH):
        raise Refusal(why, WHY[why], 422)
    return Photo(view, faces[0], finder.embed(view, faces[0]))


def photo_from(camera: Camera) -> Photo:
    """Return the first good photo a camera takes of who stands before it now, within `grab.LIMIT_S`.

    Raises `Refusal` 422: ``no_picture``, or why the last picture does not serve.
    """
    last: Refusal | None = None
    with closing(watch_camera(camera)) as pictures:
        for image in pictures:
            try:
                return examine_photo(image)
            except Refusal as refusal:
                last = refusal
    raise last or Refusal("no_picture", "The camera sent no picture in time.", 422)


def enrol_picture(*, employee: Employee, data: bytes, by: Any, at: dt.datetime) -> Face:
    """Enrol an uploaded JPEG or PNG; raises `Refusal` with the reason, having kept nothing."""
    require_enrolable(employee)
    photo = examine_photo(decode_picture(data))
    return enrol_photo(employee=employee, photo=photo, source=Face.Source.UPLOAD, by=by, at=at)


def require_enrolable(employee: Employee) -> None:
    """Raise `Refusal` 422 for somebody who does not work here, or has photos enough."""
    if not employee.is_active:
        raise Refusal("not_active", "This person does not work here any more.", 422)
    if employee.faces.count() >= MOST_FACES:
        raise Refusal("too_many_faces", f"A person has at most {MOST_FACES} photos. Delete one first.", 422)


def advised_more(employee: Employee) -> int:
    """Return how many photos more are advised, up to `ADVISED_FACES`."""
    return max(0, ADVISED_FACES - employee.faces.count())


def enrol_photo(*, employee: Employee, photo: Photo, source: str, by: Any, at: dt.datetime) -> Face:
    """Enrol an examined photo on a recorded ground: the picture, the row, then the service elsewhere, if any.

    Raises `Refusal` 422 ``matches_other_employee`` or ``unlike_other_photos``; of two people enrolled with one face at
    once the second is refused.
    """
    require_ground(employee=employee, by=by, at=at)
    refuse_wrong_person(employee, photo.vector)
    snapshot = keep_snapshot(
        jpeg=encode_picture(shrink(photo.image, KEPT_SIDE)),
        site=employee.site,
        kind=Snapshot.Kind.ENROLMENT,
        reason=f"Photo of {employee.code}",
        captured_at=at,
        at=at,
    )
    try:
        face = _add_face(employee, photo, snapshot, source, by, at)
        enrol_remotely(face=face, photo=photo, at=at)
    except Refusal:
        remove_photo(snapshot=snapshot, at=at)
        raise
    return face


def remove_photo(*, snapshot: Snapshot, at: dt.datetime) -> int:
    """Take one photo back: its face, here and elsewhere, and its file unless it is held; returns the bytes freed."""
    with transaction.atomic():
        RemoteFace.objects.filter(face__snapshot=snapshot).update(state=RemoteFace.State.DELETING)
        Face.objects.filter(snapshot=snapshot).delete()
        gallery_changed(snapshot.site_id)
    return discard_snapshot(snapshot, at)


@transaction.atomic
def _add_face(employee: Employee, photo: Photo, snapshot: Snapshot, source: str, by: Any, at: dt.datetime) -> Face:
    lock_gallery(employee.site_id)
    gallery_for(employee.site_id).forget()
    if not employee.consents.in_force().exists():
        raise Refusal("consent_withdrawn", "This person withdrew while the photo was looked at.", 422)
    refuse_wrong_person(employee, photo.vector)
    quality = photo.face.quality
    face = Face.objects.create(
        employee=employee, embedding=photo.vector, engine=SFACE.engine, model_version=SFACE.model, snapshot=snapshot,
        source=source, quality=quality_score(quality), width_px=quality.width, sharpness=quality.sharpness,
        brightness=quality.brightness, turn=quality.turn, added_at=at, added_by=by,
    )  # fmt: skip
    gallery_changed(employee.site_id)
    return face


def refuse_wrong_person(employee: Employee, vector: np.ndarray) -> None:
    """Raise `Refusal` 422 when a face belongs to somebody else, or does not resemble the person's other photos."""
    candidates = gallery_for(employee.site_id).current().nearest(vector, limit=20)
    person = str(employee.pk)
    if other := other_owner(candidates, person, SFACE):
        owner = Employee.objects.filter(pk=int(other.person)).first()
        text = f"This face belongs to {owner}, with a likeness of {other.similarity:.2f}."
        raise Refusal("matches_other_employee", text, 422)
    if is_unlike_own(candidates, person, SFACE):
        raise Refusal("unlike_other_photos", "This face does not resemble the person's other photos.", 422)


def enrol_remotely(*, face: Face, photo: Photo, at: dt.datetime) -> RemoteFace | None:
    """Enrol a face with the service elsewhere, when one is in use.

    A service that does not answer now is asked again by `reconcile.reconcile_faces`. One that refuses the picture for
    good raises `Refusal` 422 ``not_indexed`` with its reasons.
    """
    if not engines.is_remote():
        return None
    site, person = face.employee.site, str(face.employee_id)
    remote = engines.remote_for(site)
    try:
        indexed = index_face(remote, photo, person)
    except PermanentError as error:
        if error.code != "not_indexed":
            log.error("A face could not be enrolled with Rekognition (%s); reconcile_faces tries again.", error.code)
            return None
        raise Refusal("not_indexed", f"The face service refused this picture: {error}.", 422) from error
    except TransientError as error:
        log.warning("A face could not be enrolled with Rekognition yet (%s).", error.code)
        return None
    row = _note_indexed(face, indexed, remote, at)
    if row.face is None:
        delete_remote_faces(RemoteFace.objects.filter(pk=row.pk))
        raise Refusal("erased_meanwhile", "This photo was erased while the face service looked at it.", 409)
    return row


@transaction.atomic
def _note_indexed(face: Face, indexed: IndexedFace, remote: RekognitionRecogniser, at: dt.datetime) -> RemoteFace:
    """Write down what the service keeps now; what was erased here while it looked is to go there as well."""
    site = face.employee.site
    lock_gallery(site.pk)
    is_wanted = Face.objects.filter(pk=face.pk).exists()
    return RemoteFace.objects.create(
        site=site,
        face=face if is_wanted else None,
        collection=engines.collection_of(site),
        remote_id=indexed.face_id,
        person=indexed.person,
        model_version=remote.thresholds.model,
        state=RemoteFace.State.PRESENT if is_wanted else RemoteFace.State.DELETING,
        added_at=at,
    )


def index_face(remote: RekognitionRecogniser, photo: Photo, person: str) -> IndexedFace:
    """Enrol a photo there; a collection that is missing is made first, which is right here and nowhere else.

    All of it together is at most four requests.
    """
    with paid_from(Allowance()):
        try:
            return remote.index(photo.image, photo.face, person)
        except PermanentError as error:
            if error.code != "ResourceNotFoundException":
                raise
        remote.create_collection()
        return remote.index(photo.image, photo.face, person)


def shrink(image: np.ndarray, side: int) -> np.ndarray:
    """Return the picture with its longer side at most ``side``."""
    ratio = side / max(image.shape[:2])
    return image if ratio >= 1 else cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
