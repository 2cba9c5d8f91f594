"""What each block shows, gathered from the questions the apps answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import psutil
from django.conf import settings
from django.db.models import Count, Prefetch

from attendance.models import Correction, Flag, PayPeriod
from attendance.models.days import Kind
from attendance.services.today import today_at
from attendance.services.watermarks import silent_sources
from factoryai.alerts.models import Delivery
from factoryai.alerts.rules import UNANSWERED
from factoryai.dashboard.asker import Asker
from factoryai.dashboard.overview import site_rows
from factoryai.dashboard.reading import DESK, open_alerts, standings, zones_inside
from factoryai.health import Level, judge_disk
from factoryai.jobs.models import Job
from factoryai.jobs.services import is_scheduler_running, late_jobs
from factoryai.sites.models import Role
from identity.models import Sighting, UnknownFace
from identity.querysets import FACE_ROLES, STRANGER_ROLES
from streaming import bus
from streaming.views import wall_context
from vehicles.models import PlateRead, Visit
from vehicles.querysets import GUARDS

MOST_ALERTS = 30
MOST_FACES = 6
MOST_READS = 7
MOST_NAMED = 6
TILES_BESIDE = 4
"""Small walls are wide and low: the blocks below stay on the screen."""
UNDELIVERED_AFTER = dt.timedelta(minutes=5)


def alerts(asker: Asker) -> Mapping[str, Any]:
    """Open alerts, the unanswered and critical on top."""
    rows = open_alerts(asker)
    counts = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    total = sum(counts.values())
    return {
        "alerts": rows.gravest_first().select_related("site", "acknowledged_by")[:MOST_ALERTS],
        "waiting": sum(counts.get(state, 0) for state in UNANSWERED),
        "total": total,
        "more": max(0, total - MOST_ALERTS),
        "several_sites": len(asker.choice.sites) > 1,
    }


def cameras(asker: Asker) -> Mapping[str, Any]:
    """Every camera, live ones first; the pictures come over the wall's socket."""
    context = wall_context(standings(asker), asker.at)
    beside = min(len(context["standings"]), TILES_BESIDE)
    may_add = asker.may((Role.MANAGER,))
    return {**context, "columns": max(beside, context["columns"]), "may_add": may_add}


def gate(asker: Asker) -> Mapping[str, Any]:
    """The last decisions at the gates that were about a plate, how many vehicles are inside, and reads to review."""
    reads = asker.rows(PlateRead.objects, GUARDS)
    latest = reads.doubtful().select_related("site", "camera", "snapshot", "visit")[: 5 * MOST_READS]
    return {
        "reads": _one_a_passage(latest)[:MOST_READS],
        "inside": asker.rows(Visit.objects, GUARDS).still_open().count(),
        "waiting": reads.awaiting_review().doubtful().count(),
        "several_sites": len(asker.choice.sites) > 1,
    }


def _one_a_passage(reads: Iterable[PlateRead]) -> list[PlateRead]:
    """Keep the newest read of each track: a vehicle is read again while it stands there."""
    newest: dict[tuple[str, object], PlateRead] = {}
    for read in reads:
        newest.setdefault((read.source, read.track or read.pk), read)
    return list(newest.values())


def inside(asker: Asker) -> Mapping[str, Any]:
    """People inside every zone against its capacity, the fullest first."""
    zones = zones_inside(asker)
    return {"zones": zones, "several_sites": len({one.zone.site_id for one in zones}) > 1}


def faces(asker: Asker) -> Mapping[str, Any]:
    """The newest faces nobody could name, and how many wait."""
    unknown = asker.rows(UnknownFace.objects, STRANGER_ROLES).still_open()
    newest = Prefetch("sightings", Sighting.objects.select_related("camera")[:1], to_attr="newest")
    shown = unknown.select_related("site", "snapshot").defer("mean").prefetch_related(newest)[:MOST_FACES]
    doubtful = asker.rows(Sighting.objects, FACE_ROLES).awaiting_review().count()
    return {"faces": shown, "total": unknown.count(), "doubtful": doubtful}


def health(asker: Asker) -> Mapping[str, Any]:
    """How cameras, jobs, messages and the disk do, as sentences."""
    expected = [one for one in standings(asker) if one.state != bus.DISABLED]
    away = [one for one in expected if not one.is_live]
    late = set(late_jobs(at=asker.at))
    failed = set(Job.objects.filter(last_result=Job.Result.FAILED).values_list("name", flat=True))
    waiting = Delivery.objects.filter(state__in=("waiting", "sending"), created_at__lt=asker.at - UNDELIVERED_AFTER)
    folder = settings.DATA_DIR if settings.DATA_DIR.exists() else settings.BASE_DIR
    disk = judge_disk(psutil.disk_usage(str(folder)).free)
    return {
        "expected": len(expected),
        "live": len(expected) - len(away),
        "away": away[:MOST_NAMED],
        "more_away": max(0, len(away) - MOST_NAMED),
        "is_running": is_scheduler_running(asker.at),
        "troubled": [(job_words(name), "failed" if name in failed else "late") for name in sorted(late | failed)],
        "undelivered": asker.rows(waiting).count(),
        "disk": disk if disk.level is not Level.OK else None,
    }


def today(asker: Asker) -> Mapping[str, Any]:
    """Who came today, per site."""
    sites = asker.sites_as(DESK)
    found = today_at(sites, asker.at)
    return {"days": [(site, found[site.pk]) for site in sites], "several_sites": len(sites) > 1}


def sites(asker: Asker) -> Mapping[str, Any]:
    """A row for every site."""
    return {"rows": site_rows(asker), "has_desk": asker.may(DESK)}


def queue(asker: Asker) -> Mapping[str, Any]:
    """What waits for HR's word."""
    flags = asker.rows(Flag.objects, DESK).awaiting_review().order_by()
    kinds = [(Kind(kind).label, count) for kind, count in flags.values_list("kind").annotate(count=Count("pk"))]
    periods = asker.rows(PayPeriod.objects, DESK).select_related("site")
    today = asker.at.date()
    return {
        "flags": sum(count for _, count in kinds),
        "kinds": sorted(kinds, key=lambda pair: -pair[1]),
        "corrections": asker.rows(Correction.objects, DESK).pending().count(),
        "doubtful": asker.rows(Sighting.objects, FACE_ROLES).awaiting_review().count(),
        "unknown": asker.rows(UnknownFace.objects, STRANGER_ROLES).still_open().count(),
        "silent": silent_sources(asker.sites_as(DESK), asker.at),
        "to_lock": periods.filter(state=PayPeriod.State.OPEN, last_date__lt=today).order_by("last_date")[:MOST_NAMED],
    }


JOB_WORDS = {
    "alerts.deliver": "Sending of alerts",
    "alerts.escalate": "Escalation of alerts",
    "alerts.publish_events": "Numbering of events",
    "alerts.forget_events": "Clearing of old events",
    "attendance.rebuild": "Attendance days",
    "attendance.finalise": "Closing of attendance days",
    "attendance.watch_limits": "Limits of working hours",
    "identity.check_snapshots": "Check of stored pictures",
    "identity.erase_leavers": "Erasure of leavers’ faces",
    "identity.forget_unknown_faces": "Forgetting of unknown faces",
    "identity.purge_snapshots": "Purge of old pictures",
    "identity.reconcile_faces": "Comparison with the face service",
    "jobs.clear_old_logins": "Clearing of old logins",
    "jobs.heartbeat": "Heartbeat of the worker",
    "occupancy.note_live_cameras": "Notes of live cameras",
    "occupancy.reset_drift": "Drift reset",
    "occupancy.sum_days": "Daily sums of people",
    "occupancy.sum_hours": "Hourly sums of people",
    "occupancy.sum_months": "Monthly sums of people",
    "occupancy.thin_logs": "Thinning of old counts",
    "alerts.watch_jobs": "Watch over the jobs",
    "vehicles.alarm_inside": "Alarms of vehicles blocked while inside",
    "vehicles.close_unseen_visits": "End of visits nobody saw leave",
    "vehicles.settle_openings": "Settling of gate openings",
    "pipeline.catch_up": "Punches of recognised faces",
}


def job_words(name: str) -> str:
    """Return what a job does, in words; one that has none is called by its name."""
    return JOB_WORDS.get(name, name.replace(".", ": ").replace("_", " ").capitalize())
