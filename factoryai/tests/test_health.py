"""`/api/health` answers in time, `/metrics` tells names only to who may know them, `/docs` works offline."""

from __future__ import annotations

import asyncio
import datetime as dt
import socket

import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.test import AsyncClient, Client
from django.utils import timezone
from rest_framework_simplejwt.tokens import RefreshToken

from factoryai.figures import camera_states
from factoryai.health import CHECKS, Finding, Level, judge_cameras, judge_disk, overall, run_checks
from factoryai.jobs.services import beat_ticked
from factoryai.sites.tests.factories import make_people
from streaming.models import Camera, CameraStatus

GB = 1024**3


def findings(**changes: Level) -> dict[str, Finding]:
    return {name: Finding(changes.get(name, Level.OK), "") for name in CHECKS}


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        pytest.param({}, Level.OK, id="all well"),
        pytest.param({"database": Level.DOWN}, Level.DOWN, id="nothing is recorded without the database"),
        pytest.param({"broker": Level.DOWN}, Level.DEGRADED, id="facts are recorded without the broker"),
        pytest.param({"scheduler": Level.DEGRADED}, Level.DEGRADED, id="late reminders"),
        pytest.param({"cameras": Level.DEGRADED}, Level.DEGRADED, id="a camera is away"),
        pytest.param({"disk": Level.DOWN}, Level.DOWN, id="nothing is recorded on a full disk"),
        pytest.param({"disk": Level.DEGRADED}, Level.DEGRADED, id="a disk that is nearly full"),
    ],
)
def test_what_the_whole_is_worth(changes, level):
    assert overall(findings(**changes)) is level


@pytest.mark.parametrize(
    ("free", "level"),
    [(100 * GB, Level.OK), (2 * GB, Level.OK), (2 * GB - 1, Level.DEGRADED), (1024, Level.DOWN)],
)
def test_the_disk_warns_before_it_is_full(free, level):
    assert judge_disk(free).level is level


@pytest.mark.parametrize(
    ("states", "level"),
    [
        pytest.param({}, Level.OK, id="no camera"),
        pytest.param({"disabled": 3}, Level.OK, id="all switched off"),
        pytest.param({"live": 2, "disabled": 1}, Level.OK, id="all live"),
        pytest.param({"live": 2, "stale": 1}, Level.DEGRADED, id="one frozen"),
        pytest.param({"offline": 1}, Level.DEGRADED, id="one away"),
    ],
)
def test_cameras_are_well_when_all_that_are_on_are_live(states, level):
    assert judge_cameras(states).level is level


async def test_a_check_that_hangs_or_fails_says_so_without_its_secrets():
    async def hangs() -> Finding:
        await asyncio.sleep(60)
        raise AssertionError

    async def fails() -> Finding:
        raise OSError("rtsp://admin:Canary-7f3@camera")

    found = await run_checks({"hangs": hangs, "fails": fails})
    assert found["hangs"] == Finding(Level.DOWN, "Does not answer.")
    assert found["fails"] == Finding(Level.DOWN, "Fails (OSError).")


@pytest.mark.django_db(transaction=True)
async def test_health_needs_no_login_and_names_every_part():
    await sync_to_async(beat_ticked)(at=timezone.now())
    answer = await AsyncClient().get("/api/health")
    body = answer.json()
    assert answer.status_code == 200
    assert body["status"] in {"ok", "degraded"}
    assert body["checks"].keys() == {"database", "broker", "scheduler", "cameras", "disk"}
    assert body["checks"]["broker"]["status"] == "ok"
    assert body["checks"]["scheduler"]["status"] == "ok"


@pytest.mark.django_db(transaction=True)
async def test_a_scheduler_that_stands_still_degrades_it():
    await sync_to_async(beat_ticked)(at=timezone.now() - dt.timedelta(minutes=5))
    body = (await AsyncClient().get("/api/health")).json()
    assert (body["status"], body["checks"]["scheduler"]["status"]) == ("degraded", "degraded")


@pytest.mark.django_db(transaction=True)
async def test_a_redis_that_swallows_everything_does_not_hold_the_answer(settings):
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        settings.REDIS_URL = f"redis://127.0.0.1:{black_hole.getsockname()[1]}/0"
        body = (await AsyncClient().get("/api/health")).json()
    assert body["checks"]["broker"]["status"] == "down"
    assert body["checks"]["database"]["status"] == "ok"


@pytest.fixture
def people(db):
    people = make_people()
    for site in (people.site, people.other_site):
        camera = Camera.objects.create(site=site, slug=f"{site.slug}-gate", name="Gate", address="rtsp://10.0.0.1/s")
        now = timezone.now()
        soon = now + dt.timedelta(minutes=1)
        CameraStatus.objects.create(
            camera=camera, state="live", leased_until=soon, people=3, frame_at=now, updated_at=now
        )
    return people


def test_anybody_reads_totals_and_no_name(people):
    text = Client().get("/metrics").content.decode()
    assert 'factoryai_cameras{state="live"} 2.0' in text
    assert "factoryai_scheduler_running 0.0" in text
    assert "pune" not in text


def test_the_cameras_of_a_closed_site_do_not_count(people):
    people.other_site.is_active = False
    people.other_site.save()
    assert camera_states() == {"live": 1}


def test_a_camera_whose_process_fell_silent_is_not_live(people):
    CameraStatus.objects.update(frame_at=timezone.now() - dt.timedelta(seconds=20))
    CameraStatus.objects.update(updated_at=timezone.now() - dt.timedelta(seconds=20))
    assert camera_states() == {"stale": 2}


def test_a_person_reads_the_figures_of_the_cameras_they_may_watch(people):
    token = RefreshToken.for_user(people.farid).access_token
    text = Client().get("/metrics", HTTP_AUTHORIZATION=f"Bearer {token}").content.decode()
    assert 'factoryai_camera_people{camera="pune-gate",site="pune"} 3.0' in text
    assert "chennai" not in text


def test_the_superuser_reads_all_and_the_device_none(people):
    for user, seen in ((people.root, True), (people.gate, False), (people.stranger, False)):
        client = Client()
        client.force_login(user)
        assert ("pune-gate" in client.get("/metrics").content.decode()) is seen


def test_a_camera_whose_process_is_gone_counts_as_offline(people):
    long_ago = timezone.now() - dt.timedelta(minutes=2)
    CameraStatus.objects.update(leased_until=long_ago, frame_at=long_ago, updated_at=long_ago)
    assert 'factoryai_cameras{state="offline"} 2.0' in Client().get("/metrics").content.decode()


@pytest.mark.django_db
def test_the_schema_is_valid_without_a_warning(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


@pytest.mark.django_db
def test_the_documents_load_nothing_from_elsewhere():
    text = Client().get("/docs").content.decode()
    assert "swagger-ui" in text
    assert "https://" not in text
    assert "<script>" not in text


@pytest.mark.django_db
def test_the_schema_says_what_errors_look_like():
    text = Client().get("/api/schema").content.decode()
    assert "too_many_attempts" in text
    assert "already_acknowledged" in text
