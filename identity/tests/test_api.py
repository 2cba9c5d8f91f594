"""The API of faces: anonymous, the wrong role, a stranger, the right role; and what is never in an answer."""

from __future__ import annotations

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from factoryai.sites.tests.factories import api_client, make_people
from identity.models import PurgeRun, Sighting, Snapshot
from identity.services import grab
from identity.services.enrolment import enrol_picture
from identity.tests.factories import NOON, jpeg_of, make_employee, make_face, make_snapshot, make_unknown, unit
from identity.tests.photos import bomb, driver, photo, two_of_him
from identity.tests.test_sightings import record, seen, unknown_at
from streaming.tests.factories import make_camera

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def ravi(people):
    return make_employee(people.site)


@pytest.fixture
def camera(people):
    return make_camera(people.site, roles=["attendance"])


def as_(user):
    return api_client(user)


def upload(user, path, data=None, **fields):
    image = SimpleUploadedFile("face.jpg", photo() if data is None else data, "image/jpeg")
    return as_(user).post(path, {"image": image, **fields}, format="multipart")


def faces_of(employee):
    return f"/api/v1/employees/{employee.pk}/faces"


def test_hr_enrols_a_photo_and_the_answer_holds_no_vector(people, ravi):
    answer = upload(people.meena, faces_of(ravi))
    assert answer.status_code == 201
    said = {"id", "quality", "source", "engine", "model_version", "added_at", "snapshot", "more_advised"}
    assert answer.json().keys() == said
    assert answer.json()["more_advised"] == 2
    assert ravi.faces.get().pk == answer.json()["id"]


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        pytest.param(lambda: jpeg_of(two_of_him()), 422, "several_faces", id="two faces"),
        pytest.param(lambda: b"no picture", 422, "not_an_image", id="a text named jpg"),
        pytest.param(bomb, 413, "image_too_large", id="a bomb"),
        pytest.param(lambda: bytes(11 * 1024**2), 413, "image_too_large", id="eleven megabytes"),
    ],
)
def test_a_refused_photo_says_why(people, ravi, make, status, code):
    answer = upload(people.meena, faces_of(ravi), make())
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_without_an_image_or_a_camera_there_is_nothing_to_enrol(people, ravi):
    answer = as_(people.meena).post(faces_of(ravi), {}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (400, "required")


def test_a_photo_is_taken_straight_from_a_camera_of_the_same_site(people, ravi):
    for site, code in ((people.site, "no_picture"), (people.other_site, "not_found")):
        camera = make_camera(site, roles=["attendance"], address="rtsp://127.0.0.1/none")
        answer = as_(people.meena).post(faces_of(ravi), {"camera": camera.slug}, format="multipart")
        assert answer.json()["code"] == code


def test_a_photo_from_a_camera_is_the_first_that_serves(people, ravi, monkeypatch):
    """At the staff door somebody is a few metres away at first, and large enough after some seconds."""
    monkeypatch.setattr(grab, "LIMIT_S", 60)
    camera = make_camera(people.site, roles=["attendance"], address="demo:door")
    answer = as_(people.meena).post(faces_of(ravi), {"camera": camera.slug}, format="multipart")
    assert (answer.status_code, answer.json().get("source")) == (201, "camera")
    assert ravi.faces.get().width_px >= 60


@pytest.mark.parametrize(
    ("who", "status"),
    [("stranger", 404), ("kavita", 403), ("farid", 403), ("gate", 403), ("asha", 403), (None, 401)],
)
@pytest.mark.parametrize("path", ["faces", "erase-biometrics", "consent", "opt-out"])
def test_only_hr_of_the_site_touches_a_persons_face(people, ravi, who, status, path):
    kept = make_face(ravi)
    client = as_(getattr(people, who) if who else None)
    answer = client.post(f"/api/v1/employees/{ravi.pk}/{path}", {}, format="multipart" if path == "faces" else "json")
    assert answer.status_code == status
    assert ravi.faces.get() == kept


def test_a_photo_is_taken_back_by_hr_only(people, ravi):
    face = enrol_picture(employee=ravi, data=photo(), by=None, at=NOON)
    path = f"{faces_of(ravi)}/{face.pk}"
    assert [as_(user).delete(path).status_code for user in (people.stranger, people.farid)] == [404, 403]
    assert as_(people.meena).delete(path).status_code == 204
    face.snapshot.refresh_from_db()
    assert (ravi.faces.count(), face.snapshot.state) == (0, "deleted")


def test_erasing_says_what_went_and_that_it_is_proven(people, ravi):
    upload(people.meena, faces_of(ravi))
    answer = as_(people.meena).post(f"/api/v1/employees/{ravi.pk}/erase-biometrics").json()
    assert answer == {
        "templates": 1, "photos": 1, "snapshots": 0, "remote_faces": 0, "remote_pending": 0, "held": 0, "traces": [],
        "is_proven": True,
    }  # fmt: skip


def test_consent_is_recorded_and_opting_out_ends_it(people, ravi):
    path, client = f"/api/v1/employees/{ravi.pk}", as_(people.meena)
    ground = {"basis": "consent", "notice_version": "2026-01", "given_date": "2026-03-01"}
    assert client.post(f"{path}/consent", ground).status_code == 201
    assert client.post(f"{path}/opt-out", {"other_method": "pin"}).json()["is_proven"] is True
    listed = client.get(f"{path}/consent").json()
    assert [(row["notice_version"], row["other_method"], bool(row["withdrawn_at"])) for row in listed] == [
        ("2026-01", "pin", True),
        ("1", "", True),
    ]


def test_a_search_finds_who_is_enrolled_at_the_users_sites_and_records_nothing(people, ravi):
    enrol_picture(employee=ravi, data=photo(), by=None, at=NOON)
    found = upload(people.meena, "/api/v1/identity/search", photo(60), captured_at="2026-03-02T08:00:00+05:30").json()
    assert (found["outcome"], found["employee"], found["engine"], found["threshold"]) == (
        "known", ravi.pk, "local", 0.4,
    )  # fmt: skip
    assert found["similarity"] > 0.4
    foreign = upload(people.stranger, "/api/v1/identity/search", photo(60)).json()
    assert (foreign["outcome"], foreign["employee"]) == ("unknown", None)
    assert Sighting.objects.count() == 0


def test_a_search_of_a_picture_without_a_face_says_so(people):
    answer = upload(people.meena, "/api/v1/identity/search", jpeg_of(driver()[:60, :60]))
    assert (answer.status_code, answer.json()["outcome"]) == (200, "no_face")


@pytest.mark.parametrize(("who", "status"), [("farid", 403), ("gate", 403), (None, 401)])
def test_only_those_who_may_see_faces_search(people, who, status):
    assert upload(getattr(people, who) if who else None, "/api/v1/identity/search").status_code == status


def test_a_search_refuses_a_naive_time_and_a_foreign_site(people):
    path = "/api/v1/identity/search"
    assert upload(people.meena, path, captured_at="2026-03-02T08:00:00").json()["code"] == "naive_time"
    assert upload(people.meena, path, site=people.other_site.slug).status_code == 404


@pytest.mark.parametrize(
    ("path", "seers"),
    [
        ("sightings", {"meena", "kavita", "root"}),
        ("unknown-faces", {"meena", "kavita", "farid", "root"}),
    ],
)
def test_each_list_is_for_its_roles_and_its_site(people, camera, ravi, path, seers):
    record(seen(camera, person=ravi))
    make_unknown(people.site)
    counts = {}
    for name in ("meena", "kavita", "farid", "gate", "asha", "stranger", "root"):
        answer = as_(getattr(people, name)).get(f"/api/v1/identity/{path}")
        counts[name] = answer.json().get("count", 0)
    assert counts == {name: int(name in seers) for name in counts}
    assert as_(None).get(f"/api/v1/identity/{path}").status_code == 401


def test_lists_cost_the_same_however_long_they_are(people, camera, ravi, django_assert_max_num_queries):
    for number in range(5):
        record(seen(make_camera(people.site), person=make_employee(people.site)))
        unknown_at(camera, unit(number))
        make_snapshot(people.site)
    for path in ("sightings", "unknown-faces", "snapshots"):
        with django_assert_max_num_queries(6):
            assert as_(people.meena).get(f"/api/v1/identity/{path}").json()["count"] >= 5


def test_no_answer_holds_a_vector(people, camera, ravi):
    make_face(ravi)
    unknown_at(camera, unit(1))
    client = as_(people.root)
    paths = [faces_of(ravi), *(f"/api/v1/identity/{name}" for name in ("sightings", "unknown-faces", "snapshots"))]
    said = json.dumps([client.get(path).json() for path in paths])
    assert not [word for word in ("embedding", "mean", "vector", "gAAAA") if word in said]


def test_hr_assigns_an_unknown_face_once(people, camera, ravi):
    unknown = unknown_at(camera, unit(1)).unknown_face
    path = f"/api/v1/identity/unknown-faces/{unknown.pk}/assign"
    asked = {"employee": ravi.pk}
    assert [as_(user).post(path, asked).status_code for user in (people.stranger, people.farid)] == [404, 403]
    answer = as_(people.meena).post(path, asked)
    assert (answer.status_code, answer.json()["state"], answer.json()["employee"]) == (200, "assigned", ravi.pk)
    assert as_(people.meena).post(path, asked).json()["code"] == "already_decided"


def test_an_unknown_face_is_assigned_to_somebody_the_user_may_see(people, camera):
    unknown = unknown_at(camera, unit(1)).unknown_face
    foreigner = make_employee(people.other_site)
    path = f"/api/v1/identity/unknown-faces/{unknown.pk}/assign"
    assert as_(people.meena).post(path, {"employee": foreigner.pk}).status_code == 404
    unknown.refresh_from_db()
    assert unknown.state == "open"


def test_a_picture_that_does_not_serve_is_not_enrolled_and_leaves_the_face_open(people, camera, ravi):
    unknown = unknown_at(camera, unit(1)).unknown_face
    path = f"/api/v1/identity/unknown-faces/{unknown.pk}/assign"
    answer = as_(people.meena).post(path, {"employee": ravi.pk, "enrol": True})
    assert (answer.status_code, answer.json()["code"]) == (422, "no_face")
    unknown.refresh_from_db()
    assert unknown.state == "open"


def test_security_dismisses_merges_and_knows_visitors(people, camera):
    one, two, three = (unknown_at(camera, unit(n)).unknown_face for n in range(3))
    base = "/api/v1/identity/unknown-faces"
    client, stranger = as_(people.farid), as_(people.stranger)
    steps = [(one, "merge", {"into": two.pk}), (two, "visitor", {"label": "Courier"}), (three, "dismiss", {})]
    for unknown, verb, asked in steps:
        assert stranger.post(f"{base}/{unknown.pk}/{verb}", asked).status_code == 404
        assert client.post(f"{base}/{unknown.pk}/{verb}", asked).status_code == 200
    listed = {row["id"]: row for row in client.get(base).json()["results"]}
    assert [listed[face.pk]["state"] for face in (one, two, three)] == ["merged", "visitor", "dismissed"]
    assert listed[one.pk]["merged_into"] == two.pk


def test_hr_decides_a_doubtful_sighting(people, camera, ravi):
    sighting = record(seen(camera, person=ravi, outcome="review", reason="below_known"))
    path = f"/api/v1/identity/sightings/{sighting.pk}/decide"
    asked = {"employee": ravi.pk}
    statuses = [as_(user).post(path, asked).status_code for user in (people.stranger, people.kavita, people.meena)]
    assert statuses == [404, 403, 200]
    assert as_(people.meena).post(path, asked).status_code == 409
    assert Sighting.objects.get().review == "confirmed"


KINDS = {"enrolment": {"meena", "root"}, "sighting": {"meena", "kavita", "root"}}
KINDS["unknown"] = KINDS["sighting"] | {"farid"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_shown_to_the_roles_of_its_kind_and_never_stored(people, kind):
    snapshot = make_snapshot(people.site, kind=kind)
    for name in ("meena", "kavita", "farid", "gate", "asha", "stranger", "root"):
        client = as_(getattr(people, name))
        answer = client.get(f"/media/snapshots/{snapshot.pk}")
        listed = client.get("/api/v1/identity/snapshots").json().get("count", 0)
        assert (answer.status_code == 200, listed == 1) == (name in KINDS[kind],) * 2
        if name in KINDS[kind]:
            assert (answer["Cache-Control"], answer["Content-Type"]) == ("no-store", "image/jpeg")
            assert answer.content.startswith(b"\xff\xd8")
    assert as_(None).get(f"/media/snapshots/{snapshot.pk}").status_code == 401


def test_a_picture_whose_file_is_gone_is_not_found(people):
    snapshot = make_snapshot(people.site, state="deleted")
    answer = as_(people.meena).get(f"/media/snapshots/{snapshot.pk}")
    assert (answer.status_code, answer.json()["code"]) == (404, "snapshot_gone")


def test_a_manager_purges_only_the_sites_of_his(people):
    for site in (people.site, people.other_site):
        make_snapshot(site, days_old=10_000)
    path = "/api/v1/identity/snapshots/purge"
    dry = as_(people.kavita).post(path, {"dry_run": True}).json()
    assert dry.keys() == {"planned", "deleted", "freed_bytes", "freed_mb", "held", "missing", "failed"}
    assert as_(people.kavita).post(path, {}).json() == dry
    assert (dry["planned"], dry["deleted"]) == (1, 1)
    assert list(Snapshot.objects.order_by("site__slug").values_list("state", flat=True)) == ["stored", "deleted"]


@pytest.mark.parametrize(("who", "status"), [("meena", 403), ("farid", 403), ("gate", 403), (None, 401)])
def test_only_managers_purge(people, who, status):
    make_snapshot(people.site, days_old=10_000)
    answer = as_(getattr(people, who) if who else None).post("/api/v1/identity/snapshots/purge", {})
    assert (answer.status_code, Snapshot.objects.get().state) == (status, "stored")


def test_a_purge_by_a_clock_that_jumped_is_a_conflict(people):
    PurgeRun.objects.create(started_at=NOON.replace(year=2020))
    answer = as_(people.kavita).post("/api/v1/identity/snapshots/purge", {"dry_run": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "clock_jumped")
    accepted = as_(people.kavita).post("/api/v1/identity/snapshots/purge", {"dry_run": True, "accept_clock": True})
    assert accepted.status_code == 200


def test_a_picture_is_held_and_released_by_those_who_may(people):
    snapshot = make_snapshot(people.site)
    path = f"/api/v1/identity/snapshots/{snapshot.pk}"
    asked = {"reason": "Theft"}
    assert [as_(user).post(f"{path}/hold", asked).status_code for user in (people.stranger, people.farid)] == [404, 404]
    assert as_(people.meena).post(f"{path}/hold", asked).json()["is_held"] is True
    assert as_(people.meena).post(f"{path}/release").json()["is_held"] is False
