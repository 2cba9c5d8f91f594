"""When each job runs: the one table. Admins may change or switch off a row; `sync_schedule` leaves that alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Every:
    """At a fixed interval of whole seconds."""

    interval: dt.timedelta

    def __str__(self) -> str:
        return f"every {int(self.interval.total_seconds())} s"


@dataclass(frozen=True)
class Cron:
    """At times of the day in ``zone``; fields as in crontab(5)."""

    minute: str = "*"
    hour: str = "*"
    day_of_week: str = "*"
    day_of_month: str = "*"
    month_of_year: str = "*"
    zone: str = "UTC"

    def __str__(self) -> str:
        fields = (self.minute, self.hour, self.day_of_month, self.month_of_year, self.day_of_week)
        return f"cron {' '.join(fields)} {self.zone}"


@dataclass(frozen=True)
class Entry:
    """One line of the schedule: the task's name is the job's name."""

    task: str
    when: Every | Cron
    kwargs: dict[str, Any] = field(default_factory=dict)
    expires: dt.timedelta | None = None
    """A reminder older than this is dropped: after an outage one run is enough."""


def seconds(count: int) -> Every:
    return Every(dt.timedelta(seconds=count))


# Hours and days end at other minutes in other zones (half past in India, a quarter to in Nepal), so sums look often:
# a look that finds nothing costs one query.
SCHEDULE: tuple[Entry, ...] = (
    Entry("jobs.heartbeat", seconds(30), expires=dt.timedelta(seconds=30)),
    Entry("jobs.clear_old_logins", Cron(minute="20", hour="2"), expires=dt.timedelta(hours=12)),
    Entry("alerts.deliver", seconds(10), expires=dt.timedelta(seconds=10)),
    Entry("alerts.escalate", seconds(20), expires=dt.timedelta(seconds=20)),
    Entry("alerts.publish_events", seconds(60), expires=dt.timedelta(seconds=60)),
    Entry("attendance.rebuild", seconds(10), expires=dt.timedelta(seconds=10)),
    Entry("pipeline.catch_up", seconds(300), expires=dt.timedelta(seconds=300)),
    Entry("attendance.finalise", seconds(120), expires=dt.timedelta(seconds=120)),
    Entry("attendance.watch_limits", Cron(minute="10", hour="4"), expires=dt.timedelta(hours=12)),
    Entry("occupancy.note_live_cameras", seconds(60), expires=dt.timedelta(seconds=60)),
    Entry("occupancy.sum_hours", Cron(minute="1,16,31,46"), expires=dt.timedelta(hours=1)),
    Entry("occupancy.sum_days", Cron(minute="6,36"), expires=dt.timedelta(hours=1)),
    Entry("occupancy.sum_months", Cron(minute="11", hour="*"), expires=dt.timedelta(hours=1)),
    Entry("occupancy.reset_drift", Cron(minute="*/5"), expires=dt.timedelta(minutes=5)),
    Entry("occupancy.thin_logs", Cron(minute="50", hour="2"), expires=dt.timedelta(hours=12)),
    Entry("alerts.watch_jobs", seconds(60), expires=dt.timedelta(seconds=60)),
    Entry("vehicles.alarm_inside", seconds(10), expires=dt.timedelta(seconds=10)),
    Entry("vehicles.close_unseen_visits", seconds(120), expires=dt.timedelta(seconds=120)),
    Entry("vehicles.settle_openings", seconds(60), expires=dt.timedelta(seconds=60)),
    Entry("alerts.forget_events", Cron(minute="40", hour="2"), expires=dt.timedelta(hours=12)),
    Entry("identity.check_snapshots", Cron(minute="0", hour="4", day_of_week="0"), expires=dt.timedelta(hours=12)),
    Entry("identity.erase_leavers", Cron(minute="15", hour="3"), expires=dt.timedelta(hours=12)),
    Entry("identity.forget_unknown_faces", Cron(minute="50", hour="2"), expires=dt.timedelta(hours=12)),
    Entry("identity.reconcile_faces", Cron(minute="30", hour="3"), expires=dt.timedelta(hours=12)),
    Entry("identity.purge_snapshots", Cron(minute="10", hour="2"), expires=dt.timedelta(hours=12)),
)
