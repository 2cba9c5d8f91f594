"""Signs that a face is a picture of one: what they see, and that they only ever lower a decision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.analyser import FaceAnalyser, FacePolicy
from identity.liveness import framing_sides, has_frame, is_still
from identity.recognisers.local import LocalRecogniser, gallery_of
from identity.tests.photos import driver
from identity.tests.test_analyser import passage, sightings
from identity.tests.test_local_recogniser import clip_frames

BOX = (100.0, 100.0, 200.0, 230.0)


def shifted(by: float, grown: float = 0.0) -> tuple[float, float, float, float]:
    return BOX[0] + by, BOX[1], BOX[2] + by + grown, BOX[3]


@pytest.mark.parametrize(
    ("boxes", "still"),
    [
        pytest.param([BOX] * 3, True, id="fixed to the wall"),
        pytest.param([BOX, shifted(3), shifted(-1)], True, id="camera noise"),
        pytest.param([BOX, shifted(3), shifted(8)], False, id="somebody moves"),
        pytest.param([BOX, shifted(0, 3), shifted(0, 8)], False, id="somebody comes nearer"),
        pytest.param([BOX] * 2, False, id="too few shots to say"),
        pytest.param([], False, id="nothing"),
    ],
)
def test_only_what_neither_moves_nor_grows_is_still(boxes: list, still: bool) -> None:
    assert is_still(boxes) is still


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=9), st.floats(0.1, 50))
def test_stillness_does_not_depend_on_the_size_of_the_face(shifts: list[float], scale: float) -> None:
    boxes = [tuple(side * scale for side in shifted(shift * 20)) for shift in shifts]
    assert is_still(boxes) is is_still([shifted(shift * 20) for shift in shifts]) or abs(np.ptp(shifts) - 0.25) < 0.01


def framed() -> np.ndarray:
    """A phone with a face on it, held before a noisy wall."""
    face = driver()
    height, width = face.shape[:2]
    wall = np.clip(150 + np.random.default_rng(1).normal(0, 6, (height + 300, width + 300, 3)), 0, 255)
    wall[130 : height + 170, 130 : width + 170] = 15
    wall[150 : height + 150, 150 : width + 150] = face
    return wall.astype(np.uint8)


def test_a_face_in_a_frame_is_seen_and_one_without_is_not() -> None:
    engine = LocalRecogniser()
    phone, plain = framed(), driver()
    assert has_frame(phone, engine.find_faces(phone)[0].box)
    assert not has_frame(plain, engine.find_faces(plain)[0].box)


def test_pillars_beside_a_face_are_no_frame() -> None:
    hall = np.full((400, 300, 3), 120, np.uint8)
    hall[:, 60:70] = hall[:, 230:240] = 250
    assert framing_sides(hall, BOX) == {"left", "right"}
    assert not has_frame(hall, BOX)


@pytest.fixture
def frames() -> list[np.ndarray]:
    return clip_frames("carphone_pristine.mp4", tuple(range(0, 30, 5)))


def outcomes(images: list[np.ndarray], *, checks: bool) -> list[tuple[str, str]]:
    engine = LocalRecogniser()
    engine.gallery = gallery_of({"1": [engine.embed(images[0], engine.find_faces(images[0])[0])]})
    analyser = FaceAnalyser(engine, {"1": "Ravi"}, FacePolicy(checks_liveness=checks))
    analyses = list(passage(analyser, images))
    drawn = {name for analysis in analyses for name in analysis.names.values()}
    return [(o.data["outcome"], o.data["reason"], "".join(drawn)) for o in sightings(iter(analyses))]


def test_a_picture_on_the_wall_is_for_review_and_not_named(frames: list[np.ndarray]) -> None:
    noise = np.random.default_rng(2)
    still = [np.clip(frames[0] + noise.normal(0, 3, frames[0].shape), 0, 255).astype(np.uint8) for _ in frames]
    assert outcomes(still, checks=True) == [("review", "does_not_move", "")]
    assert outcomes(still, checks=False) == [("known", "above_known", "Ravi")]


def test_somebody_who_moves_is_known(frames: list[np.ndarray]) -> None:
    assert outcomes(frames, checks=True) == [("known", "above_known", "Ravi")]
