"""Runs one piece of work in a process of its own, to be killed at any moment: see `test_crashes`.

Started with a work's name a line; forks for each, says the pid, and a line for everything that was acknowledged.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile

import django

LATER = dt.datetime(2026, 4, 15, 12, tzinfo=dt.UTC)
LOT = 25


def ingest() -> None:
    """Record the punches of a day in lots; each lot is acknowledged when it returns."""
    from attendance.models import Source
    from attendance.services.punches import record_punches
    from attendance.tests.test_crashes import rows_to_send
    from identity.models import Employee

    people = {person.pk: person for person in Employee.objects.select_related("site")}
    source = Source.objects.select_related("site").get(name="device:gate")
    rows = rows_to_send()
    for start in range(0, len(rows), LOT):
        record_punches(rows=rows[start : start + LOT], source=source, people=people, at=LATER)
        say(f"acknowledged {start + LOT}")


def rebuild() -> None:
    from attendance.services import rebuild

    rebuild.BATCH = 5
    rebuild.rebuild_dirty(at=LATER)


def review() -> None:
    from django.contrib.auth import get_user_model

    from attendance.models import Flag
    from attendance.services.review import review_flags

    flags = list(Flag.objects.awaiting_review().select_related("day__employee").order_by("pk"))
    by = get_user_model().objects.get(username="meena")
    review_flags(flags=flags, decision="excused", note="Strike on the railway", by=by, at=LATER)


def lock() -> None:
    from django.contrib.auth import get_user_model

    from attendance.models import PayPeriod
    from attendance.services.periods import lock_period

    by = get_user_model().objects.get(username="meena")
    lock_period(period=PayPeriod.objects.get(), by=by, at=LATER, accept_unreviewed=True)


def export() -> None:
    from attendance.export import content_hash, export_xlsx
    from attendance.models import PayPeriod

    period = PayPeriod.objects.get()
    with tempfile.TemporaryFile() as file:
        export_xlsx(period, content_hash(period), file)


WORK = {work.__name__: work for work in (ingest, rebuild, review, lock, export)}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    django.setup()
    from attendance.tests import test_crashes  # noqa: F401 - imported once, before the forks

    say("ready")
    for line in sys.stdin:
        if pid := os.fork():
            os.waitpid(pid, 0)
            say("over")
            continue
        say(f"pid {os.getpid()}")
        WORK[line.strip()]()
        say("done")
        os._exit(0)


if __name__ == "__main__":
    main()
