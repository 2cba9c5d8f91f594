"""Sums, ingest and the day's chart, on PostgreSQL.

``python -m bench.occupancy [--logs 200000] [--zones 200] [--old 10000000] [--posts 20]``

One hour of logs is summed beside the bare ``INSERT … SELECT … GROUP BY`` of the same; then again with old rows behind
it; logs are posted through the API by a device, in bulks of 1,000; the page of a day is drawn.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.real_postgres import Postgres

START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
FILL = """
INSERT INTO occupancy_log (zone_id, source, event_id, at, at_us, received_at, kind, step, reason, line)
SELECT z.id, 'bench', '{name}' || n, to_timestamp(us / 1e6), us, now(), CASE WHEN n %% 2 = 0 THEN 'in' ELSE 'out' END,
    CASE WHEN n %% 2 = 0 THEN 1 ELSE -1 END, '', ''
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM occupancy_zone) z,
    LATERAL (SELECT n, %(first)s + (n * %(gap)s)::bigint AS us FROM generate_series(0, %(each)s - 1) n) logs
"""


def fill(name: str, first: int, length_us: int, count: int, zones: int, *, is_known: bool = True) -> None:
    """Write ``count`` logs, spread evenly over the zones and over ``length_us`` from ``first``.

    Without ``is_known`` the planner's statistics are those of before, as for an hour that has only just ended.
    """
    from django.db import connection

    each = count // zones
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(name=name), {"first": first, "gap": length_us / each, "each": each})
        if is_known:
            cursor.execute("ANALYZE")


def best(act: Callable[[], object], before: Callable[[], object], passes: int = 5) -> float:
    """Return the seconds of the fastest of several passes, each on a fresh hour."""
    found = float("inf")
    for _ in range(passes):
        before()
        began = time.perf_counter()
        act()
        found = min(found, time.perf_counter() - began)
    return found


def measure(start: datetime = START) -> tuple[float, float]:
    """Return the seconds of the summing of the hour from ``start``, and of the bare statement."""
    from django.db import connection

    from occupancy.models import Hour, Zone, microseconds
    from occupancy.services.statements import HOURS_FROM_LOGS
    from occupancy.services.sums import sum_hours

    ids = ",".join(map(str, Zone.objects.values_list("pk", flat=True)))
    values = {"start": start, "end": start + HOUR, "date": start.date()}
    values |= {"start_us": microseconds(start), "end_us": microseconds(start + HOUR)}

    def bare() -> None:
        with connection.cursor() as cursor:
            cursor.execute(HOURS_FROM_LOGS.split("ON CONFLICT")[0].replace("__ZONES__", ids), values)

    def again() -> None:
        Hour.objects.all().delete()
        Zone.objects.update(summed_until=start)

    ours = best(lambda: sum_hours(at=start + HOUR), again)
    assert Hour.objects.count() == Zone.objects.count()
    return ours, best(bare, again)


def ingest(posts: int) -> tuple[float, float, int]:
    """Return the seconds of posts of 1,000 logs through the API, by the clock and of this process, and the queries."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from rest_framework.test import APIClient
    from rest_framework_simplejwt.tokens import AccessToken

    from factoryai.sites.models import Membership, Role, Site
    from occupancy.models import Zone

    device = get_user_model().objects.create(username="gate")
    Membership.objects.create(user=device, site=Site.objects.get(), role=Role.DEVICE)
    zones, client = list(Zone.objects.values_list("pk", flat=True)), APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {AccessToken.for_user(device)}")

    def post(number: int) -> None:
        at = START + 2 * HOUR
        rows = [
            {
                "event_id": f"{number}-{n}",
                "zone": zones[n % len(zones)],
                "at": (at + timedelta(milliseconds=n)).isoformat(),
                "kind": "in" if n % 2 else "out",
            }
            for n in range(1000)
        ]
        answer = client.post("/api/v1/occupancy/logs", rows, format="json")
        assert answer.json()["accepted"] == 1000, answer.json()

    post(0)
    began, worked = time.perf_counter(), time.process_time()
    for number in range(1, posts + 1):
        post(number)
    took, worked = time.perf_counter() - began, time.process_time() - worked
    with CaptureQueriesContext(connection) as queries:
        post(posts + 1)
    return took, worked, len(queries)


def chart() -> tuple[float, int]:
    """Return the seconds that this process works for the page of a day, and its queries."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from occupancy.models import Zone

    client, zone = Client(), Zone.objects.first()
    client.force_login(get_user_model().objects.create_superuser("boss"))
    address = f"/occupancy/{zone.pk}/?date={START.date()}"

    def look() -> None:
        assert client.get(address).status_code == 200

    look()
    found = float("inf")
    for _ in range(10):
        began = time.process_time()
        look()
        found = min(found, time.process_time() - began)
    with CaptureQueriesContext(connection) as queries:
        look()
    return found, len(queries)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=200_000)
    parser.add_argument("--zones", type=int, default=200)
    parser.add_argument("--old", type=int, default=10_000_000)
    parser.add_argument("--posts", type=int, default=20)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder) / "postgres")
        server.start()
        try:
            os.environ["DATABASE_URL"] = server.url
            run(wish)
        finally:
            from django.db import connections

            connections.close_all()
            server.stop()


def run(wish: argparse.Namespace) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factoryai.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from factoryai.sites.models import Site
    from occupancy.models import Zone, microseconds

    call_command("migrate", verbosity=0)
    site = Site.objects.create(slug="bench", name="Bench")
    Zone.objects.bulk_create(Zone(site=site, name=f"Zone {n}") for n in range(wish.zones))
    fill("hour", microseconds(START), 3_600_000_000, wish.logs, wish.zones)
    ours, bare = measure()
    print(f"{wish.logs:,} logs, {wish.zones} zones: {ours * 1e3:.0f} ms; bare {bare * 1e3:.0f} ms; x {ours / bare:.2f}")
    year = timedelta(days=365)
    fill("old", microseconds(START - year), 364 * 86_400_000_000, wish.old, wish.zones)
    later, _ = measure()
    print(f"with {wish.old:,} old rows: {later * 1e3:.0f} ms ({(later / ours - 1) * 100:+.0f} %)")
    fill("next", microseconds(START + HOUR), 3_600_000_000, wish.logs, wish.zones, is_known=False)
    fresh, _ = measure(START + HOUR)
    print(
        f"an hour that the planner's statistics do not know: {fresh * 1e3:.0f} ms ({(fresh / ours - 1) * 100:+.0f} %)"
    )
    took, worked, queries = ingest(wish.posts)
    logs = wish.posts * 1000
    print(f"ingest: {logs / took:,.0f} logs a second through the API ({logs / worked:,.0f} a second of its own work),")
    print(f"    {queries} queries a bulk of 1,000")
    took, queries = chart()
    print(f"page of a day: {took * 1e3:.1f} ms of Python, {queries} queries")


if __name__ == "__main__":
    main()
