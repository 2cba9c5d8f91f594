"""The wall and the camera page: what they say, to whom, and that they work without scripts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from factoryai.sites.tests.factories import make_people
from streaming.models import Camera, CameraStatus
from streaming.standing import age_words


@pytest.fixture
def people(db):
    people = make_people()
    for slug, name in (("gate", "Main gate"), ("yard", "Yard"), ("hall", "Assembly hall")):
        Camera.objects.create(site=people.site, slug=slug, name=name, address="rtsp://10.0.0.9/1")
    Camera.objects.create(site=people.other_site, slug="other", name="Elsewhere", address="rtsp://10.0.0.9/1")
    return people


def has_status(slug, state, **fields):
    now = datetime.now(UTC)
    values = {"state": state, "frame_at": now, "updated_at": now, "people": 3, "vehicles": 1, **fields}
    CameraStatus.objects.update_or_create(camera=Camera.objects.get(slug=slug), defaults=values)


def page(user, path="/wall/"):
    client = Client()
    client.force_login(user)
    return client.get(path)


def test_the_wall_asks_for_a_login_first(people):
    answer = Client().get("/wall/")
    assert (answer.status_code, answer.url) == (302, "/login?next=/wall/")


def test_the_wall_shows_ones_own_cameras_and_no_others(people):
    text = page(people.farid).content.decode()
    assert all(name in text for name in ("Main gate", "Yard", "Assembly hall"))
    assert "Elsewhere" not in text


def test_live_cameras_come_first(people):
    has_status("yard", "live")
    text = page(people.farid).content.decode()
    assert text.index("Yard") < text.index("Assembly hall") < text.index("Main gate")


def test_state_is_said_in_words_beside_its_icon(people):
    has_status("gate", "stale", frame_at=datetime.now(UTC) - timedelta(seconds=30), last_error="It refused.")
    text = page(people.farid, "/cameras/gate/").content.decode()
    assert "No live picture" in text
    assert 'data-state="stale"' in text
    assert "It refused." in text


def test_a_silent_camera_process_makes_history_of_its_row(people):
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    has_status("gate", "live", frame_at=long_ago, updated_at=long_ago)
    text = page(people.farid, "/cameras/gate/").content.decode()
    assert "Offline" in text
    assert "The camera process does not answer." in text


def test_counts_are_read_out_with_their_names(people):
    has_status("gate", "live", people=1, vehicles=2)
    text = page(people.farid, "/wall/counts").content.decode()
    assert 'id="counts-gate" hx-swap-oob="true"' in text
    assert '1<span class="visually-hidden"> person</span>' in text
    assert '2<span class="visually-hidden"> vehicles</span>' in text


def test_the_wall_works_without_scripts(people):
    text = page(people.farid).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in text
    assert text.count("<noscript><img src=") == 3


def test_the_camera_page_has_a_still_view_that_refreshes_itself(people):
    text = page(people.farid, "/cameras/gate/?view=still").content.decode()
    assert '<meta http-equiv="refresh" content="5">' in text
    assert "snapshot.jpg" in text
    assert "video_feed" not in text


def test_nothing_is_loaded_from_elsewhere(people):
    for path in ("/wall/", "/cameras/gate/"):
        text = page(people.farid, path).content.decode()
        assert "http://" not in text
        assert "https://" not in text
        assert "//cdn" not in text


def test_who_has_no_camera_is_told_what_to_do(people):
    assert "Ask a manager" in page(people.meena).content.decode()
    assert all('<a href="/start/">' in page_without_cameras(user) for user in (people.root, people.kavita))


def page_without_cameras(user):
    Camera.objects.all().delete()
    return page(user).content.decode()


@pytest.mark.parametrize("path", ["/cameras/gate/", "/cameras/gate/state"])
@pytest.mark.parametrize(("who", "status"), [("farid", 200), ("stranger", 404), ("meena", 404), ("asha", 404)])
def test_a_camera_page_is_for_who_may_watch(people, path, who, status):
    assert page(getattr(people, who), path).status_code == status


def test_the_wall_costs_the_same_for_three_cameras_as_for_thirty(people, django_assert_max_num_queries):
    client = Client()
    client.force_login(people.farid)
    client.get("/wall/")
    for number in range(30):
        Camera.objects.create(site=people.site, slug=f"c{number}", name=f"C{number}", address="rtsp://10.0.0.9/1")
    with django_assert_max_num_queries(6):
        client.get("/wall/")


def test_no_page_shows_the_address_or_the_password(people):
    Camera.objects.filter(slug="gate").update(address="rtsp://10.9.8.7/secret-path")
    text = page(people.farid, "/cameras/gate/").content.decode() + page(people.farid).content.decode()
    assert "10.9.8.7" not in text


@pytest.mark.parametrize(
    ("age_s", "words"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
    ],
)
def test_ages_are_said_in_the_largest_unit_that_fits(age_s, words):
    assert age_words(age_s) == words
