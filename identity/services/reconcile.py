"""Bringing Rekognition's collections and the rows here together again, whatever was interrupted or changed there."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from factoryai.rest import Refusal
from factoryai.sites.models import Site
from identity.models import Face, RemoteFace
from identity.pictures import decode_picture
from identity.recognisers.base import RecogniserError
from identity.recognisers.rekognition import IndexedFace
from identity.services import engines
from identity.services.enrolment import enrol_remotely, examine_photo
from identity.services.erasure import delete_remote_faces
from identity.services.marks import SETTLED, ours_among
from identity.services.snapshots import read_snapshot

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Drift:
    """What did not fit at one site, and what was done.

    ``unnoted_there`` are ids made from photos of ours that no row remembers, since the enrolment was killed or the
    answer was lost: they are deleted. ``unknown_there`` are all others without a row: never anybody's name, and removed
    only on request, for another installation may share the account.
    """

    site: str
    present: int = 0
    unknown_there: list[str] = field(default_factory=list)
    unnoted_there: list[str] = field(default_factory=list)
    missing_there: int = 0
    not_enrolled_there: int = 0
    deleted: int = 0
    still_to_delete: int = 0
    enrolled: int = 0
    removed_unknown: int = 0
    was_collection_missing: bool = False
    error: str = ""

    @property
    def is_clean(self) -> bool:
        amiss = (self.unknown_there, self.unnoted_there, self.missing_there, self.not_enrolled_there)
        return not (any(amiss) or self.still_to_delete)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def reconcile_faces(
    *, sites: Iterable[Site], at: dt.datetime, is_dry_run: bool = False, removes_unknown: bool = False
) -> list[Drift]:
    """Compare and mend site by site; one whose service does not answer says so and leaves the others alone."""
    return [_reconcile(site, at, is_dry_run=is_dry_run, removes_unknown=removes_unknown) for site in sites]


def _reconcile(site: Site, at: dt.datetime, *, is_dry_run: bool, removes_unknown: bool) -> Drift:
    drift, remote = Drift(site.slug), engines.remote_for(site)
    collection = engines.collection_of(site)
    rows = RemoteFace.objects.for_site(site).filter(collection=collection)
    try:
        there = _list_faces(remote, drift)
        _compare(drift, site, rows, there, at)
        if not is_dry_run:
            drift.deleted += remote.delete(drift.unnoted_there)
            _mend(drift, site, rows, set(there), at)
            if removes_unknown and drift.unknown_there:
                drift.removed_unknown = remote.delete(drift.unknown_there)
    except RecogniserError as error:
        log.error("The faces of %s cannot be reconciled (%s).", site.slug, error.code)
        drift.error = error.code
    return drift


def _list_faces(remote: engines.RekognitionRecogniser, drift: Drift) -> dict[str, IndexedFace]:
    try:
        return {face.face_id: face for face in remote.faces()}
    except RecogniserError as error:
        if error.code != "ResourceNotFoundException":
            raise
    drift.was_collection_missing = True
    return {}


def _compare(drift: Drift, site: Site, rows: RemoteFace, faces: dict[str, IndexedFace], at: dt.datetime) -> None:
    there, known = set(faces), set(rows.values_list("remote_id", flat=True))
    present = set(rows.present().values_list("remote_id", flat=True))
    drift.present = len(present & there)
    strange = [faces[remote_id] for remote_id in sorted(there - known)]
    ours = {face.face_id for face in ours_among(strange, site)}
    drift.unnoted_there = [face.face_id for face in ours_among(strange, site, before=at - SETTLED)]
    drift.unknown_there = [face.face_id for face in strange if face.face_id not in ours]
    drift.missing_there = len(present - there)
    drift.still_to_delete = rows.to_delete().count()
    drift.not_enrolled_there = _without_row(site).count()


def _without_row(site: Site) -> Face:
    return Face.objects.searchable().filter(employee__site=site, remote_faces__isnull=True)


def _mend(drift: Drift, site: Site, rows: RemoteFace, there: set[str], at: dt.datetime) -> None:
    deleted, drift.still_to_delete = delete_remote_faces(rows)
    drift.deleted += deleted
    rows.present().exclude(remote_id__in=there).delete()
    for face in _without_row(site).select_related("employee__site", "snapshot"):
        try:
            photo = examine_photo(decode_picture(read_snapshot(face.snapshot)))
            drift.enrolled += enrol_remotely(face=face, photo=photo, at=at) is not None
        except Refusal as refusal:
            log.error("Face %d cannot be enrolled there: %s", face.pk, refusal)
