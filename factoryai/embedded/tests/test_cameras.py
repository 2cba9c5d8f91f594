"""Cameras of the demonstration and of the command line."""

from __future__ import annotations

import pytest
from django.db import connection
from django.utils import timezone

from factoryai.embedded import cameras, logins
from factoryai.embedded.errors import CannotStartError
from factoryai.sites.models import Site
from occupancy.models import Zone, ZoneLine
from streaming.models import Camera
from streaming.scenes.entrance import LOOP_S, WALKERS

GATE = "gate=rtsp://guard:s3cret@192.168.1.20:8554/stream1"


@pytest.fixture
def demo(db, tmp_path) -> Site:
    site = logins.turn_demo_on(tmp_path)
    cameras.add_demo_cameras(site, at=timezone.now())
    return site


SCENES = {"street", "gate", "entrance", "door"}


def test_the_demonstration_has_a_camera_for_every_scene(demo):
    assert set(cameras.enabled_slugs()) == SCENES
    assert set(Camera.objects.values_list("address", flat=True)) == {f"demo:{scene}" for scene in SCENES}


def test_the_hall_is_not_empty_when_the_demonstration_begins_and_its_loop_ends_as_it_began(demo):
    """Whoever of the loop goes first, it is nobody too few; what comes in goes out again."""
    zone = Zone.objects.with_counts().get(site=demo)
    comes_in = [walker.path[0][1] > walker.path[-1][1] for walker in WALKERS]
    assert zone.raw_count > comes_in.count(False)
    assert (comes_in.count(True), LOOP_S) == (comes_in.count(False), 30)
    assert [(log.kind, log.source) for log in zone.logs.all()] == [("count", "demo")]
    cameras.add_demo_cameras(demo, at=timezone.now())
    assert zone.logs.count() == 1


def test_a_demo_camera_that_was_removed_stays_away(demo):
    Camera.objects.get(slug="street").delete()
    cameras.add_demo_cameras(demo, at=timezone.now())
    assert set(cameras.enabled_slugs()) == SCENES - {"street"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("rtsp://192.168.1.20/stream1", id="no name"),
        pytest.param("gate=", id="no address"),
        pytest.param("My Gate=rtsp://192.168.1.20/", id="blank in the name"),
        pytest.param("gate=http://192.168.1.20/video", id="not RTSP"),
        pytest.param("gate=rtsp://127.0.0.1/stream", id="loopback that is not listed"),
        pytest.param("gate=rtsp://169.254.169.254/latest", id="link-local"),
        pytest.param("gate=concat:rtsp://192.168.1.20/a|file:/etc/passwd", id="protocol in disguise"),
    ],
)
def test_a_camera_that_makes_no_sense_is_refused_in_a_sentence(text):
    with pytest.raises(CannotStartError):
        cameras.parse_camera(text)


@pytest.mark.parametrize("url", ["http://guard:s3cret@192.168.1.20/", "rtsp://guard:s3cret@127.0.0.1/stream"])
def test_a_refusal_never_repeats_the_password(url):
    with pytest.raises(CannotStartError) as refusal:
        cameras.parse_camera(f"gate={url}")
    assert "s3cret" not in str(refusal.value)


def test_a_real_camera_takes_the_place_of_the_scene_of_its_name(demo):
    cameras.ensure(cameras.parse_camera(GATE))
    camera = Camera.objects.get(slug="gate")
    assert (camera.address, camera.name) == ("rtsp://192.168.1.20:8554/stream1", "Gate")
    assert (camera.username, camera.password) == ("guard", "s3cret")
    assert camera.site == demo


def test_its_password_is_only_cipher_text_in_the_database(demo):
    cameras.ensure(cameras.parse_camera(GATE))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM streaming_camera")
        assert "s3cret" not in str(cursor.fetchall())


def test_the_same_camera_twice_is_one(demo):
    for _ in range(2):
        cameras.ensure(cameras.parse_camera("yard=rtsp://192.168.1.21/"))
    assert Camera.objects.filter(slug="yard").count() == 1


@pytest.mark.django_db
def test_without_the_demonstration_a_camera_gets_a_site_of_its_own():
    cameras.ensure(cameras.parse_camera(GATE))
    assert Camera.objects.get().site.slug == "factory"


def test_a_camera_goes_to_the_factory_and_not_to_the_demonstration_beside_it(demo):
    plant = Site.objects.create(slug="plant-2", name="Plant 2")
    cameras.ensure(cameras.parse_camera("yard=rtsp://192.168.1.21/"))
    assert Camera.objects.get(slug="yard").site == plant


def test_a_camera_of_the_switched_off_demonstration_moves_to_an_open_site(demo, tmp_path):
    logins.turn_demo_off(tmp_path)
    cameras.ensure(cameras.parse_camera(GATE))
    assert cameras.enabled_slugs() == ["gate"]


def test_the_camera_of_the_environment_is_added_once(demo):
    source = cameras.parse_first_camera("rtsp://guard:s3cret@192.168.1.30/live")
    for _ in range(2):
        cameras.ensure_first(source)
    assert list(Camera.objects.filter(address="rtsp://192.168.1.30/live").values_list("slug", flat=True)) == [
        "camera-1"
    ]


def test_the_demonstration_counts_people_over_the_line_that_is_drawn(demo):
    cameras.add_demo_cameras(demo, at=timezone.now())
    line = ZoneLine.objects.get()
    assert (line.camera.slug, line.zone.site) == ("entrance", demo)
    assert line.line in {drawn["name"] for drawn in line.camera.lines}
