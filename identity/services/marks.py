"""The mark by which a face at a service elsewhere is known to be ours, though no row here remembers it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable

from factoryai.sites.models import Site
from identity.models import Face, Snapshot
from identity.recognisers.rekognition import IndexedFace

SETTLED = dt.timedelta(hours=1)
"""An enrolment whose photo is younger may be under way: its row is written after the service has answered."""


def mark_of(face: Face) -> str:
    """Return what the service keeps beside a face: whose it is, and the photo it was made from, which only we know."""
    return f"{face.employee_id}.{face.snapshot_id.hex}"


def owner_of(mark: str) -> str:
    """Return the employee's number of a mark."""
    return mark.partition(".")[0]


def names_photo(mark: str) -> bool:
    """Whether a mark says of which photo the face is; one of a person's number alone does not."""
    return _photo_of(mark) is not None


def ours_among(faces: Iterable[IndexedFace], site: Site, before: dt.datetime | None = None) -> list[IndexedFace]:
    """Return the faces whose photo was taken here for ``site``, of photos kept before ``before``; None for all.

    Another installation that uses the same collection has photos of its own: its faces are none of ours.
    """
    marked = {face.face_id: (photo, face) for face in faces if (photo := _photo_of(face.person))}
    photos = Snapshot.objects.filter(site=site, kind=Snapshot.Kind.ENROLMENT)
    if before:
        photos = photos.filter(created_at__lt=before)
    known: set[uuid.UUID] = set()
    wanted = [photo for photo, _ in marked.values()]
    for start in range(0, len(wanted), 500):
        known |= set(photos.filter(pk__in=wanted[start : start + 500]).values_list("pk", flat=True))
    return [face for photo, face in marked.values() if photo in known]


def _photo_of(mark: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(hex=mark.partition(".")[2])
    except ValueError:
        return None
