"""The real network on real pictures, and each step around it on values that can be worked out by hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.appearance import LENGTH, describe
from streaming.detectors import Detector, DetectorError, DetectorSettings, load_detector, nanodet
from streaming.frames import Detection, group_of
from streaming.tests.street import CARS, CYCLIST, pictures, read
from streaming.tracking import TrackerPolicy, overlaps_of
from tests.needs import needs_footage


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector()


def sure(found: list[Detection], at_least: float = 0.4) -> list[str]:
    return [d.label for d in found if d.confidence >= at_least]


class OwnEngine:
    """An engine that a site brings itself; the settings name it by its dotted path."""

    def __init__(self, settings: DetectorSettings) -> None:
        self.floor = settings.floor

    def detect(self, image: np.ndarray) -> list[Detection]:
        return [Detection("forklift", self.floor, (0, 0, float(image.shape[1]), float(image.shape[0])))]


def test_cars_in_the_street_are_found(detector: Detector) -> None:
    assert sure(detector.detect(pictures()[CARS])).count("car") == 3


def test_the_cyclist_his_bicycle_and_the_motorcycle_are_found(detector: Detector) -> None:
    assert set(sure(detector.detect(pictures()[CYCLIST]), 0.3)) >= {"person", "bicycle", "motorcycle"}


def test_the_cyclist_is_where_he_can_be_seen(detector: Detector) -> None:
    person = next(d for d in detector.detect(pictures()[CYCLIST]) if d.label == "person")
    assert overlaps_of([person.box], [(342, 8, 486, 270)])[0, 0] > 0.8


def test_an_empty_wall_holds_nothing(detector: Detector) -> None:
    assert sure(detector.detect(np.full((360, 640, 3), 127, np.uint8)), 0.3) == []


def test_the_surest_comes_first(detector: Detector) -> None:
    confidences = [d.confidence for d in detector.detect(pictures()[CYCLIST])]
    assert confidences == sorted(confidences, reverse=True)


def test_a_larger_picture_of_the_same_scene_gives_the_same_boxes(detector: Detector) -> None:
    small = pictures()[CYCLIST]
    large = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    here = next(d for d in detector.detect(small) if d.label == "person")
    there = next(d for d in detector.detect(large) if d.label == "person")
    assert overlaps_of([here.box], [tuple(v / 2 for v in there.box)])[0, 0] > 0.95


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 190))
def test_boxes_lie_in_the_picture_whatever_its_size(width: int, height: int, left: int) -> None:
    picture = np.ascontiguousarray(pictures()[CARS][:, left:][:height, :width])
    for found in nanodet_once().detect(picture):
        x1, y1, x2, y2 = found.box
        assert 0 <= x1 < x2 <= picture.shape[1]
        assert 0 <= y1 < y2 <= picture.shape[0]


def nanodet_once(_kept: list[Detector] = []) -> Detector:  # noqa: B006 - one session for all examples
    if not _kept:
        _kept.append(load_detector())
    return _kept[0]


@pytest.mark.parametrize("floor", [0.3, 0.5])
def test_nothing_below_the_floor_is_reported(floor: float) -> None:
    found = load_detector(DetectorSettings(floor=floor)).detect(pictures()[CARS])
    assert found
    assert min(d.confidence for d in found) >= floor


def test_threads_that_share_a_detector_get_what_each_asked_for(detector: Detector) -> None:
    asked = [pictures()[number] for number in (CARS, CYCLIST, CARS, CYCLIST)]
    alone = [detector.detect(picture) for picture in asked]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(detector.detect, asked)) == alone


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(np.zeros((40, 40), np.uint8), id="grey"),
        pytest.param(np.zeros((40, 40, 4), np.uint8), id="with transparency"),
        pytest.param(np.zeros((40, 40, 3), np.float32), id="not bytes"),
        pytest.param(np.zeros((0, 40, 3), np.uint8), id="no rows"),
    ],
)
def test_what_is_no_bgr_picture_is_refused(detector: Detector, picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="BGR uint8"):
        detector.detect(picture)


def test_the_session_runs_on_one_thread() -> None:
    session = nanodet.open_session(nanodet.read_weights(nanodet.WEIGHTS, nanodet.SHA256), ["CPUExecutionProvider"])
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_weights_that_were_changed_are_not_loaded(tmp_path: Path) -> None:
    changed = bytearray(nanodet.WEIGHTS.read_bytes())
    changed[5_000_000] ^= 1
    (tmp_path / "weights.onnx").write_bytes(changed)
    with pytest.raises(DetectorError) as refused:
        nanodet.NanoDet(DetectorSettings(), tmp_path / "weights.onnx")
    assert refused.value.code == "wrong_weights"


def test_weights_that_are_gone_are_named(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=r"gone\.onnx") as refused:
        nanodet.NanoDet(DetectorSettings(), tmp_path / "gone.onnx")
    assert refused.value.code == "no_weights"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        pytest.param(DetectorSettings(engine="yolo"), "unknown_engine", id="a name that is not known"),
        pytest.param(DetectorSettings(engine="no.such.Engine"), "unknown_engine", id="a module that is not there"),
        pytest.param(DetectorSettings(engine="streaming.frames.Engine"), "unknown_engine", id="a class not in it"),
        pytest.param(DetectorSettings(providers=("MagicProvider",)), "no_provider", id="a provider not installed"),
    ],
)
def test_settings_that_cannot_be_met_say_so_before_the_first_picture(asked: DetectorSettings, code: str) -> None:
    with pytest.raises(DetectorError) as refused:
        load_detector(asked)
    assert refused.value.code == code


def test_an_engine_of_ones_own_is_loaded_by_its_dotted_path() -> None:
    engine = load_detector(DetectorSettings(engine=f"{__name__}.OwnEngine", floor=0.7))
    assert engine.detect(np.zeros((20, 30, 3), np.uint8)) == [Detection("forklift", 0.7, (0, 0, 30, 20))]


def test_the_picture_keeps_its_shape_and_the_rest_is_the_mean_colour() -> None:
    picture = np.full((100, 200, 3), 255, np.uint8)
    tensor, scale = nanodet.prepare(picture, 64)
    assert tensor.shape == (1, 3, 32, 64)
    assert scale == pytest.approx(0.32)
    expected = [(255 - mean) / std for mean, std in zip(nanodet.MEAN, nanodet.STD, strict=True)]
    assert tensor[0, :, 16, 32] == pytest.approx(expected, abs=1e-4)
    tall, _ = nanodet.prepare(np.full((100, 20, 3), 255, np.uint8), 64)
    assert tall.shape == (1, 3, 64, 32)
    assert not tall[:, :, :, 13:].any()


def grids(stride: int, cell: int, column: int, score: float, strides_away: tuple[int, int, int, int]) -> list:
    """Outputs for a 64 × 64 input in which one cell sees one object, each side so many strides away."""
    made = []
    for each in nanodet.STRIDES:
        cells = (64 // each) ** 2
        scores, sides = np.zeros((1, cells, 80), np.float32), np.zeros((1, cells, 44), np.float32)
        if each == stride:
            scores[0, cell, column] = score
            for side, away in enumerate(strides_away):
                sides[0, cell, side * nanodet.BINS + away] = 50
        made += [scores, sides]
    return made


def test_a_cell_is_decoded_to_the_box_around_its_middle() -> None:
    boxes, scores, classes = nanodet.decode(grids(16, 6, 2, 0.8, (1, 0, 2, 3)), 64, 0.5)
    assert boxes.tolist() == [[pytest.approx(v, abs=1e-3) for v in (39.5 - 16, 23.5, 39.5 + 32, 23.5 + 48)]]
    assert scores == pytest.approx([0.8])
    assert list(nanodet.CLASSES.values())[classes[0]] == "car"


@pytest.mark.parametrize(
    ("column", "score", "found"),
    [(0, 0.5, 1), (0, 0.49, 0), (16, 0.99, 0)],
    ids=["at the floor", "below the floor", "a dog is none of ours"],
)
def test_only_our_classes_at_the_floor_or_above_are_decoded(column: int, score: float, found: int) -> None:
    boxes, _, _ = nanodet.decode(grids(8, 9, column, score, (1, 1, 1, 1)), 64, 0.5)
    assert len(boxes) == found


LABELS = list(nanodet.CLASSES.values())


@pytest.mark.parametrize(
    ("second", "shift", "kept"),
    [
        pytest.param("truck", 2, ["car"], id="a van is not also a truck"),
        pytest.param("car", 60, ["car", "car"], id="two cars half over each other"),
        pytest.param("person", 2, ["car", "person"], id="a person in a car"),
    ],
)
def test_boxes_of_one_group_over_each_other_are_one_object(second: str, shift: int, kept: list[str]) -> None:
    boxes = np.array([[0, 0, 100, 100], [shift, 0, 100 + shift, 100]], np.float32)
    classes = np.array([LABELS.index("car"), LABELS.index(second)])
    found = nanodet.suppress(boxes, np.array([0.9, 0.6], np.float32), classes, 0.2)
    assert [LABELS[classes[number]] for number in found] == kept


def test_every_class_is_a_person_or_a_vehicle() -> None:
    assert {group_of(label) for label in LABELS} == {"person", "vehicle"}


def dressed(shirt: tuple[int, int, int], trousers: tuple[int, int, int], brightness: float = 1.0) -> np.ndarray:
    """A figure in a picture of 100 × 100, its upper half in one colour and its lower half in another, with folds."""
    picture = np.full((100, 100, 3), 90, np.float32)
    picture[10:50, 30:70], picture[50:90, 30:70] = shirt, trousers
    folds = np.random.default_rng(1).normal(1, 0.2, (100, 100, 1))
    return np.clip(picture * folds * brightness, 0, 255).astype(np.uint8)


FIGURE = (30, 10, 70, 90)
RED, NAVY = (40, 30, 200), (110, 50, 30)


@pytest.mark.parametrize(
    ("other", "is_alike"),
    [
        pytest.param(dressed(RED, NAVY, 0.95), True, id="the same clothes in a little less light"),
        pytest.param(dressed(NAVY, RED), False, id="the same colours the other way round"),
        pytest.param(dressed((60, 160, 60), (70, 70, 70)), False, id="other clothes"),
    ],
)
def test_clothes_tell_people_apart(other: np.ndarray, is_alike: bool) -> None:
    likeness = float(describe(dressed(RED, NAVY), FIGURE) @ describe(other, FIGURE))
    assert (likeness > TrackerPolicy().same) is is_alike


def test_what_is_seen_well_says_how_it_looks(detector: Detector) -> None:
    first, second = (detector.detect(pictures()[number]) for number in (CYCLIST, CYCLIST + 6))
    assert {(d.look is not None) for d in first if d.confidence >= nanodet.DESCRIBED_AT} == {True}
    assert {(d.look is None) for d in first if d.confidence < nanodet.DESCRIBED_AT} == {True}
    man, later = (next(d for d in found if d.label == "person") for found in (first, second))
    assert man.look @ later.look > 0.8


@given(st.tuples(*[st.floats(-50, 90, allow_nan=False)] * 4))
def test_a_look_is_a_unit_vector_or_nothing(box: tuple[float, float, float, float]) -> None:
    look = describe(pictures()[CARS][:40, :40], box)
    assert look.shape == (LENGTH,)
    assert float(look @ look) == pytest.approx(1.0, abs=1e-4) or not look.any()


@pytest.mark.footage
def test_the_worker_in_the_hall_is_seen_in_every_picture(detector: Detector) -> None:
    for picture in read(needs_footage("video/worker-zone-detection.gif"))[4:]:
        assert "person" in sure(detector.detect(picture), 0.45)
