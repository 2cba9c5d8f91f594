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
from identity.services import engines
from identity.services.enrolment import enrol_remotely, examine_photo
from identity.services.erasure import delete_remote_faces
from identity.services.snapshots import read_snapshot

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Drift:
    """What did not fit at one site, and what was done. ``unknown_there`` are ids that no row here knows: they are never
    anybody's name, and are removed only on request, for another installation may share the account."""

    site: str
    present: int = 0
    unknown_there: list[str] = field(default_factory=list)
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
        return not (self.unknown_there or self.missing_there or self.not_enrolled_there or self.still_to_delete)

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
        _compare(drift, site, rows, there)
        if not is_dry_run:
            _mend(drift, site, rows, there, at)
            if removes_unknown and drift.unknown_there:
                drift.removed_unknown = remote.delete(drift.unknown_there)
    except RecogniserError as error:
        log.error("The faces of %s cannot be reconciled (%s).", site.slug, error.code)
        drift.error = error.code
    return drift


def _list_faces(remote: engines.RekognitionRecogniser, drift: Drift) -> set[str]:
    try:
        return {face.face_id for face in remote.faces()}
    except RecogniserError as error:
        if error.code != "ResourceNotFoundException":
            raise
    drift.was_collection_missing = True
    return set()


def _compare(drift: Drift, site: Site, rows: RemoteFace, there: set[str]) -> None:
    known = set(rows.values_list("remote_id", flat=True))
    present = set(rows.present().values_list("remote_id", flat=True))
    drift.present = len(present & there)
    drift.unknown_there = sorted(there - known)
    drift.missing_there = len(present - there)
    drift.still_to_delete = rows.to_delete().count()
    drift.not_enrolled_there = _without_row(site).count()


def _without_row(site: Site) -> Face:
    return Face.objects.searchable().filter(employee__site=site, remote_faces__isnull=True)


def _mend(drift: Drift, site: Site, rows: RemoteFace, there: set[str], at: dt.datetime) -> None:
    drift.deleted, drift.still_to_delete = delete_remote_faces(rows)
    rows.present().exclude(remote_id__in=there).delete()
    for face in _without_row(site).select_related("employee__site", "snapshot"):
        try:
            photo = examine_photo(decode_picture(read_snapshot(face.snapshot)))
            drift.enrolled += enrol_remotely(face=face, photo=photo, at=at) is not None
        except Refusal as refusal:
            log.error("Face %d cannot be enrolled there: %s", face.pk, refusal)
