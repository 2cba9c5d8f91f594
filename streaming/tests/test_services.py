"""Leases, states and outages with a real database."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from factoryai.alerts.models import Alert
from factoryai.sites.tests.factories import make_site
from streaming.models import Camera, CameraStatus
from streaming.rules import Notice, State
from streaming.services import Lease, keep_status, lease_cameras, release_cameras, tell_outage
from streaming.tests.factories import make_camera
from streaming.worker import Figures

LIVE = Figures(State.LIVE, 1_700_000_000.0, 25.0, 10.0, 5.0, 1, "", 2, 1)


@pytest.fixture
def cameras(db: None) -> list[Camera]:
    site = make_site()
    return [make_camera(site, f"cam-{n}") for n in range(3)]


def slugs(found: list[Lease]) -> list[str]:
    return sorted(lease.camera.slug for lease in found)


def test_a_process_takes_the_free_cameras_and_another_gets_none(cameras: list[Camera]) -> None:
    now = timezone.now()
    assert slugs(lease_cameras(worker="a", at=now)) == ["cam-0", "cam-1", "cam-2"]
    assert lease_cameras(worker="b", at=now + timedelta(seconds=14)) == []


def test_a_process_that_stopped_renewing_is_taken_over_from(cameras: list[Camera]) -> None:
    now = timezone.now()
    lease_cameras(worker="a", at=now)
    assert len(lease_cameras(worker="b", at=now + timedelta(seconds=16))) == 3
    assert lease_cameras(worker="a", at=now + timedelta(seconds=17)) == []


def test_a_process_that_renews_keeps_its_cameras(cameras: list[Camera]) -> None:
    now = timezone.now()
    for second in range(0, 60, 5):
        assert len(lease_cameras(worker="a", at=now + timedelta(seconds=second))) == 3
        assert lease_cameras(worker="b", at=now + timedelta(seconds=second + 1)) == []


def test_released_cameras_are_free_at_once(cameras: list[Camera]) -> None:
    now = timezone.now()
    lease_cameras(worker="a", at=now)
    assert release_cameras(worker="a") == 3
    assert len(lease_cameras(worker="b", at=now)) == 3


def test_a_limit_leaves_the_rest_to_others_and_holds_on_renewal(cameras: list[Camera]) -> None:
    now = timezone.now()
    first = slugs(lease_cameras(worker="a", at=now, limit=2))
    assert slugs(lease_cameras(worker="a", at=now, limit=2)) == first
    assert len(lease_cameras(worker="b", at=now, limit=2)) == 1


def test_a_disabled_camera_and_one_of_a_closed_site_are_given_up(cameras: list[Camera]) -> None:
    now = timezone.now()
    lease_cameras(worker="a", at=now)
    Camera.objects.filter(slug="cam-0").update(is_enabled=False)
    assert slugs(lease_cameras(worker="a", at=now)) == ["cam-1", "cam-2"]
    assert CameraStatus.objects.get(camera__slug="cam-0").worker == ""
    cameras[0].site.is_active = False
    cameras[0].site.save()
    assert lease_cameras(worker="a", at=now) == []


@pytest.mark.django_db(transaction=True)
def test_processes_that_ask_at_once_never_share_a_camera() -> None:
    site, now = make_site(), timezone.now()
    for n in range(12):
        make_camera(site, f"cam-{n}")
    taken: list[list[str]] = []
    barrier = threading.Barrier(6)

    def ask(worker: str) -> None:
        try:
            barrier.wait()
            taken.append(slugs(lease_cameras(worker=worker, at=now, limit=4)))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask, args=(f"w{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [slug for found in taken for slug in found]
    assert len(held) == len(set(held))
    assert CameraStatus.objects.exclude(worker="").count() == len(held)


def test_the_state_is_written_with_its_figures_and_the_change_is_an_event(cameras: list[Camera]) -> None:
    now = timezone.now()
    lease_cameras(worker="a", at=now)
    keep_status(worker="a", figures={cameras[0].pk: LIVE}, at=now)
    keep_status(worker="a", figures={cameras[0].pk: LIVE}, at=now + timedelta(seconds=2))
    row = CameraStatus.objects.get(camera=cameras[0])
    assert (row.state, row.since, row.people, row.source_fps) == ("live", now, 2, 25.0)
    assert cameras[0].site.events.filter(kind="camera").count() == 1


def test_a_process_that_lost_a_camera_does_not_write_its_state(cameras: list[Camera]) -> None:
    now = timezone.now()
    lease_cameras(worker="a", at=now)
    lease_cameras(worker="b", at=now + timedelta(seconds=16))
    keep_status(worker="a", figures={cameras[0].pk: LIVE}, at=now)
    assert CameraStatus.objects.get(camera=cameras[0]).state == "offline"


def test_an_outage_is_one_alert_until_the_camera_is_back(cameras: list[Camera]) -> None:
    now = timezone.now()
    for _ in range(2):
        tell_outage(camera=cameras[0], notice=Notice.WENT_OFFLINE, reason="The camera is off.", at=now)
    alert = Alert.objects.get()
    assert (alert.kind, alert.severity, alert.is_open) == ("camera_offline", "warning", True)
    tell_outage(camera=cameras[0], notice=Notice.CAME_BACK, reason="", at=now + timedelta(minutes=5))
    alert.refresh_from_db()
    assert not alert.is_open
    assert Alert.objects.filter(kind="camera_back").count() == 1


def test_being_back_without_an_outage_says_nothing(cameras: list[Camera]) -> None:
    tell_outage(camera=cameras[0], notice=Notice.CAME_BACK, reason="", at=timezone.now())
    assert not Alert.objects.exists()


def test_a_password_is_cipher_text_in_the_database(cameras: list[Camera]) -> None:
    Camera.objects.filter(pk=cameras[0].pk).delete()
    camera = make_camera(make_site(), "sealed", username="viewer", password="Canary-7f3")
    with connection.cursor() as cursor:
        cursor.execute("SELECT username, password FROM streaming_camera WHERE slug = 'sealed'")
        stored = cursor.fetchone()
    assert not any(word in text for text in stored for word in ("viewer", "Canary"))
    camera.refresh_from_db()
    assert (camera.username, camera.password) == ("viewer", "Canary-7f3")
