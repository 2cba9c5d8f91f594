"""Attendance on PostgreSQL: punches in bulk, a month rebuilt, HR's queue and the payroll, each beside the bare SQL.

``python -m bench.attendance [--people 5000] [--days 31] [--records 1000000] [--only ingest rebuild queue export]``
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.real_postgres import Postgres

TODAY = dt.datetime.now(dt.UTC)
FIRST = (TODAY.date().replace(day=1) - dt.timedelta(days=1)).replace(day=1)
"""The month before this one: the lists open on the last days."""

AT = TODAY + dt.timedelta(days=2)
MIB = 1024 * 1024
POSTS = 20
ROWS = 1000


class Peak:
    """The most memory this process has taken while it is watched, in bytes above where it began."""

    def __enter__(self) -> Peak:
        self._process, self._is_over = psutil.Process(), threading.Event()
        self.began = self.most = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._is_over.wait(0.02):
            self.most = max(self.most, self._process.memory_info().rss)

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()


def say(name: str, figure: str, limit: str) -> None:
    print(f"{name:58}{figure:>22}{limit:>32}", flush=True)


def seconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def make_factory(people: int) -> Any:
    """Make a site whose people all work the day shift, and the login of its gate."""
    from django.contrib.auth import get_user_model

    from attendance.models import Assignment, Progress
    from attendance.services.rosters import save_shift
    from factoryai.sites.models import Membership, Role, Site
    from identity.models import Employee

    site = Site.objects.create(slug="bench", name="Bench")
    for name, role in (("gate", Role.DEVICE), ("meena", Role.HR)):
        Membership.objects.create(user=get_user_model().objects.create(username=name), site=site, role=role)
    shift = save_shift(
        site=site,
        name="A",
        fields={"starts_at": dt.time(8), "ends_at": dt.time(17), "effective_from": dt.date(2020, 1, 1)},
        by=None,
        at=AT,
    ).shift
    staff = Employee.objects.bulk_create(
        [Employee(site=site, code=f"E{n:05}", name=f"Person {n}", department=f"Hall {n % 20}") for n in range(people)],
        batch_size=1000,
    )
    Assignment.objects.bulk_create(
        [Assignment(employee=person, shift=shift, from_date=FIRST) for person in staff], batch_size=1000
    )
    Progress.objects.create(site=site, kept_since=FIRST)
    return site


def ingest() -> None:
    """Post rows through the API, then put the same rows into a copy of the table with nothing but SQL."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from rest_framework.test import APIClient

    from attendance.models import DirtyDay, Punch

    client = APIClient()
    client.force_authenticate(get_user_model().objects.get(username="gate"))
    posts = [_rows(number) for number in range(POSTS + 1)]
    _post(client, posts.pop())
    took = seconds(lambda: [_post(client, rows) for rows in posts])
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (LIKE attendance_punch INCLUDING ALL)")
        columns = [c.column for c in Punch._meta.fields if c.column != "id"]
        cursor.execute(f"SELECT {', '.join(columns)} FROM attendance_punch ORDER BY id DESC LIMIT {POSTS * ROWS}")
        kept = cursor.fetchall()
        bare = seconds(lambda: [_insert(cursor, columns, kept[n : n + ROWS]) for n in range(0, len(kept), ROWS)])
        cursor.execute("DROP TABLE bare")
    count = POSTS * ROWS
    share = bare / took
    say("punches a second through the API, 1,000 a post", f"{count / took:,.0f}", "at least 3,000")
    say("  the bare INSERT of the same rows", f"{count / bare:,.0f}", f"the API reaches {share:.0%}")
    Punch.objects.all().delete()
    DirtyDay.objects.all().delete()


def _rows(number: int) -> bytes:
    minute = dt.timedelta(minutes=number)
    at = dt.datetime.combine(FIRST, dt.time(2, 30), dt.UTC) + minute
    rows = [
        {
            "event_id": f"{number}-{n}",
            "site": "bench",
            "employee_code": f"E{n:05}",
            "at": at.isoformat(),
            "direction": "in",
            "source": "gate-1",
        }
        for n in range(ROWS)
    ]
    return json.dumps(rows).encode()


def _post(client: Any, rows: bytes) -> None:
    answer = client.post("/api/v1/attendance/punches", rows, content_type="application/json")
    if answer.json()["accepted"] != ROWS:
        raise SystemExit(f"Not taken: {answer.content[:300]!r}")


def _insert(cursor: Any, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    line = f"({', '.join(['%s'] * len(columns))})"
    values = [value for row in rows for value in row]
    cursor.execute(f"INSERT INTO bare ({', '.join(columns)}) VALUES {', '.join([line] * len(rows))}", values)


def fill_punches(site: Any, days: int) -> None:
    """Four punches a person and day by SQL: in, out to lunch, back, home; a ninth late, a ninth leaving early."""
    from django.db import connection

    from attendance.models import Source

    source = Source.objects.create(site=site, name="fill", kind=Source.Kind.DEVICE)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO attendance_punch (employee_id, at, offset_minutes, received_at, source_id, direction, event_id,
                                          is_doubtful, place)
            SELECT e.id, (%s::date + d)::timestamp at time zone 'Asia/Kolkata' + p.at
                         + (((e.id * 7 + d * 13) %% 18) || ' minutes')::interval, 330, now(), %s, p.way,
                   e.id || '-' || d || '-' || p.n, false, 'Gate 1'
            FROM identity_employee e, generate_series(0, %s) d,
                 (VALUES (0, interval '7 hours 49 minutes', 'in'), (1, interval '12 hours', 'out'),
                         (2, interval '12 hours 40 minutes', 'in'), (3, interval '16 hours 58 minutes', 'out'))
                 AS p (n, at, way)
            """,
            [FIRST, source.pk, days - 1],
        )
        cursor.execute("ANALYZE")


def rebuild(site: Any, days: int) -> None:
    """Derive everything from nothing, then once more, when nothing is different."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from attendance.models import DayRecord
    from attendance.services.rebuild import BATCH, rebuild_people, rebuild_site
    from identity.models import Employee

    last = FIRST + dt.timedelta(days=days - 1)
    with Peak() as peak:
        took = seconds(lambda: rebuild_site(site=site, first=FIRST, last=last, at=AT))
    count = DayRecord.objects.count()
    say(f"{Employee.objects.count():,} people x {days} days x 4 punches rebuilt, s", f"{took:.1f}", "at most 60")
    say("  memory at its peak, MiB", f"{peak.most / MIB:.0f}", "at most 1,024")
    with connection.cursor() as cursor:
        bare = seconds(
            lambda: cursor.execute(
                "CREATE TABLE bare_days AS SELECT employee_id, (at at time zone 'Asia/Kolkata')::date AS day, min(at),"
                " max(at), count(*) FROM attendance_punch GROUP BY 1, 2"
            )
        )
        cursor.execute("DROP TABLE bare_days")
    say("  bare SQL: first and last by person and day, s", f"{bare:.1f}", f"{count:,} records")
    again = seconds(lambda: rebuild_site(site=site, first=FIRST, last=last, at=AT))
    say("  once more, nothing different, s", f"{again:.1f}", "")
    people = list(Employee.objects.order_by("pk").values_list("pk", flat=True)[:BATCH])
    for size in (10, BATCH):
        with CaptureQueriesContext(connection) as caught:
            rebuild_people(site=site.pk, employees=people[:size], first=FIRST, last=last, at=AT)
        say(f"  queries for a batch of {size}", f"{len(caught)}", "the same for any number")


def queue(records: int) -> None:
    """Open HR's queue with so many day records behind it."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from attendance.models import DayRecord, Flag

    _multiply(records)
    client = Client()
    client.force_login(get_user_model().objects.get(username="meena"))
    for path in ("flag", "dayrecord"):
        client.get(f"/admin/attendance/{path}/")
        with CaptureQueriesContext(connection) as caught:
            answer = client.get(f"/admin/attendance/{path}/")
        if answer.status_code != 200:
            raise SystemExit(f"The list answers {answer.status_code}")
        spent = sum(float(query["time"]) for query in caught.captured_queries) * 1000
        name = f"{path} list, {DayRecord.objects.count():,} records, {Flag.objects.count():,} flags"
        say(f"{name}: queries", f"{len(caught)}", "at most 20")
        say("  database time of the first page, ms", f"{spent:.0f}", "at most 300")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM sites_site")
        site = cursor.fetchone()[0]
        bare = seconds(
            lambda: cursor.execute(
                "SELECT * FROM attendance_flag WHERE site_id = %s AND review = 'pending'"
                " ORDER BY shift_date DESC, id DESC LIMIT 50",
                [site],
            )
        )
    say("  bare SQL: the rows of that page, ms", f"{bare * 1000:.1f}", "")


def _multiply(records: int) -> None:
    """Copy the rebuilt month backwards in time until there are enough records, flags with them."""
    from django.db import connection

    from attendance.models import DayRecord, Flag

    days = ", ".join(f.column for f in DayRecord._meta.fields if f.column not in ("id", "slot", "shift_date"))
    flags = ", ".join(f.column for f in Flag._meta.fields if f.column not in ("id", "day_id", "shift_date", "review"))
    have, step = DayRecord.objects.count(), 0
    with connection.cursor() as cursor:
        while have * (step + 1) < records:
            step += 1
            back = 40 * step
            cursor.execute(
                f"INSERT INTO attendance_dayrecord (slot, shift_date, {days}) SELECT slot || '#{step}',"
                f" shift_date - {back}, {days} FROM attendance_dayrecord WHERE position('#' in slot) = 0"
            )
            cursor.execute(
                f"INSERT INTO attendance_flag (day_id, shift_date, review, {flags})"
                f" SELECT n.id, f.shift_date - {back}, 'confirmed', {', '.join('f.' + c for c in flags.split(', '))}"
                " FROM attendance_flag f JOIN attendance_dayrecord o ON o.id = f.day_id AND position('#' in o.slot) = 0"
                f" JOIN attendance_dayrecord n ON n.employee_id = o.employee_id AND n.slot = o.slot || '#{step}'"
            )
        cursor.execute("ANALYZE")


def export(site: Any, days: int) -> None:
    """Write the payroll of the month both ways, each in a process of its own: memory of earlier work stays apart."""
    from attendance.models import PayPeriod

    last = FIRST + dt.timedelta(days=days - 1)
    period = PayPeriod.objects.create(site=site, first_date=FIRST, last_date=last)
    for kind in ("csv", "xlsx"):
        command = [sys.executable, "-m", "bench.attendance", "--write", kind, str(period.pk)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        took, size, memory = (float(figure) for figure in done.stdout.split())
        say(f"payroll as {kind}, {size / MIB:.1f} MiB, s", f"{took:.1f}", "")
        say("  memory above the start, MiB", f"{memory / MIB:.0f}", "at most 150")


def write(kind: str, pk: str) -> None:
    """Write one payroll in the database of the environment; print seconds, size and memory in bytes."""
    import django

    django.setup()
    from attendance.export import content_hash, export_csv, export_xlsx
    from attendance.models import PayPeriod

    period = PayPeriod.objects.select_related("site").get(pk=pk)
    make = {"csv": export_csv, "xlsx": export_xlsx}[kind]
    with tempfile.TemporaryFile() as file, Peak() as peak:
        took = seconds(lambda: make(period, content_hash(period), file))
        size = file.seek(0, os.SEEK_END)
    print(took, size, peak.most - peak.began)


@contextmanager
def database() -> Iterator[None]:
    """A PostgreSQL of its own, with every table in it; durable writes are off, on both sides of each comparison."""
    with tempfile.TemporaryDirectory(prefix="factoryai-bench-") as folder:
        server = Postgres(Path(folder) / "postgres")
        server.start()
        os.environ.update(
            DATABASE_URL=server.url, DJANGO_SETTINGS_MODULE="factoryai.settings", FACTORYAI_DATA_DIR=folder
        )
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        try:
            yield
        finally:
            server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=5000)
    parser.add_argument("--days", type=int, default=31)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="*", default=["ingest", "rebuild", "queue", "export"])
    parser.add_argument("--write", nargs=2, metavar=("KIND", "PERIOD"), help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.write:
        write(*wanted.write)
        return
    say("", "measured", "wanted or beside it")
    with database():
        site = make_factory(wanted.people)
        if "ingest" in wanted.only:
            ingest()
        fill_punches(site, wanted.days)
        rebuild(site, wanted.days)
        if "export" in wanted.only:
            export(site, wanted.days)
        if "queue" in wanted.only:
            queue(wanted.records)


if __name__ == "__main__":
    main()
