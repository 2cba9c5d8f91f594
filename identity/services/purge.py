"""Deleting old snapshots: row marked, file unlinked, row closed with the bytes that were really freed.

It may be killed at any point and run again, and two runs at once do no harm: who unlinks a file counts it.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from factoryai.alerts.models import Severity
from factoryai.alerts.services import close_alert, raise_alert
from factoryai.rest import Refusal
from factoryai.sites.models import Site
from identity.files import Files, media_files
from identity.models import PurgeRun, Retention, Snapshot
from identity.querysets import SnapshotQuerySet

log = logging.getLogger(__name__)

DEFAULT_DAYS = 90
BATCH = 500
MOST_BACK = dt.timedelta(days=1)
MOST_FORWARD = dt.timedelta(days=2)
"""A run comes once a day; a clock more than a day off that is not believed the first time it is seen."""

SETTLED_AFTER = dt.timedelta(hours=20)
"""Asking again at once proves nothing of a clock; the next night's run finds that it went on as clocks do."""

NEARLY_FULL_BYTES = 2 * 1024**3
DISK_ALERT = "snapshots-disk-full"


@dataclass(slots=True)
class PurgeReport:
    """What was done, or in a dry run what would be: ``planned`` = ``deleted`` + ``missing`` + ``failed``."""

    planned: int = 0
    deleted: int = 0
    freed_bytes: int = 0
    held: int = 0
    missing: int = 0
    failed: int = 0

    @property
    def freed_mb(self) -> float:
        """Megabytes of 1,000,000 bytes, to two places."""
        return round(self.freed_bytes / 1_000_000, 2)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "freed_mb": self.freed_mb}


def purge_snapshots(
    *,
    at: dt.datetime,
    older_than_days: int | None = None,
    is_dry_run: bool = False,
    sites: Sequence[Site] | None = None,
    accepts_clock: bool = False,
    files: Files | None = None,
) -> PurgeReport:
    """Delete the snapshots captured strictly more than their retention before ``at``, of ``sites`` (None: all).

    ``older_than_days`` stands for every retention rule. Held, enrolled, reviewed and alarming ones stay. Raises
    `Refusal` ``clock_jumped`` (409) when the clock is more than a day off the last run, unless ``accepts_clock``; a run
    `SETTLED_AFTER` the refused one is then believed, a second try is not.
    """
    if older_than_days is not None and older_than_days < 1:
        raise Refusal("bad_age", "Snapshots are kept for a day at least.", fields={"older_than_days": "At least 1."})
    if not accepts_clock:
        _refuse_jumped_clock(at, is_dry_run=is_dry_run)
    place, due = files or media_files(), _due(at, older_than_days, sites)
    run = None if is_dry_run else PurgeRun.objects.create(started_at=at)
    report = PurgeReport(planned=due.not_needed().count(), held=due.needed().count())
    _purge_batches(due.not_needed(), report, place, at, is_dry_run=is_dry_run)
    if run:
        PurgeRun.objects.filter(pk=run.pk).update(finished_at=at, **asdict(report))
        _tell_of_full_disk(report, place, at)
    return report


def _due(at: dt.datetime, older_than_days: int | None, sites: Sequence[Site] | None) -> SnapshotQuerySet:
    default = at - dt.timedelta(days=older_than_days or DEFAULT_DAYS)
    rules = [] if older_than_days else Retention.objects.all()
    cut_offs = {(rule.site_id, rule.kind): at - dt.timedelta(days=rule.days) for rule in rules}
    due = Snapshot.objects.older_than(cut_offs, default)
    return due if sites is None else due.filter(site__in=sites)


def _refuse_jumped_clock(at: dt.datetime, *, is_dry_run: bool) -> None:
    last = PurgeRun.objects.filter(refusal="").first()
    if last is None or -MOST_BACK <= at - last.started_at <= MOST_FORWARD or _is_settled(at, last):
        return
    if not is_dry_run:
        PurgeRun.objects.create(started_at=at, finished_at=at, refusal="clock_jumped")
    raise Refusal(
        "clock_jumped",
        f"The last purge was at {last.started_at:%Y-%m-%d %H:%M} UTC and the clock says {at:%Y-%m-%d %H:%M} UTC. "
        "Check the clock; if it is right, say so and run the purge again, or leave it to the run of the next night.",
        409,
    )


def _is_settled(at: dt.datetime, last: PurgeRun) -> bool:
    """Whether the clock has gone on from a run that was refused, long enough for somebody to have seen it."""
    since = (at - MOST_FORWARD, at - SETTLED_AFTER)
    return PurgeRun.objects.filter(pk__gt=last.pk, started_at__range=since).exists()


def _purge_batches(
    due: SnapshotQuerySet, report: PurgeReport, place: Files, at: dt.datetime, *, is_dry_run: bool
) -> None:
    """Go through what is due by time and id, so that what fails is met once and not for ever."""
    after: tuple[dt.datetime, Any] | None = None
    while batch := _next_batch(due, after):
        after = (batch[-1].captured_at, batch[-1].pk)
        if is_dry_run:
            for snapshot in batch:
                _count(report, snapshot, place, is_dry_run=True)
        else:
            _purge_batch(due, batch, report, place, at)


def _next_batch(due: SnapshotQuerySet, after: tuple[dt.datetime, Any] | None) -> list[Snapshot]:
    rows = due.order_by("captured_at", "pk").only("pk", "captured_at")
    if after:
        rows = rows.filter(Q(captured_at__gt=after[0]) | Q(captured_at=after[0], pk__gt=after[1]))
    return list(rows[:BATCH])


def _purge_batch(
    due: SnapshotQuerySet, batch: Sequence[Snapshot], report: PurgeReport, place: Files, at: dt.datetime
) -> None:
    """Mark, unlink, close. The mark asks again whether each is still due: a hold that came meanwhile wins."""
    keys = [snapshot.pk for snapshot in batch]
    due.filter(pk__in=keys).update(state=Snapshot.State.DELETING)
    marked = set(Snapshot.objects.filter(pk__in=keys, state=Snapshot.State.DELETING).values_list("pk", flat=True))
    report.planned -= len(keys) - len(marked)
    freed = {row.pk: _count(report, row, place, is_dry_run=False) for row in batch if row.pk in marked}
    close_rows({key: size for key, size in freed.items() if size is not None}, at)


@transaction.atomic
def close_rows(freed: dict[Any, int], at: dt.datetime) -> None:
    """Say of rows whose files are gone what each freed; -1 stands for a file that was missing already.

    As a rule a file frees what was written: those rows are closed by one statement.
    """
    missing = [key for key, size in freed.items() if size < 0]
    unlinked = Snapshot.objects.filter(pk__in=[key for key, size in freed.items() if size >= 0])
    unlinked.update(state=Snapshot.State.DELETED, deleted_at=at, freed_bytes=F("size_bytes"))
    written = dict(unlinked.values_list("pk", "size_bytes"))
    others = [Snapshot(pk=key, freed_bytes=freed[key]) for key, size in written.items() if freed[key] != size]
    Snapshot.objects.bulk_update(others, ["freed_bytes"])
    left = Snapshot.objects.filter(pk__in=missing, state=Snapshot.State.DELETING)
    left.update(state=Snapshot.State.DELETED, deleted_at=at)


def discard_snapshot(snapshot: Snapshot, at: dt.datetime, files: Files | None = None) -> int:
    """Delete one picture now, whatever its age: marked, unlinked, closed. Returns the bytes freed, 0 if none were.

    One that is held as evidence stays, and so does the hold.
    """
    row = Snapshot.objects.filter(pk=snapshot.pk)
    row.filter(is_held=False).exclude(state=Snapshot.State.DELETED).update(state=Snapshot.State.DELETING)
    if row.filter(is_held=True).exists():
        return 0
    freed = (files or media_files()).remove(snapshot.file_name)
    close_rows({snapshot.pk: -1 if freed is None else freed}, at)
    return freed or 0


def _count(report: PurgeReport, snapshot: Snapshot, place: Files, *, is_dry_run: bool) -> int | None:
    """Remove one file, or look at it in a dry run; return the bytes freed, -1 when it was gone, None when it stays."""
    try:
        size = place.size(snapshot.file_name) if is_dry_run else place.remove(snapshot.file_name)
    except OSError as error:
        log.warning("Snapshot %s cannot be removed: %s", snapshot.pk, error)
        report.failed += 1
        return None
    if size is None:
        report.missing += 1
        return -1
    report.deleted += 1
    report.freed_bytes += size
    return size


def _tell_of_full_disk(report: PurgeReport, place: Files, at: dt.datetime) -> None:
    """Raise an alert at every site when the disk is nearly full and nothing could be freed; close it otherwise."""
    free = place.free_bytes()
    is_stuck = free is not None and free < NEARLY_FULL_BYTES and not report.freed_bytes
    for site in Site.objects.filter(is_active=True):
        if not is_stuck:
            close_alert(site=site, key=DISK_ALERT, at=at, note="There is room again.")
            continue
        raise_alert(
            site=site,
            kind="disk_nearly_full",
            severity=Severity.CRITICAL,
            title="The disk is nearly full and no snapshot could be deleted",
            detail=f"{free // 1_000_000} MB are left; {report.held} held, {report.failed} failed.",
            key=DISK_ALERT,
            at=at,
        )
