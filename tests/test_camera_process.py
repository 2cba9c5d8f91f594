"""The camera process as it ships, with a real database, Redis and RTSP cameras: leases, changes, outages, no leaks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import redis
from django.conf import settings
from django.core import serializers
from django.db import connection

from factoryai.sites.tests.factories import api_client, make_people
from streaming import bus
from streaming.models import Camera, CameraStatus
from streaming.services import set_source
from streaming.sources import Allowance, parse_source
from streaming.tests.factories import make_camera
from tests.rtsp import rtsp_camera

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 60
CANARY = "Canary-7f3 €/x"


def wait_for(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def database_url() -> str:
    """Return the address of the test database, as the settings take it."""
    wanted = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{wanted['NAME']}"
    return f"postgresql://{wanted['USER']}:{wanted['PASSWORD']}@{wanted['HOST']}:{wanted['PORT']}/{wanted['NAME']}"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """Start camera processes on the test database; each writes its log to ``cameras-<n>.log``."""
    started: list[subprocess.Popen] = []

    def start(*options: str) -> subprocess.Popen:
        environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "FACTORYAI_CAMERA_NETWORKS": "127.0.0.0/8",
            "FACTORYAI_DATA_DIR": str(tmp_path),
        }
        with (tmp_path / f"cameras-{len(started)}.log").open("wb") as log:
            command = [sys.executable, "manage.py", "run_cameras", *options]
            started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def state_of(slug: str) -> str:
    row = CameraStatus.objects.filter(camera__slug=slug).first()
    return row.state if row else ""


def add(site: object, slug: str, url: str, **fields: object) -> Camera:
    camera = make_camera(site, slug, **fields)
    set_source(camera, parse_source(url, Allowance()))
    camera.save()
    return camera


def test_a_camera_is_found_changed_switched_off_and_given_back(run: Callable) -> None:
    people = make_people()
    with rtsp_camera(size=(320, 240), fps=10) as first, rtsp_camera(size=(640, 480), fps=10) as second:
        add(people.site, "dock", first.url)
        process = run()
        wait_for(lambda: state_of("dock") == "live", "the camera does not come up")
        client = redis.Redis.from_url(settings.REDIS_URL)
        wait_for(lambda: client.get(bus.last_key("dock")), "no last picture")

        camera = Camera.objects.get(slug="dock")
        set_source(camera, parse_source(second.url, Allowance()))
        camera.save()
        wait_for(
            lambda: bus.decode_message(client.get(bus.last_key("dock")))[0].width == 640, "the change is not taken up"
        )
        api_client(people.kavita).patch("/api/v1/cameras/dock", {"is_enabled": False})
        wait_for(lambda: CameraStatus.objects.get(camera=camera).worker == "", "the lease is not given up")
        wait_for(lambda: not psutil.Process(process.pid).children(), "the reader outlives the lease")

        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_another_process_takes_over_from_one_that_was_killed(run: Callable) -> None:
    people = make_people()
    with rtsp_camera(size=(320, 240), fps=10) as camera:
        add(people.site, "dock", camera.url)
        first = run()
        wait_for(lambda: state_of("dock") == "live", "the camera does not come up")
        holder = CameraStatus.objects.get().worker
        run()
        readers = psutil.Process(first.pid).children(recursive=True)
        first.kill()
        first.wait()
        wait_for(lambda: not any(reader.is_running() for reader in readers), "a reader outlived its process")
        wait_for(lambda: CameraStatus.objects.get().worker not in {"", holder}, "nobody took over")
        wait_for(lambda: state_of("dock") == "live", "the camera does not come back")


def test_a_row_that_makes_no_sense_stops_no_other_camera(run: Callable) -> None:
    people = make_people()
    make_camera(people.site, "yard", address="demo:gate")
    make_camera(people.site, "dock", address="demo:gate", zones=[{"points": "everywhere"}])
    run()
    wait_for(lambda: state_of("yard") == "live", "the sound camera does not come up")
    wait_for(lambda: "set up" in CameraStatus.objects.get(camera__slug="dock").last_error, "the reason is not told")


def test_drawings_are_taken_over_without_a_new_reader(run: Callable) -> None:
    people = make_people()
    make_camera(people.site, "yard", address="demo:gate")
    process = run()
    wait_for(lambda: state_of("yard") == "live", "the scene does not come up")
    readers = psutil.Process(process.pid).children()
    client = redis.Redis.from_url(settings.REDIS_URL)
    mask = {"privacy_masks": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}
    assert api_client(people.kavita).patch("/api/v1/cameras/yard", mask).status_code == 200
    wait_for(lambda: len(client.get(bus.last_key("yard"))) < 30_000, "the mask is not taken over")
    assert psutil.Process(process.pid).children() == readers


def test_only_the_cameras_asked_for_are_taken(run: Callable) -> None:
    people = make_people()
    for slug in ("dock", "yard"):
        make_camera(people.site, slug, address="demo:gate")
    run("--camera", "yard")
    wait_for(lambda: state_of("yard") == "live", "the scene does not come up")
    assert CameraStatus.objects.get(camera__slug="dock").worker == ""


def test_a_password_is_found_nowhere_while_the_camera_works_and_fails(run: Callable, tmp_path: Path) -> None:
    people = make_people()
    with rtsp_camera(size=(320, 240), fps=10, user="viewer", password=CANARY) as camera:
        added = add(people.site, "dock", camera.url)
        process = run()
        wait_for(lambda: state_of("dock") == "live", "the camera does not come up")
        children = psutil.Process(process.pid).children(recursive=True)
        seen = [str((child.cmdline(), child.environ())) for child in children]
        camera.restart(password="another")
        wait_for(lambda: "password" in CameraStatus.objects.get().last_error, "the reason is not told")
        camera.restart(fault="silent")
        wait_for(lambda: "did not answer" in CameraStatus.objects.get().last_error, "the reason is not told")

    client, admin = api_client(people.kavita), api_client()
    admin.force_login(people.root)
    for path in ("/api/v1/cameras", "/api/v1/cameras/dock", "/api/v1/cameras/dock/status", "/api/v1/alerts"):
        seen.append(client.get(path).content.decode())
    refused = client.patch("/api/v1/cameras/dock", {"url": f"rtsp://viewer:{CANARY}@bad host/"})
    seen.append(refused.content.decode())
    for path in ("/", "/cameras/dock/", "/admin/streaming/camera/", f"/admin/streaming/camera/{added.pk}/change/"):
        answer = admin.get(path)
        assert answer.status_code == 200
        seen.append(answer.content.decode())
    seen.extend(path.read_text(errors="replace") for path in tmp_path.glob("*.log"))
    store = redis.Redis.from_url(settings.REDIS_URL)
    seen.extend(str(store.dump(key)) for key in store.scan_iter())
    seen.append(serializers.serialize("json", CameraStatus.objects.all()))
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            seen.append(str(cursor.fetchall()))
    assert len(seen) > 20
    assert not [text[:200] for text in seen if "Canary" in text]
