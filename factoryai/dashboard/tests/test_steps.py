"""The first steps: they tick themselves off, do what they say through the services, and refuse nonsense in words."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from attendance.models import Assignment, ShiftVersion
from factoryai.embedded.logins import DEMO_SITE
from factoryai.sites.models import Membership, Role, Site
from factoryai.sites.tests.factories import make_site, make_user
from identity.models import Employee, Face
from streaming.models import Camera

SITE = {"site-name": "Pune Works", "site-timezone": "Asia/Kolkata"}


@pytest.fixture
def root(db):
    return make_user("root", is_superuser=True, is_staff=True)


@pytest.fixture
def admin(client, root):
    client.force_login(root)
    return client


def state(client):
    return {step.key: step.is_done for step, _ in client.get("/start/").context["rows"]}


def test_an_empty_installation_opens_on_the_first_steps(admin):
    assert admin.get("/", follow=True).redirect_chain == [("/start/", 302)]
    assert state(admin) == {"site": False, "camera": False, "person": False, "shift": False}


def test_the_demonstration_is_not_ones_own_site(admin):
    site = make_site(DEMO_SITE)
    Camera.objects.create(site=site, slug="demo", name="Demo", address="demo:street")
    assert not any(state(admin).values())
    assert "4 first steps to go" in admin.get("/").content.decode()


def test_steps_are_done_one_after_the_other_and_tick_themselves_off(admin):
    assert admin.post("/start/site", SITE).status_code == 302
    site = Site.objects.get(name="Pune Works")
    assert (site.slug, state(admin)["site"]) == ("pune-works", True)
    camera = {"camera-site": site.pk, "camera-name": "Main gate", "camera-url": "rtsp://u:secret@10.0.0.9/1"}
    assert admin.post("/start/camera", {**camera, "camera-roles_of": ["gate"]}).status_code == 302
    added = Camera.objects.get()
    assert (added.slug, added.roles, added.masked_source) == ("main-gate", ["gate"], "rtsp://***:***@10.0.0.9/1")
    Employee.objects.create(site=site, code="E1", name="Asha")
    shift = {"shift-site": site.pk, "shift-name": "Day", "shift-starts_at": "08:00", "shift-ends_at": "17:00"}
    assert admin.post("/start/shift", {**shift, "shift-everybody": "on"}).status_code == 302
    assert (ShiftVersion.objects.get().shift.name, Assignment.objects.get().employee.name) == ("Day", "Asha")
    assert state(admin) == {"site": True, "camera": True, "person": False, "shift": True}
    page = admin.get("/start/").content.decode()
    assert "0 of 1 with a photo" in page
    assert "secret" not in page


def test_a_person_is_enrolled_with_a_photo_and_a_wrong_photo_keeps_nothing(admin):
    site = make_site()
    person = {"person-site": site.pk, "person-code": "E1", "person-name": "Asha"}
    grey = cv2.imencode(".jpg", np.full((120, 160, 3), 128, np.uint8))[1].tobytes()
    blank = SimpleUploadedFile("blank.jpg", grey, "image/jpeg")
    answer = admin.post("/start/person", {**person, "person-photo": blank})
    assert answer.status_code == 400
    assert "No face can be found" in answer.content.decode()
    assert (Employee.objects.count(), Face.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("key", "given", "words"),
    [
        ("site", {"site-name": "", "site-timezone": "Asia/Kolkata"}, "This field is required"),
        ("site", {"site-name": "X", "site-timezone": "Moon/Base"}, "not one of the available choices"),
        ("camera", {"camera-name": "G", "camera-url": "http://10.0.0.9/"}, "rtsp"),
        ("camera", {"camera-name": "G", "camera-url": ""}, "This field is required"),
        ("shift", {"shift-name": "D", "shift-starts_at": "08:00", "shift-ends_at": "08:00"}, "does not end when"),
        ("shift", {"shift-name": "D", "shift-starts_at": "25:00", "shift-ends_at": "08:00"}, "Enter a valid time"),
        ("person", {"person-code": "1", "person-name": "A"}, "This field is required"),
    ],
)  # fmt: skip
def test_nonsense_is_told_beside_its_field(admin, key, given, words):
    site = make_site()
    answer = admin.post(f"/start/{key}", {f"{key}-site": site.pk, **given})
    assert answer.status_code == 400
    assert words in answer.content.decode()


def test_a_manager_does_the_steps_of_their_site_and_of_no_other(client, db):
    mine, other = make_site("pune"), make_site("chennai")
    client.force_login(make_user("kavita", site=mine, roles=(Role.MANAGER,)))
    camera = {"camera-name": "Gate", "camera-url": "rtsp://10.0.0.9/1"}
    assert client.post("/start/camera", {**camera, "camera-site": other.pk}).status_code == 400
    assert client.post("/start/site", SITE).status_code == 404
    assert client.post("/start/camera", {**camera, "camera-site": mine.pk}).status_code == 302
    assert [row.site for row in Camera.objects.all()] == [mine]


@pytest.mark.parametrize("role", [Role.SECURITY, Role.HR, Role.DEVICE])
def test_the_steps_are_not_for_others(client, db, role):
    client.force_login(make_user("somebody", site=make_site(), roles=(role,)))
    assert client.get("/start/").status_code == 403
    assert client.post("/start/camera", {}).status_code == 404
    assert "first step" not in client.get("/").content.decode()


def test_the_reminder_is_put_away_for_this_browser(admin, root):
    Membership.objects.create(user=root, site=make_site(), role=Role.MANAGER)
    assert "first steps to go" in admin.get("/").content.decode()
    assert admin.post("/start/dismiss").url == "/"
    assert "first steps to go" not in admin.get("/").content.decode()
    assert admin.get("/start/").status_code == 200


def test_names_that_are_taken_get_another_address(admin):
    admin.post("/start/site", SITE)
    admin.post("/start/site", SITE)
    admin.post("/start/site", {**SITE, "site-name": "工場"})
    assert set(Site.objects.values_list("slug", flat=True)) == {"pune-works", "pune-works-2", "site"}
