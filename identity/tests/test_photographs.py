"""Real people: two of them years apart, and strangers, through the product as HR and the cameras use it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from factoryai.rest import Refusal
from factoryai.sites.tests.factories import make_people
from identity.files import media_files
from identity.models import Employee
from identity.services.enrolment import enrol_picture
from identity.services.search import Found, search_picture
from identity.tests.factories import NOON, jpeg_of, make_employee
from tests.needs import needs_footage

pytestmark = [pytest.mark.django_db, pytest.mark.footage]


def read(name: str) -> np.ndarray:
    return cv2.imread(str(needs_footage(f"faces/{name}.jpg")))


@pytest.fixture
def site():
    return make_people().site


@pytest.fixture
def enrolled(site) -> dict[str, Employee]:
    """Two people, one photo each."""
    people = {}
    for letter in "ab":
        people[letter] = make_employee(site, f"Person {letter}")
        enrol_picture(employee=people[letter], data=jpeg_of(read(f"person_{letter}_1")), by=None, at=NOON)
    return people


def search(site, image: np.ndarray) -> Found:
    return search_picture(data=jpeg_of(image), sites=[site], at=NOON)


@pytest.mark.parametrize("letter", ["a", "b"])
def test_people_are_known_years_later(site, enrolled, letter):
    found = search(site, read(f"person_{letter}_2"))
    assert (found.outcome, found.employee) == ("known", enrolled[letter].pk)
    assert found.similarity >= 0.40
    assert found.second_similarity is None or found.second_similarity < 0.30


@pytest.mark.parametrize("number", [1, 2])
def test_strangers_get_no_name(site, enrolled, number):
    found = search(site, read(f"impostor_{number}"))
    assert (found.outcome, found.employee) == ("unknown", None)
    assert found.similarity < 0.30


def test_a_second_photo_of_the_same_person_is_taken_and_of_another_refused(enrolled):
    enrol_picture(employee=enrolled["a"], data=jpeg_of(read("person_a_2")), by=None, at=NOON)
    with pytest.raises(Refusal) as refused:
        enrol_picture(employee=enrolled["a"], data=jpeg_of(read("person_b_2")), by=None, at=NOON)
    assert (refused.value.code, enrolled["a"].faces.count()) == ("matches_other_employee", 2)


def smaller(image: np.ndarray, width: float) -> np.ndarray:
    """Return the picture shrunk to a face of ``width``; faces fill some 40 % of these portraits."""
    ratio = width / (0.4 * image.shape[1])
    return cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        pytest.param(lambda face: (face * 0.2).astype(np.uint8), "too_dark", id="dark"),
        pytest.param(lambda face: smaller(face, 40), "face_too_small", id="small"),
        pytest.param(lambda face: cv2.GaussianBlur(face, (0, 0), 14), "too_blurry", id="blurred"),
        pytest.param(lambda face: np.hstack([face, face]), "several_faces", id="two faces"),
        pytest.param(lambda face: face[: face.shape[0] // 8], "no_face", id="no face"),
    ],
)
@pytest.mark.parametrize("name", ["person_a_2", "person_b_1", "impostor_1"])
def test_a_spoilt_photo_is_refused_with_its_reason(site, name: str, spoil: Callable, code: str):
    with pytest.raises(Refusal) as refused:
        enrol_picture(employee=make_employee(site), data=jpeg_of(spoil(read(name))), by=None, at=NOON)
    assert refused.value.code == code


@pytest.mark.parametrize("turn", [cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE])
@pytest.mark.parametrize("name", ["person_a_2", "person_b_1"])
def test_a_photo_on_its_side_or_head_is_enrolled_upright(site, name: str, turn: int):
    employee = make_employee(site)
    enrol_picture(employee=employee, data=jpeg_of(cv2.rotate(read(name), turn)), by=None, at=NOON)
    found = search(site, read(name))
    assert (found.employee, found.similarity > 0.9) == (employee.pk, True)


@pytest.mark.parametrize("turn", [cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_90_COUNTERCLOCKWISE])
@pytest.mark.parametrize(("name", "owner"), [("person_a_2", "a"), ("person_b_2", "b"), ("impostor_1", None)])
def test_a_picture_on_its_side_or_head_is_searched_upright(site, enrolled, name: str, owner: str | None, turn: int):
    found = search(site, cv2.rotate(read(name), turn))
    expected = ("known", enrolled[owner].pk) if owner else ("unknown", None)
    assert (found.outcome, found.employee) == expected


def test_of_photos_of_two_people_sent_at_once_the_first_is_kept_and_the_other_said():
    people = make_people()
    employee, client = make_employee(people.site), Client()
    client.force_login(people.meena)
    files = [
        SimpleUploadedFile(f"{name}.jpg", jpeg_of(read(name)), "image/jpeg") for name in ("person_a_2", "person_b_1")
    ]
    answer = client.post("/admin/identity/face/add/", {"employee": employee.pk, "photos": files}, follow=True)
    assert "Photo 2: This face does not resemble" in answer.content.decode()
    face = employee.faces.get()
    assert [entry.name for entry in media_files().entries()] == [face.snapshot.file_name]
