"""What happens at once, or is killed: two enrolments of one face, and a purge that gets kill -9."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

import factoryai
from factoryai.rest import Refusal
from factoryai.sites.tests.factories import make_site
from identity.models import Face, Snapshot
from identity.services.enrolment import enrol_picture
from identity.tests.factories import make_employee
from identity.tests.photos import photo

ROOT = Path(factoryai.__file__).resolve().parent.parent


@pytest.mark.django_db(transaction=True)
def test_of_two_people_enrolled_with_one_face_at_once_one_is_refused():
    site = make_site()
    outcomes, data, barrier = [], photo(), threading.Barrier(2)

    def enrol(employee):
        barrier.wait()
        try:
            enrol_picture(employee=employee, data=data, by=None, at=timezone.now())
            outcomes.append("enrolled")
        except Refusal as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=enrol, args=(make_employee(site, name),)) for name in ("Ravi", "Amit")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["enrolled", "matches_other_employee"]
    assert Face.objects.count() == 1
    assert Snapshot.objects.filter(state="stored").count() == 1


@pytest.fixture
def installation(tmp_path: Path) -> dict[str, str]:
    """The environment of an installation of its own, migrated."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACTORYAI_TEST")}
    database = f"sqlite:///{tmp_path}/own.sqlite3"
    environment = {**kept, "DATABASE_URL": database, "FACTORYAI_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    manage(environment, "migrate", "--verbosity", "0")
    return environment


def manage(environment: dict[str, str], *command: str) -> str:
    line = [sys.executable, str(ROOT / "manage.py"), *command]
    done = subprocess.run(line, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


FILL = """
import datetime as dt
from factoryai.sites.models import Site
from identity.files import media_files
from identity.models import Snapshot
site = Site.objects.create(slug="pune", name="Pune")
old = dt.datetime.now(dt.UTC) - dt.timedelta(days=100)
rows = Snapshot.objects.bulk_create([
    Snapshot(site=site, kind="sighting", reason="x", captured_at=old, created_at=old, state="stored", size_bytes=100)
    for _ in range(1500)])
for row in rows:
    path = media_files().root / row.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(100))
"""


def test_a_purge_that_is_killed_is_finished_by_the_next_and_no_file_is_left(installation, tmp_path):
    manage(installation, "shell", "--command", FILL)
    media = tmp_path / "media"
    line = [sys.executable, str(ROOT / "manage.py"), "purge_snapshots"]
    purge = subprocess.Popen(line, env=installation, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while count_files(media) == 1500 and time.monotonic() < deadline:
        time.sleep(0.005)
    purge.send_signal(signal.SIGKILL)
    purge.wait()
    left = count_files(media)
    assert 0 < left < 1500
    said = manage(installation, "purge_snapshots")
    deleted, planned = (int(number) for number in re.match(r"Deleted (\d+) of (\d+) planned", said).groups())
    assert (deleted, count_files(media)) == (left, 0)
    assert planned >= left
    rows = sqlite3.connect(tmp_path / "own.sqlite3").execute("SELECT DISTINCT state FROM identity_snapshot").fetchall()
    assert rows == [("deleted",)]
    assert manage(installation, "check_snapshots").startswith("0 rows, 0 files;")


def count_files(folder: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(folder))
