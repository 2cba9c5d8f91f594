"""The first page of each role, its blocks one by one, and the overview: what is shown, to whom, and what it costs."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from attendance.tests.factories import make_plant
from factoryai.alerts.tests.factories import blocked_plate
from factoryai.dashboard import blocks, gathering
from factoryai.dashboard.gathering import JOB_WORDS
from factoryai.jobs.schedule import SCHEDULE
from factoryai.jobs.services import beat_ticked, job_failed, job_started
from factoryai.sites.models import Membership, Role
from factoryai.sites.tests.factories import make_site
from occupancy.models import Zone
from occupancy.services.logs import NewLog, record_logs
from streaming.models import Camera, CameraStatus

SECURITY = {"alerts", "gate", "faces", "cameras", "inside", "health"}
MANAGER = SECURITY | {"today", "queue"}
PAGES = [f"dashboard/{name}.html" for name in ("screen", "overview", "desk")]
HR = {"today", "queue", "alerts", "faces", "inside"}


@pytest.fixture
def plant(db):
    plant = make_plant()
    for slug, site in (("gate", plant.site), ("other", plant.people.other_site)):
        Camera.objects.create(site=site, slug=slug, name=f"Camera {slug}", address="rtsp://10.0.0.9/1")
    return plant


@pytest.fixture
def as_(client, plant):
    def logged_in(name):
        if name:
            client.force_login(getattr(plant.people, name))
        return client

    return logged_in


def opened(page):
    """Return the page that was rendered, its blocks apart."""
    return next(found.name for found in page.templates if found.name in PAGES)


def shown(page):
    return set(page.context["blocks"])


@pytest.mark.parametrize(
    ("name", "template", "names"),
    [
        ("farid", "dashboard/screen.html", SECURITY),
        ("kavita", "dashboard/screen.html", MANAGER),
        ("meena", "dashboard/desk.html", HR),
        ("root", "dashboard/overview.html", {"sites", "alerts", "queue", "health"}),
    ],
)
def test_each_role_opens_what_it_needs(as_, name, template, names):
    page = as_(name).get("/")
    assert opened(page) == template
    assert shown(page) == names
    assert "cannot be shown" not in page.content.decode()


def test_a_stranger_sees_nothing_of_another_site(as_, plant):
    blocked_plate(plant.site)
    Zone.objects.create(site=plant.site, name="Hall", capacity=3)
    text = as_("stranger").get("/").content.decode()
    assert not [word for word in ("MH12AB1234", "Hall", "Camera gate", "Pune") if word in text]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/screen/", {"farid", "kavita", "stranger", "root"}),
        ("/overview/", {"kavita", "stranger", "root"}),
        ("/desk/", {"meena", "kavita", "stranger", "root"}),
        ("/start/", {"kavita", "stranger", "root"}),
    ],
)
def test_a_screen_is_for_its_roles(as_, path, allowed):
    people = ("farid", "kavita", "meena", "stranger", "root", "gate", "asha")
    assert {name for name in people if as_(name).get(path).status_code == 200} == allowed


@pytest.mark.parametrize("name", list(blocks.BLOCKS))
def test_a_block_answers_its_own_refresh_and_nobody_elses(as_, name):
    roles = blocks.BLOCKS[name].roles
    for person, role in (("farid", Role.SECURITY), ("meena", Role.HR), ("kavita", Role.MANAGER), ("gate", Role.DEVICE)):
        answer = as_(person).get(f"/blocks/{name}")
        assert answer.status_code == (200 if role in roles else 404)
        if role in roles:
            assert f'id="{name}-title"' in answer.content.decode()
            assert "cannot be shown" not in answer.content.decode()


def test_the_page_holds_what_the_refresh_answers(as_, plant):
    blocked_plate(plant.site)
    client = as_("farid")
    part = client.get("/blocks/alerts?site=").content.decode()
    strip = lambda text: "".join(line for line in text.split("\n") if "csrfmiddlewaretoken" not in line)  # noqa: E731
    assert strip(part) in strip(client.get("/").content.decode())


def test_an_error_in_one_block_leaves_the_others_standing(as_, plant, monkeypatch):
    def broken(asker):
        raise RuntimeError("the secret reason")

    for name in ("inside", "health"):
        block = blocks.BLOCKS[name]
        monkeypatch.setitem(blocks.BLOCKS, name, blocks.Block(name, block.title, block.roles, broken))
    blocked_plate(plant.site)
    page = as_("farid").get("/")
    text = page.content.decode()
    assert page.status_code == 200
    assert text.count("This part cannot be shown at the moment") == 2
    assert "MH12AB1234" in text
    assert "secret reason" not in text


def test_a_failing_statement_takes_its_own_block_down_only(as_, plant, monkeypatch):
    def broken(asker):
        return {"zones": list(Zone.objects.raw("SELECT nothing FROM nowhere"))}

    block = blocks.BLOCKS["inside"]
    monkeypatch.setitem(blocks.BLOCKS, "inside", blocks.Block("inside", block.title, block.roles, broken))
    text = as_("farid").get("/").content.decode()
    assert text.count("The database does not answer for this part") == 1
    assert "Camera gate" in text


def test_critical_alerts_stand_on_top_and_call_until_taken_on(as_, plant):
    blocked_plate(plant.site, key="1", severity="warning", title="A warning")
    critical = blocked_plate(plant.site, key="2", title="A blocked vehicle")
    text = as_("farid").get("/blocks/alerts").content.decode()
    assert text.index("A blocked vehicle") < text.index("A warning")
    assert text.count('role="alert"') == 1
    as_("farid").post(f"/alerts/{critical.pk}/acknowledge", {"note": "On my way"})
    text = as_("kavita").get("/blocks/alerts").content.decode()
    assert text.index("A warning") < text.index("A blocked vehicle")
    assert 'role="alert"' not in text
    assert "farid took it on at" in text
    assert "On my way" in text


def test_health_says_in_words_what_is_wrong(as_, plant):
    now = timezone.now()
    CameraStatus.objects.create(
        camera=Camera.objects.get(slug="gate"), state="offline", updated_at=now, last_error="It refused the login.",
        frame_at=now - dt.timedelta(minutes=5),
    )  # fmt: skip
    job_started(name="alerts.deliver", at=now)
    job_failed(name="alerts.deliver", error=OSError("secret"), at=now)
    text = as_("farid").get("/blocks/health").content.decode()
    assert "0 of 1 cameras live." in text
    assert "It refused the login." in text
    assert "The scheduler does not run" in text
    beat_ticked(at=now)
    text = as_("farid").get("/blocks/health").content.decode()
    assert "The scheduler runs, but “Sending of alerts” has failed." in text
    assert "secret" not in text


def test_every_job_has_words():
    assert {entry.task for entry in SCHEDULE} - JOB_WORDS.keys() == set()


def test_people_inside_stand_against_their_capacity(as_, plant):
    zone, now = Zone.objects.create(site=plant.site, name="Hall", capacity=2), timezone.now()
    record_logs(rows=[NewLog(str(n), zone.pk, now, "in") for n in range(2)], zones=[zone], source="gate", at=now)
    text = as_("farid").get("/blocks/inside").content.decode()
    assert "<strong>2</strong> of 2" in text
    assert "<strong>Full</strong>" in text


def test_the_screen_starts_from_the_last_event(as_, plant):
    blocked_plate(plant.site)
    assert 'data-seq="0"' in as_("farid").get("/").content.decode()


@pytest.fixture
def group(plant):
    """Kavita manages three sites; nothing of Chennai is hers."""
    for slug in ("nashik", "surat"):
        Membership.objects.create(user=plant.people.kavita, site=make_site(slug), role=Role.MANAGER)
    return plant


def test_a_manager_of_several_sites_opens_on_a_row_for_each(as_, group):
    blocked_plate(group.site), blocked_plate(group.people.other_site, key="x", title="Elsewhere")
    page = as_("kavita").get("/")
    rows = page.context["blocks"]["sites"].html
    assert opened(page) == "dashboard/overview.html"
    assert [name for name in ("Pune", "Nashik", "Surat", "Chennai") if name in rows] == ["Pune", "Nashik", "Surat"]
    assert "1 critical" in rows
    assert "1 of 1 away" in rows
    assert "Elsewhere" not in page.content.decode()


def test_choosing_a_site_opens_its_screen(as_, group):
    page = as_("kavita").get("/?site=pune")
    assert opened(page) == "dashboard/screen.html"
    assert opened(as_("kavita").get("/overview/?site=")) == "dashboard/overview.html"


def test_the_overview_costs_the_same_for_thirty_sites(as_, group, django_assert_max_num_queries):
    for number in range(30):
        site = make_site(f"site-{number}")
        Membership.objects.create(user=group.people.kavita, site=site, role=Role.MANAGER)
        Camera.objects.create(site=site, slug=f"c{number}", name="C", address="rtsp://10.0.0.9/1")
        Zone.objects.create(site=site, name="Hall", capacity=5)
        blocked_plate(site)
    client = as_("kavita")
    client.get("/")
    with django_assert_max_num_queries(OVERVIEW_QUERIES):
        client.get("/blocks/sites?site=")


OVERVIEW_QUERIES = 22


def test_the_screen_costs_the_same_for_thirty_of_everything(as_, plant, django_assert_max_num_queries):
    for number in range(30):
        Camera.objects.create(site=plant.site, slug=f"c{number}", name="C", address="rtsp://10.0.0.9/1")
        Zone.objects.create(site=plant.site, name=f"Zone {number}", capacity=5)
        blocked_plate(plant.site, key=str(number))
    client = as_("farid")
    with django_assert_max_num_queries(50):
        client.get("/")


def test_gathering_names_every_block():
    assert all(hasattr(gathering, name) for name in blocks.BLOCKS)
