"""The review page and the admin of faces: who sees what, what each button does, and that it does it once."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from factoryai.sites.models import Membership
from factoryai.sites.tests.factories import make_people
from identity.models import CameraFaces, Consent, Face, Sighting, Snapshot
from identity.tests.factories import jpeg_of, make_employee, make_face, make_snapshot, make_unknown, unit
from identity.tests.photos import photo, two_of_him
from identity.tests.test_sightings import record, seen, unknown_at
from streaming.tests.factories import make_camera

pytestmark = pytest.mark.django_db
REVIEW = "/faces/review"


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def ravi(people):
    return make_employee(people.site, code="R-7")


@pytest.fixture
def camera(people):
    return make_camera(people.site, roles=["attendance"])


def as_(user):
    client = Client()
    client.force_login(user)
    return client


def decide(user, thing, verb, **fields):
    kind = "doubtful" if isinstance(thing, Sighting) else "unknown"
    answer = as_(user).post(f"/faces/{kind}/{thing.pk}/decide", {"verb": verb, **fields}, follow=True)
    return answer.status_code, answer.content.decode()


def test_the_page_asks_for_a_login_and_a_role(people):
    assert Client().get(REVIEW).url == f"/login?next={REVIEW}"
    assert [as_(user).get(REVIEW).status_code for user in (people.asha, people.gate)] == [403, 403]


def test_each_role_sees_what_it_may(people, camera, ravi):
    unknown = unknown_at(camera, unit(1)).unknown_face
    record(seen(camera, person=ravi, outcome="review", reason="below_known"))
    pages = {name: as_(getattr(people, name)).get(REVIEW).content.decode() for name in ("meena", "farid", "stranger")}
    assert [f"Face {unknown.pk}" in pages[name] for name in pages] == [True, True, False]
    assert ["Ravi Kumar (R-7)?" in pages[name] for name in pages] == [True, False, False]
    assert ['value="assign"' in pages[name] for name in pages] == [True, False, False]
    assert ["R-7 Ravi Kumar" in pages[name] for name in pages] == [True, False, False]


def test_an_empty_page_says_that_nothing_waits(people):
    assert "Nothing to decide" in as_(people.meena).get(REVIEW).content.decode()


def test_the_page_costs_the_same_however_much_waits(people, camera, ravi, django_assert_max_num_queries):
    for number in range(30):
        make_unknown(people.site, unit(number), snapshot=make_snapshot(people.site, kind="unknown"))
    client = as_(people.meena)
    with django_assert_max_num_queries(15):
        text = client.get(REVIEW).content.decode()
    assert "Page 1 of 2" in text


def test_hr_names_an_unknown_face_from_the_list(people, camera, ravi):
    unknown = unknown_at(camera, unit(1)).unknown_face
    status, text = decide(people.meena, unknown, "assign", employee="R-7 Ravi Kumar", punch="on")
    unknown.refresh_from_db()
    assert (status, unknown.state, unknown.employee) == (200, "assigned", ravi)
    assert "1 sighting assigned" in text
    assert "already" in decide(people.meena, unknown, "assign", employee="R-7")[1]


def test_a_code_that_nobody_has_is_said(people, camera):
    unknown = unknown_at(camera, unit(1)).unknown_face
    make_employee(people.other_site, code="X-1")
    for code in ("X-1", "", "nobody"):
        assert "nobody with this code" in decide(people.meena, unknown, "assign", employee=code)[1]
    unknown.refresh_from_db()
    assert unknown.state == "open"


def test_security_does_not_name_and_a_stranger_finds_nothing(people, camera, ravi):
    unknown = unknown_at(camera, unit(1)).unknown_face
    assert "nobody with this code" in decide(people.farid, unknown, "assign", employee="R-7")[1]
    assert decide(people.stranger, unknown, "dismiss")[0] == 404
    assert decide(people.farid, unknown, "no such verb")[0] == 404
    unknown.refresh_from_db()
    assert unknown.state == "open"


@pytest.mark.parametrize(
    ("verb", "fields", "state"),
    [("visitor", {"label": "Courier"}, "visitor"), ("dismiss", {}, "dismissed")],
)
def test_security_sorts_out_who_is_no_employee(people, verb, fields, state):
    unknown = make_unknown(people.site)
    decide(people.farid, unknown, verb, **fields)
    unknown.refresh_from_db()
    assert (unknown.state, unknown.label) == (state, fields.get("label", ""))


def test_two_faces_are_merged_by_number(people):
    one, two, foreign = make_unknown(people.site), make_unknown(people.site), make_unknown(people.other_site)
    for wrong in (foreign.pk, "", "x"):
        assert "number" in decide(people.farid, one, "merge", into=wrong)[1]
    decide(people.farid, one, "merge", into=two.pk)
    one.refresh_from_db()
    assert (one.state, one.merged_into) == ("merged", two)


@pytest.mark.parametrize(
    ("verb", "fields", "review", "who"),
    [
        ("confirm", {}, "confirmed", "Ravi Kumar"),
        ("correct", {"employee": "A-1"}, "confirmed", "Amit Rao"),
        ("reject", {}, "rejected", None),
    ],
)
def test_hr_decides_a_doubtful_sighting(people, camera, ravi, verb, fields, review, who):
    make_employee(people.site, "Amit Rao", code="A-1")
    sighting = record(seen(camera, person=ravi, outcome="review", reason="below_known"))
    assert decide(people.kavita, sighting, verb, **fields)[0] == 404
    decide(people.meena, sighting, verb, **fields)
    sighting.refresh_from_db()
    assert (sighting.review, sighting.employee and sighting.employee.name) == (review, who)


# The admin


def add_photos(user, employee, *photos):
    files = [SimpleUploadedFile(f"{n}.jpg", data, "image/jpeg") for n, data in enumerate(photos)]
    return as_(user).post("/admin/identity/face/add/", {"employee": employee.pk, "photos": files}, follow=True)


def test_hr_enrols_several_photos_at_once(people, ravi):
    answer = add_photos(people.meena, ravi, photo(), photo(30))
    assert answer.status_code == 200
    assert ravi.faces.count() == 2
    assert ravi.faces.first().added_by == people.meena


def test_without_a_photo_or_a_camera_of_the_same_site_nobody_is_enrolled(people, ravi):
    assert "Choose a photo or a camera" in add_photos(people.meena, ravi).content.decode()
    path = "/admin/identity/face/add/"
    for place, said in ((people.other_site, "Select a valid choice"), (people.site, "cannot be opened")):
        camera = make_camera(place, roles=["attendance"], address="rtsp://127.0.0.1/none")
        answer = as_(people.meena).post(path, {"employee": ravi.pk, "camera": camera.pk})
        assert said in answer.content.decode()
    assert Face.objects.count() == 0


def test_a_doubtful_face_stands_beside_the_enrolled_one_for_hr_only(people, camera, ravi):
    face = make_face(ravi)
    record(seen(camera, person=ravi, outcome="review", reason="below_known"))
    address = f"/media/snapshots/{face.snapshot_id}"
    pages = [as_(user).get(REVIEW).content.decode() for user in (people.meena, people.kavita)]
    assert [address in page for page in pages] == [True, False]


def test_times_are_those_of_the_site(people):
    make_unknown(people.site)
    assert "2 Mar 2026, 17:30</time>" in as_(people.meena).get(REVIEW).content.decode()


def test_of_several_photos_the_bad_one_is_named_and_none_is_kept(people, ravi):
    answer = add_photos(people.meena, ravi, photo(), jpeg_of(two_of_him()))
    assert "1.jpg: There are several faces" in answer.content.decode()
    assert (Face.objects.count(), Snapshot.objects.count()) == (0, 0)


def test_somebody_elses_face_is_refused_in_the_admin_as_well(people, ravi):
    add_photos(people.meena, ravi, photo())
    other = make_employee(people.site, "Amit Rao")
    assert "belongs to Ravi Kumar" in add_photos(people.meena, other, photo(30)).content.decode()
    assert other.faces.count() == 0


def test_nobody_is_enrolled_at_a_site_where_one_is_not_hr(people):
    foreigner = make_employee(people.other_site)
    assert "Select a valid choice" in add_photos(people.meena, foreigner, photo()).content.decode()
    assert add_photos(people.kavita, make_employee(people.site), photo()).status_code == 403
    assert Face.objects.count() == 0


def test_a_photo_is_taken_back_with_its_file(people, ravi):
    face = make_face(ravi)
    for path in ("face/{}/delete/", "face/{}/change/"):
        assert as_(people.farid).get(f"/admin/identity/{path.format(face.pk)}").status_code == 403
    as_(people.meena).post(f"/admin/identity/face/{face.pk}/delete/", {"post": "yes"})
    face.snapshot.refresh_from_db()
    assert (ravi.faces.count(), face.snapshot.state) == (0, "deleted")


def test_a_ground_is_recorded_in_the_admin(people):
    employee = make_employee(people.site, has_consent=False)
    said = {"employee": employee.pk, "basis": "consent", "notice_version": "3", "given_date": "2026-03-01"}
    as_(people.meena).post("/admin/identity/consent/add/", said)
    ground = Consent.objects.get()
    assert (ground.notice_version, ground.recorded_by, ground.given_date) == ("3", people.meena, dt.date(2026, 3, 1))


SEEN_BY = {
    "face": {"meena"},
    "consent": {"meena"},
    "sighting": {"meena", "kavita"},
    "unknownface": {"meena", "kavita", "farid"},
    "snapshot": {"meena", "kavita", "farid"},
    "retention": {"kavita"},
    "camerafaces": {"kavita"},
}


@pytest.mark.parametrize("model", SEEN_BY)
def test_each_list_opens_for_its_roles_and_shows_no_other_site(
    people, camera, ravi, model, django_assert_max_num_queries
):
    for n in range(3):
        make_face(ravi)
        record(seen(camera, person=make_employee(people.site)))
        unknown_at(camera, unit(n))
    for name in ("meena", "kavita", "farid", "gate", "stranger"):
        client = as_(getattr(people, name))
        with django_assert_max_num_queries(20):
            answer = client.get(f"/admin/identity/{model}/")
        if name == "stranger":
            assert answer.context["cl"].result_count == 0
        else:
            assert (answer.status_code == 200) == (name in SEEN_BY[model]), name


@pytest.mark.parametrize("model", ["purgerun", "paidrequests"])
def test_what_concerns_every_site_is_for_superusers_to_read(people, model):
    path = f"/admin/identity/{model}/"
    assert [as_(user).get(path).status_code for user in (people.kavita, people.meena, people.root)] == [403, 403, 200]
    assert as_(people.root).get(f"{path}add/").status_code == 403


def test_snapshots_are_held_and_released_by_action(people):
    snapshot = make_snapshot(people.site, kind="unknown")
    for action, is_held in (("hold", True), ("release", False)):
        as_(people.farid).post("/admin/identity/snapshot/", {"action": action, "_selected_action": [snapshot.pk]})
        snapshot.refresh_from_db()
        assert snapshot.is_held is is_held


def test_unknown_faces_are_dismissed_by_action_once(people):
    unknown = make_unknown(people.site)
    for _ in range(2):
        as_(people.farid).post("/admin/identity/unknownface/", {"action": "dismiss", "_selected_action": [unknown.pk]})
    unknown.refresh_from_db()
    assert (unknown.state, unknown.decided_by) == ("dismissed", people.farid)


def test_a_changed_rule_of_a_camera_reaches_the_camera_process(people, camera):
    before = camera.updated_at
    said = {"camera": camera.pk, "min_width_px": "60", "resight_s": "30", "liveness": "off"}
    as_(people.kavita).post("/admin/identity/camerafaces/add/", said)
    camera.refresh_from_db()
    assert (CameraFaces.objects.get().resight_s, camera.updated_at > before) == (30, True)


ERASE = "/admin/identity/employee/erase-biometrics/"


def test_the_button_says_what_goes_and_erases_only_where_one_is_hr(people, ravi):
    amit = make_employee(people.other_site, "Amit")
    Membership.objects.create(user=people.meena, site=people.other_site, role="manager")
    for employee in (ravi, amit):
        make_face(employee)
    client = as_(people.meena)
    chosen = {"action": "erase_selected", "_selected_action": [ravi.pk, amit.pk]}
    page = client.post("/admin/identity/employee/", chosen, follow=True)
    address = page.redirect_chain[-1][0]
    assert "Ravi Kumar" in page.content.decode()
    assert "Amit" not in page.content.decode()
    assert ravi.faces.count() == 1
    said = client.post(address, {"other_method": ""}, follow=True).content.decode()
    assert "a search finds nothing" in said
    assert (ravi.faces.count(), amit.faces.count()) == (0, 1)
    for user, status in ((people.kavita, 403), (people.farid, 403)):
        assert as_(user).post(f"{ERASE}?people={amit.pk}").status_code == status


@pytest.mark.parametrize("asked", ["", "x", "1,2,x", "9" * 40])
def test_to_erase_nobody_is_said(people, asked):
    assert "Nobody is chosen" in as_(people.meena).get(f"{ERASE}?people={asked}").content.decode()


def test_who_opts_out_in_the_admin_keeps_another_method(people, ravi):
    make_face(ravi)
    as_(people.meena).post(f"{ERASE}?people={ravi.pk}", {"other_method": "badge"})
    assert (ravi.faces.count(), ravi.consents.get().other_method) == (0, "badge")
    page = as_(people.meena).get(f"/admin/identity/employee/{ravi.pk}/change/").content.decode()
    assert "instead of the face: Badge" in page
    assert f"/admin/identity/face/add/?employee={ravi.pk}" in page
    assert (
        "instead of the face"
        not in as_(people.kavita).get(f"/admin/identity/employee/{ravi.pk}/change/").content.decode()
    )


def forms_of(page: str) -> list[str]:
    return re.findall(r"<form[^>]*face-form.*?</form>", page, re.S)


def test_enter_in_a_field_does_what_the_button_beside_it_says(people, camera, ravi):
    """A browser presses the first button of the form a field lies in: a form holds one field's button only."""
    record(seen(camera, person=ravi, outcome="review", reason="below_known"))
    make_unknown(people.site, unit(1))
    page = as_(people.meena).get(REVIEW).content.decode()
    fields = [re.findall(r'name="(employee|label|into)"|name="verb" value="(\w+)"', form) for form in forms_of(page)]
    said = {" ".join(field or verb for field, verb in form) for form in fields}
    assert said == {"confirm reject", "employee correct", "employee assign", "label visitor", "into merge", "dismiss"}
