"""Enrolment: which photos are taken, which refused and why, on what ground, and what is kept of them."""

from __future__ import annotations

import datetime as dt
import io

import cv2
import numpy as np
import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection

from factoryai.rest import Refusal
from factoryai.sites.tests.factories import api_client, make_people
from identity.files import media_files
from identity.models import Consent, Face, Snapshot
from identity.pictures import decode_picture
from identity.services.enrolment import enrol_picture, record_consent
from identity.services.gallery import LiveGallery, Names, gallery_changed, gallery_for
from identity.services.grab import grab_picture
from identity.services.snapshots import read_snapshot, reseal_snapshots
from identity.tests.factories import NOON, jpeg_of, make_employee, make_face, unit
from identity.tests.photos import bomb, driver, jpeg_bomb, photo, two_of_him, with_exif_turn
from streaming.scenes import SCENES
from streaming.tests.factories import make_camera

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def ravi(people):
    return make_employee(people.site)


def enrol(employee, data=None, by=None):
    return enrol_picture(employee=employee, data=photo() if data is None else data, by=by, at=NOON)


def refusal_of(employee, data):
    with pytest.raises(Refusal) as refused:
        enrol(employee, data)
    return refused.value.code, refused.value.status


def test_a_good_photo_is_enrolled_and_its_person_found(people, ravi):
    face = enrol(ravi, by=people.meena)
    assert (face.employee, face.added_by, face.snapshot.kind, face.snapshot.state) == (
        ravi, people.meena, "enrolment", "stored",
    )  # fmt: skip
    assert 0.3 < face.quality <= 1
    found = gallery_for(people.site.pk).current().nearest(face.embedding)
    assert (found[0].person, round(found[0].similarity, 3)) == (str(ravi.pk), 1)


def test_neither_the_photo_nor_the_vector_can_be_read_from_what_is_stored(ravi):
    face = enrol(ravi)
    with connection.cursor() as cursor:
        cursor.execute("SELECT embedding FROM identity_face")
        stored = cursor.fetchone()[0]
    assert stored.startswith("gAAAAA")
    assert b"JFIF" not in media_files().read(face.snapshot.file_name)
    assert read_snapshot(face.snapshot).startswith(b"\xff\xd8")


def test_photos_and_vectors_outlive_a_change_of_the_key(ravi, settings):
    face = enrol(ravi)
    old, new = settings.FIELD_KEYS[0], Fernet.generate_key().decode()
    settings.FIELD_KEYS = [new, old]
    call_command("reseal", stdout=io.StringIO())
    settings.FIELD_KEYS = [new]
    assert float(Face.objects.get().embedding @ face.embedding) == pytest.approx(1)
    assert read_snapshot(face.snapshot).startswith(b"\xff\xd8")
    settings.FIELD_KEYS = [old]
    with pytest.raises(Refusal) as refused:
        read_snapshot(face.snapshot)
    assert refused.value.code == "snapshot_unreadable"


def test_a_damaged_file_is_said_and_does_not_keep_the_others_under_the_old_key(people, ravi, settings):
    face = enrol(ravi)
    damaged = make_face(make_employee(people.site)).snapshot
    media_files().replace(damaged.file_name, b"damaged")
    settings.FIELD_KEYS = [Fernet.generate_key().decode(), *settings.FIELD_KEYS]
    assert reseal_snapshots() == 1
    settings.FIELD_KEYS = settings.FIELD_KEYS[:1]
    assert read_snapshot(face.snapshot).startswith(b"\xff\xd8")
    answer = api_client(people.meena).get(f"/media/snapshots/{damaged.pk}")
    assert (answer.status_code, answer.json()["code"]) == (422, "snapshot_unreadable")


@pytest.mark.parametrize(
    ("make", "code", "status"),
    [
        pytest.param(lambda: jpeg_of(np.full((400, 400, 3), 120, np.uint8)), "no_face", 422, id="no face"),
        pytest.param(lambda: jpeg_of(two_of_him()), "several_faces", 422, id="two faces"),
        pytest.param(lambda: jpeg_of(cv2.resize(driver(), None, fx=0.3, fy=0.3)), "face_too_small", 422, id="small"),
        pytest.param(lambda: jpeg_of(cv2.GaussianBlur(driver(), (0, 0), 5)), "too_blurry", 422, id="blurred"),
        pytest.param(lambda: jpeg_of((driver() * 0.2).astype(np.uint8)), "too_dark", 422, id="dark"),
        pytest.param(bomb, "image_too_large", 413, id="a bomb of 64 megapixels"),
        pytest.param(jpeg_bomb, "image_too_large", 413, id="a bomb of 40 megapixels"),
        pytest.param(lambda: photo() + bytes(11 * 1024**2), "image_too_large", 413, id="eleven megabytes"),
        pytest.param(lambda: b"This is no picture.", "not_an_image", 422, id="a text named jpg"),
        pytest.param(lambda: b"", "not_an_image", 422, id="nothing"),
        pytest.param(lambda: photo()[: len(photo()) // 2], "truncated_image", 422, id="half a picture"),
        pytest.param(lambda: photo()[:20], "truncated_image", 422, id="a header alone"),
        pytest.param(lambda: bomb()[:-20], "truncated_image", 422, id="a PNG without its end"),
        pytest.param(lambda: photo()[:4] + b"\0\1" + bytes(99), "not_an_image", 422, id="a header and rubbish"),
    ],
)
def test_a_picture_that_serves_nobody_is_refused_with_its_reason(ravi, make, code, status):
    assert refusal_of(ravi, make()) == (code, status)
    assert (Face.objects.count(), Snapshot.objects.count()) == (0, 0)


@pytest.mark.parametrize(("orientation", "turn"), [(3, cv2.ROTATE_180), (6, cv2.ROTATE_90_COUNTERCLOCKWISE)])
def test_a_photo_is_turned_as_its_exif_says(ravi, orientation, turn):
    lying = jpeg_of(cv2.rotate(driver(), turn))
    assert decode_picture(with_exif_turn(lying, orientation)).shape == driver().shape


def test_a_photo_upside_down_is_turned_upright(ravi):
    upright = enrol(ravi)
    turned = enrol(ravi, jpeg_of(cv2.rotate(driver(), cv2.ROTATE_180)))
    assert float(upright.embedding @ turned.embedding) > 0.9


def test_what_is_kept_of_a_photo_has_no_exif(ravi):
    face = enrol(ravi, with_exif_turn(photo(), 1))
    assert b"Exif" not in read_snapshot(face.snapshot)


def test_a_face_that_belongs_to_somebody_else_is_refused_and_said_whose(people, ravi):
    enrol(ravi)
    other = make_employee(people.site, "Amit Rao")
    with pytest.raises(Refusal, match="Ravi Kumar") as refused:
        enrol(other, photo(30))
    assert (refused.value.code, other.faces.count()) == ("matches_other_employee", 0)


def test_at_another_site_the_same_face_is_nobodys(people, ravi):
    enrol(ravi)
    assert enrol(make_employee(people.other_site, "Ravi K."), photo(30)).pk


def test_a_photo_unlike_the_persons_others_is_refused(ravi):
    make_face(ravi, unit(1))
    assert refusal_of(ravi, photo()) == ("unlike_other_photos", 422)


def test_who_left_is_not_enrolled(people):
    left = make_employee(people.site, is_active=False)
    assert refusal_of(left, photo()) == ("not_active", 422)


def test_a_ground_is_recorded_before_the_first_photo(people):
    employee = make_employee(people.site, has_consent=False)
    enrol(employee, by=people.meena)
    ground = employee.consents.get()
    assert (ground.basis, ground.notice_version, ground.given_date) == ("employment", "1", NOON.date())
    assert ground.recorded_by == people.meena


def test_where_consent_is_asked_for_nobody_is_enrolled_without(people, settings):
    settings.FACE_GROUND = "consent"
    employee = make_employee(people.site, has_consent=False)
    assert refusal_of(employee, photo()) == ("consent_missing", 422)
    record_consent(
        employee=employee, basis="consent", notice_version="2", given_date=NOON.date(), by=people.meena, at=NOON
    )
    assert enrol(employee).pk


def test_who_withdrew_is_neither_enrolled_nor_recognised(people, ravi):
    face = enrol(ravi)
    Consent.objects.update(withdrawn_at=NOON)
    gallery_changed(people.site.pk)
    assert refusal_of(ravi, photo(30)) == ("consent_withdrawn", 422)
    assert LiveGallery(people.site.pk).current().nearest(face.embedding) == []


def test_a_ground_of_tomorrow_is_refused(people, ravi):
    tomorrow = NOON.date() + dt.timedelta(days=1)
    with pytest.raises(Refusal, match="future"):
        record_consent(employee=ravi, basis="consent", notice_version="2", given_date=tomorrow, by=None, at=NOON)


def test_a_new_notice_takes_the_place_of_the_one_before(people, ravi):
    for _ in range(2):
        record_consent(employee=ravi, basis="consent", notice_version="2", given_date=NOON.date(), by=None, at=NOON)
    assert [row.notice_version for row in ravi.consents.in_force()] == ["2"]
    assert ravi.consents.count() == 2


def test_a_picture_straight_from_a_camera_is_whole_and_masked(people):
    left_half = [[[0, 0], [0.5, 0], [0.5, 1], [0, 1]]]
    camera = make_camera(people.site, address=f"demo:{sorted(SCENES)[0]}", privacy_masks=left_half)
    image = grab_picture(camera)
    width = image.shape[1]
    assert width >= 640
    assert (image[:, : width // 2 - 4].max(), image[:, width // 2 + 8 :].max() > 0) == (0, True)


class Ticks:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_another_process_sees_a_change_within_a_second_and_reads_only_what_came(
    people, ravi, django_assert_num_queries
):
    clock = Ticks()
    process = LiveGallery(people.site.pk, clock)
    first = make_face(ravi)
    gallery_changed(people.site.pk)
    assert process.current().people == [str(ravi.pk)]
    make_face(ravi)
    gallery_changed(people.site.pk)
    assert len(process.current().people) == 1
    clock.now = 1.0
    with django_assert_num_queries(4):
        assert len(process.current().people) == 2
    clock.now = 2.0
    with django_assert_num_queries(1):
        assert len(process.current().people) == 2
    first.delete()
    gallery_changed(people.site.pk)
    clock.now = 3.0
    assert len(process.current().people) == 1


def test_a_name_is_there_whichever_engine_searches(people, ravi):
    make_face(ravi)
    gallery_changed(people.site.pk)
    names = Names(LiveGallery(people.site.pk))
    assert (names.get(str(ravi.pk)), len(names), list(names)) == ("Ravi Kumar", 1, [str(ravi.pk)])


def test_who_left_is_forgotten_within_a_minute(people, ravi):
    clock = Ticks()
    process = LiveGallery(people.site.pk, clock)
    make_face(ravi)
    assert len(process.current().people) == 1
    ravi.is_active = False
    ravi.save()
    clock.now = 61.0
    assert (process.current().people, process.names) == ([], {})
