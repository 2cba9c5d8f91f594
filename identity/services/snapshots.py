"""The verbs on snapshots: keep one, look at one, hold and release, and check rows against files."""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from factoryai.rest import Refusal
from factoryai.sealing import SealBrokenError, seal, unseal
from factoryai.sites.models import Site
from identity.files import Files, UnsafeFileError, media_files
from identity.models import Snapshot, file_name_of
from streaming.models import Camera

log = logging.getLogger(__name__)

WRITTEN_WITHIN = dt.timedelta(hours=1)
"""A row still being written, or a file without a row, may be in the making for so long."""


def keep_snapshot(
    *,
    jpeg: bytes,
    site: Site,
    kind: str,
    reason: str,
    captured_at: dt.datetime,
    at: dt.datetime,
    camera: Camera | None = None,
    files: Files | None = None,
) -> Snapshot:
    """Keep a picture: the row, then the sealed file, then the row says so. Raises OSError when no file can be written.

    Call it outside a transaction that may be rolled back: a file whose row is gone is an orphan until the next check.
    """
    snapshot = Snapshot.objects.create(
        site=site, camera=camera, kind=kind, reason=reason[:120], captured_at=captured_at, created_at=at
    )
    size = (files or media_files()).write(snapshot.file_name, seal(jpeg))
    Snapshot.objects.filter(pk=snapshot.pk, state=Snapshot.State.PENDING).update(
        state=Snapshot.State.STORED, size_bytes=size
    )
    snapshot.state, snapshot.size_bytes = Snapshot.State.STORED, size
    return snapshot


def read_snapshot(snapshot: Snapshot, files: Files | None = None) -> bytes:
    """Return the JPEG of a stored snapshot; raises `Refusal`: 404 its file is gone, 422 it cannot be opened."""
    if snapshot.state != Snapshot.State.STORED:
        raise Refusal("snapshot_gone", "This picture is not kept any more.", 404)
    try:
        return unseal((files or media_files()).read(snapshot.file_name))
    except FileNotFoundError as error:
        raise Refusal("snapshot_gone", "The file of this picture is missing.", 404) from error
    except SealBrokenError as error:
        log.error("Snapshot %s cannot be opened: its file is damaged, or its key is missing.", snapshot.pk)
        raise Refusal(
            "snapshot_unreadable", "The file of this picture is damaged, or its key is missing.", 422
        ) from error


@transaction.atomic
def hold_snapshot(*, snapshot: Snapshot, reason: str, by: Any) -> Snapshot:
    """Keep a snapshot from the purge until it is released; 409 ``already_deleted`` when its file goes or is gone."""
    kept = Snapshot.objects.filter(pk=snapshot.pk, state__in=[Snapshot.State.STORED, Snapshot.State.PENDING])
    if not kept.update(is_held=True, hold_reason=f"{reason.strip()} ({by})"[:200]):
        raise Refusal("already_deleted", "This picture is deleted, or being deleted.", 409)
    snapshot.refresh_from_db()
    return snapshot


def release_snapshot(*, snapshot: Snapshot) -> Snapshot:
    """Let the purge have it again when it is old enough."""
    Snapshot.objects.filter(pk=snapshot.pk).update(is_held=False)
    snapshot.refresh_from_db()
    return snapshot


def reseal_snapshots(*, files: Files | None = None) -> int:
    """Seal every stored picture again with the newest key and return how many; each file is replaced at once.

    One that no key opens is said in the log and left as it is: it must not keep the others under the old key.
    """
    place, count = files or media_files(), 0
    for snapshot in Snapshot.objects.filter(state=Snapshot.State.STORED).only("pk").iterator():
        try:
            size = place.replace(snapshot.file_name, seal(unseal(place.read(snapshot.file_name))))
        except FileNotFoundError:
            continue
        except (SealBrokenError, UnsafeFileError) as error:
            log.error("Snapshot %s cannot be sealed again: %s", snapshot.pk, error)
            continue
        Snapshot.objects.filter(pk=snapshot.pk, state=Snapshot.State.STORED).update(size_bytes=size)
        count += 1
    return count


@dataclass(slots=True)
class Check:
    """What does not fit. ``missing`` are rows without their file, ``orphans`` files without a row, ``foreign`` things
    that the product never wrote, ``stuck`` rows whose writing never ended."""

    rows: int = 0
    files: int = 0
    missing: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    orphan_bytes: int = 0
    repaired: int = 0

    @property
    def is_clean(self) -> bool:
        return not (self.missing or self.orphans or self.foreign or self.stuck)


def check_snapshots(*, at: dt.datetime, is_repair: bool = False, files: Files | None = None) -> Check:
    """Compare rows with files, both ways. With ``is_repair`` orphans of ours are removed and rows without a file are
    marked deleted; foreign things are only ever reported. Costs one pass over the folder and one over the rows."""
    place, check = files or media_files(), Check()
    expected = _expected_names()
    check.rows = len(expected)
    on_disk: set[str] = set()
    for entry in place.entries():
        check.files += 1
        if not entry.is_ours:
            check.foreign.append(entry.name)
            continue
        on_disk.add(entry.name)
        is_young = entry.modified_at > (at - WRITTEN_WITHIN).timestamp()
        if entry.name not in expected and not is_young:
            check.orphans.append(entry.name)
            check.orphan_bytes += entry.size_bytes
    _note_rows_without_files(check, expected, on_disk, at)
    if is_repair:
        _repair(check, expected, place, at)
    return check


def _expected_names() -> dict[str, tuple[Any, str, dt.datetime]]:
    rows = Snapshot.objects.exclude(state=Snapshot.State.DELETED).values_list("pk", "state", "created_at")
    return {file_name_of(pk): (pk, state, made) for pk, state, made in rows.iterator()}


def _note_rows_without_files(check: Check, expected: dict, on_disk: set[str], at: dt.datetime) -> None:
    for name, (_, state, created_at) in expected.items():
        if state == Snapshot.State.PENDING:
            if created_at < at - WRITTEN_WITHIN:
                check.stuck.append(name)
        elif name not in on_disk:
            check.missing.append(name)


def _repair(check: Check, expected: dict, place: Files, at: dt.datetime) -> None:
    """Each thing on its own: one that fails leaves the others to be repaired."""
    for name in [*check.orphans, *check.stuck]:
        try:
            place.remove(name)
        except OSError as error:
            log.warning("%s could not be removed: %s", name, error)
            continue
        check.repaired += name in check.orphans
    keys = [expected[name][0] for name in [*check.missing, *check.stuck]]
    for start in range(0, len(keys), 500):
        gone = Snapshot.objects.filter(pk__in=keys[start : start + 500]).exclude(state=Snapshot.State.DELETED)
        check.repaired += gone.update(state=Snapshot.State.DELETED, deleted_at=at)
