"""Erasing everything a person could be recognised by, here and elsewhere, and proving it. Payroll is not touched."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Q

from identity.files import Files, media_files
from identity.models import Consent, Employee, RemoteFace, Sighting, Snapshot, UnknownFace
from identity.recognisers.base import RecogniserError
from identity.recognisers.rekognition import IndexedFace
from identity.rules import GROUPED_AT, SFACE
from identity.services import engines
from identity.services.gallery import LiveGallery, gallery_changed, lock_gallery
from identity.services.marks import names_photo, ours_among, owner_of
from identity.services.purge import discard_snapshot

log = logging.getLogger(__name__)

LEAVERS_KEPT = dt.timedelta(days=30)
"""Who comes back within a month is still known; nobody has to ask for the erasure (DPDP Act 2023 s. 8(7))."""


@dataclass(slots=True)
class Erased:
    """What was erased. ``held`` pictures stay: somebody keeps them as evidence, and says why. ``remote_pending`` are
    faces that the service elsewhere has not deleted yet; the nightly reconciliation asks again."""

    templates: int = 0
    photos: int = 0
    snapshots: int = 0
    remote_faces: int = 0
    remote_pending: int = 0
    held: int = 0
    traces: list[str] = field(default_factory=list)

    @property
    def is_proven(self) -> bool:
        return not self.traces

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "is_proven": self.is_proven}


@dataclass(slots=True)
class _Found:
    """What there was of a person before: the vectors are kept in memory for the proof, and nowhere else."""

    vectors: list[np.ndarray]
    photos: list[Snapshot]
    pictures: list[Snapshot]


def erase_biometrics(*, employee: Employee, at: dt.datetime, files: Files | None = None) -> Erased:
    """Erase a person's templates, remote faces, photos and snapshots, end the ground for having them, and search.

    The rows go in one transaction, then the files, then the faces elsewhere; whatever is interrupted is finished by
    the purge and the reconciliation. Sightings stay without a name; employee and attendance rows stay as they are.
    """
    erased, place = Erased(), files or media_files()
    found = _forget_rows(employee, erased, at)
    erased.photos = sum(_discard(snapshot, erased, place, at) for snapshot in found.photos)
    erased.snapshots = sum(_discard(snapshot, erased, place, at) for snapshot in found.pictures)
    erased.remote_faces, erased.remote_pending = delete_remote_faces(RemoteFace.objects.filter(person=employee.pk))
    erased.remote_faces += delete_unnoted(employee)
    erased.traces = find_traces(employee=employee, vectors=found.vectors, files=place)
    return erased


@transaction.atomic
def _forget_rows(employee: Employee, erased: Erased, at: dt.datetime) -> _Found:
    lock_gallery(employee.site_id)
    faces = list(employee.faces.select_related("snapshot"))
    vectors = [face.embedding for face in faces]
    unknowns = _unknowns_of(employee, vectors)
    pictures = Snapshot.objects.filter(
        Q(sightings__employee=employee) | Q(sightings__unknown_face__in=unknowns)
    ).exclude(state=Snapshot.State.DELETED)
    found = _Found(vectors, [face.snapshot for face in faces], list(pictures.distinct()))
    RemoteFace.objects.filter(face__in=faces).update(state=RemoteFace.State.DELETING)
    erased.templates = len(faces) + _forget_unknowns(unknowns, at)
    employee.faces.all().delete()
    Sighting.objects.filter(Q(employee=employee) | Q(unknown_face__in=unknowns)).update(
        employee=None, similarity=None, second_similarity=None, reason="erased", review=Sighting.Review.NONE
    )
    Consent.objects.in_force().filter(employee=employee).update(withdrawn_at=at)
    files = [snapshot.pk for snapshot in (*found.photos, *found.pictures)]
    stored = Snapshot.objects.filter(pk__in=files, state=Snapshot.State.STORED, is_held=False)
    stored.update(state=Snapshot.State.DELETING)
    gallery_changed(employee.site_id)
    return found


def _unknowns_of(employee: Employee, vectors: list[np.ndarray]) -> list[int]:
    """Unknown faces that were assigned to the person, or resemble one of the person's photos."""
    rows = UnknownFace.objects.for_site(employee.site).filter(Q(employee=employee) | ~Q(mean=None))
    return [row.pk for row in rows if row.employee_id == employee.pk or resembles(row.mean, vectors)]


def resembles(mean: np.ndarray | None, vectors: list[np.ndarray]) -> bool:
    return mean is not None and any(float(mean @ vector) >= GROUPED_AT for vector in vectors)


def _forget_unknowns(keys: list[int], at: dt.datetime) -> int:
    rows = UnknownFace.objects.filter(pk__in=keys)
    had_vector = rows.exclude(mean=None).count()
    rows.filter(state=UnknownFace.State.OPEN).update(state=UnknownFace.State.DISMISSED, decided_at=at)
    rows.update(mean=None, employee=None, label="")
    return had_vector


def _discard(snapshot: Snapshot, erased: Erased, place: Files, at: dt.datetime) -> bool:
    if Snapshot.objects.filter(pk=snapshot.pk, is_held=True).exists():
        erased.held += 1
        return False
    try:
        discard_snapshot(snapshot, at, place)
    except OSError as error:
        log.error("Snapshot %s could not be removed yet: %s", snapshot.pk, error)
        return False
    return True


def delete_remote_faces(rows: Any) -> tuple[int, int]:
    """Delete faces elsewhere and forget the rows of those that are gone; returns how many went, and how many wait."""
    waiting = list(rows.filter(Q(state=RemoteFace.State.DELETING) | Q(face__isnull=True)).select_related("site"))
    gone = 0
    for collection in {row.collection for row in waiting}:
        mine = [row for row in waiting if row.collection == collection]
        if _delete_there(mine):
            gone += RemoteFace.objects.filter(pk__in=[row.pk for row in mine]).delete()[0]
    return gone, len(waiting) - gone


def _delete_there(rows: list[RemoteFace]) -> bool:
    """Ask for the deletion; a face or a collection that is gone already is as good as deleted."""
    try:
        engines.remote_for(rows[0].site).delete([row.remote_id for row in rows])
    except RecogniserError as error:
        if error.code == "ResourceNotFoundException":
            return True
        log.error("%d faces could not be deleted with Rekognition yet (%s).", len(rows), error.code)
        return False
    return True


def find_traces(*, employee: Employee, vectors: list[np.ndarray], files: Files | None = None) -> list[str]:
    """Search everywhere for a person who was erased and return in words what is still found; none is the proof."""
    traces = []
    gallery = LiveGallery(employee.site_id).current()
    for vector in vectors:
        own = [c for c in gallery.nearest(vector, limit=50) if c.person == str(employee.pk)]
        if own or any(c.similarity >= SFACE.known for c in gallery.nearest(vector, limit=1)):
            traces.append("a face in the gallery")
    unknowns = UnknownFace.objects.for_site(employee.site).exclude(mean=None)
    traces += [f"unknown face {row.pk}" for row in unknowns if resembles(row.mean, vectors)]
    traces += _files_left(employee, files or media_files())
    traces += [f"a face with the service: {row.remote_id}" for row in RemoteFace.objects.filter(person=employee.pk)]
    if engines.is_remote():
        traces += _faces_there(employee)
    return traces


def _files_left(employee: Employee, place: Files) -> list[str]:
    """Pictures still linked to the person, or still on the way to deletion; what is held is said apart."""
    mine = Snapshot.objects.filter(Q(face__employee=employee) | Q(sightings__employee=employee))
    left = [row for row in mine.distinct() if place.size(row.file_name) is not None]
    return [f"picture {row.pk}" for row in left]


def delete_unnoted(employee: Employee) -> int:
    """Delete what the service keeps of a person though no row says so: it answered, and nobody was left to note it."""
    if not engines.is_remote():
        return 0
    try:
        left = ours_among(_left_there(employee), employee.site)
        return engines.remote_for(employee.site).delete([face.face_id for face in left])
    except RecogniserError as error:
        if error.code != "ResourceNotFoundException":
            log.error("What Rekognition may still keep of an erased person is not known (%s).", error.code)
        return 0


def _left_there(employee: Employee) -> list[IndexedFace]:
    """Faces there that bear the person's number. Those of a row are deleted by it."""
    noted = set(RemoteFace.objects.filter(person=employee.pk).values_list("remote_id", flat=True))
    mine = (face for face in engines.remote_for(employee.site).faces() if owner_of(face.person) == str(employee.pk))
    return [face for face in mine if face.face_id not in noted]


def _faces_there(employee: Employee) -> list[str]:
    """Faces of the person there. One whose mark names no photo may be another installation's: it is told, not deleted,
    for a proof must not rest on a guess."""
    try:
        left = _left_there(employee)
    except RecogniserError as error:
        return [] if error.code == "ResourceNotFoundException" else [f"the service did not answer ({error.code})"]
    ours = {face.face_id for face in ours_among(left, employee.site)}
    told = [face for face in left if face.face_id in ours or not names_photo(face.person)]
    return [f"a face there: {face.face_id}" for face in told]


def erase_leavers(*, at: dt.datetime) -> list[Erased]:
    """Erase the biometrics of everybody whose last day of work was more than `LEAVERS_KEPT` ago."""
    gone = Employee.objects.filter(faces__isnull=False, left_date__lt=(at - LEAVERS_KEPT).date()).distinct()
    return [erase_biometrics(employee=employee, at=at) for employee in gone.select_related("site")]


def opt_out(*, employee: Employee, other_method: str, at: dt.datetime) -> Erased:
    """Let a person go without their face from now on: another method is recorded, and everything is erased."""
    ground = employee.consents.order_by("-pk").first()
    if ground:
        Consent.objects.filter(pk=ground.pk).update(other_method=other_method)
    else:
        Consent.objects.create(
            employee=employee, basis=Consent.Basis.CONSENT, notice_version="—", given_date=at.date(), recorded_at=at,
            withdrawn_at=at, other_method=other_method,
        )  # fmt: skip
    return erase_biometrics(employee=employee, at=at)
