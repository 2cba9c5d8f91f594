"""Who walks past: searches per passage, one sighting each, names to draw, and what a failing engine leaves behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest

from identity.analyser import FaceAnalyser, FacePolicy
from identity.recognisers.base import Face, TransientError
from identity.recognisers.local import LocalRecogniser, gallery_of
from identity.rules import Candidate
from identity.tests.test_local_recogniser import clip_frames
from streaming.frames import Frame, Observation, Track


class CountingRecogniser(LocalRecogniser):
    """The local engine, counting what it is asked, and failing when told to."""

    searches = 0
    is_down = False

    def search(self, image: np.ndarray, face: Face) -> Sequence[Candidate]:
        self.searches += 1
        if self.is_down:
            raise TransientError("unreachable", "told to fail")
        return super().search(image, face)


@pytest.fixture(scope="module")
def driver() -> list[np.ndarray]:
    return clip_frames("carphone_pristine.mp4", tuple(range(0, 100, 5)))


@pytest.fixture
def engine(driver: list[np.ndarray]) -> CountingRecogniser:
    engine = CountingRecogniser()
    engine.gallery = gallery_of({"EMP-1": [engine.embed(driver[0], engine.find_faces(driver[0])[0])]})
    return engine


def person(image: np.ndarray, track: int, at: float) -> Track:
    """One track that fills the picture and goes on below it, so that the head is the upper half."""
    height, width = image.shape[:2]
    return Track(track, "person", 0.9, (0, 0, width, 2 * height), True, at, at)


def passage(analyser: FaceAnalyser, images: list[np.ndarray], *, track: int = 1, start: float = 1000.0) -> Iterator:
    """Show a person five times a second, then an empty scene; yield each analysis."""
    for number, image in enumerate(images):
        at = start + number / 5
        yield analyser.analyse(Frame("gate", number, at, image), [person(image, track, at)])
    end = start + len(images) / 5 + 2
    yield analyser.analyse(Frame("gate", len(images), end, images[-1]), [])


def sightings(analyses: Iterator) -> list[Observation]:
    return [observation for analysis in analyses for observation in analysis.observations]


def test_an_enrolled_person_is_named_in_the_picture_and_sighted_once(
    engine: CountingRecogniser, driver: list[np.ndarray]
) -> None:
    analyses = list(passage(FaceAnalyser(engine, {"EMP-1": "Ravi Kumar"}), driver))
    found = sightings(iter(analyses))
    assert [(o.kind, o.data["outcome"], o.data["person"]) for o in found] == [("face", "known", "EMP-1")]
    assert {name for analysis in analyses for name in analysis.names.values()} == {"Ravi Kumar"}
    assert engine.searches == 1


def test_a_stranger_is_sighted_as_unknown_when_gone(engine: CountingRecogniser, driver: list[np.ndarray]) -> None:
    engine.gallery = gallery_of({})
    analyses = list(passage(FaceAnalyser(engine, {}), driver))
    assert [len(analysis.observations) for analysis in analyses] == [*[0] * len(driver), 1]
    assert analyses[-1].observations[0].data["outcome"] == "unknown"
    assert engine.searches <= 2


def coming_nearer(image: np.ndarray, count: int) -> list[np.ndarray]:
    """A picture that grows three times as wide, by the same share each time."""
    return [cv2.resize(image, None, fx=1.0 * 3 ** (n / count), fy=1.0 * 3 ** (n / count)) for n in range(count)]


def test_the_second_search_of_who_comes_nearer_is_kept_for_the_best_shot(
    engine: CountingRecogniser, driver: list[np.ndarray]
) -> None:
    engine.gallery = gallery_of({})
    widths, find = [], engine.search
    engine.search = lambda image, face: widths.append(face.quality.width) or find(image, face)
    images = coming_nearer(driver[0], 12)
    (found,) = sightings(passage(FaceAnalyser(engine, {}), [*images, *images[-1:] * 4]))
    assert found.data["outcome"] == "unknown"
    assert len(widths) == 2
    assert widths[1] >= 1.7 * widths[0]


def test_who_stays_is_reported_while_still_there(engine: CountingRecogniser, driver: list[np.ndarray]) -> None:
    engine.gallery = gallery_of({})
    analyses = list(passage(FaceAnalyser(engine, {}), driver * 4))
    reported = [number for number, analysis in enumerate(analyses) if analysis.observations]
    assert len(reported) == 1
    assert 50 <= reported[0] < 55
    assert engine.searches <= 2


def test_the_same_person_again_within_the_interval_is_one_sighting(
    engine: CountingRecogniser, driver: list[np.ndarray]
) -> None:
    analyser = FaceAnalyser(engine, {}, FacePolicy(resight_s=20))
    found = [len(sightings(passage(analyser, driver, track=n, start=1000 + n * 10))) for n in (1, 2)]
    later = sightings(passage(analyser, driver, track=3, start=1100))
    assert (found, len(later)) == ([1, 0], 1)


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((-100.0, 0.0, 130.0, 288.0), id="beside"),
        pytest.param((10.0, -130.0, 166.0, 400.0), id="behind, and taller"),
    ],
)
def test_a_face_names_the_person_it_belongs_to_and_nobody_beside(
    engine: CountingRecogniser, driver: list[np.ndarray], box: tuple
) -> None:
    analyser, names, found = FaceAnalyser(engine, {"EMP-1": "Ravi Kumar"}), set(), []
    for number, image in enumerate(driver):
        at = 1000 + number / 5
        tracks = [Track(2, "person", 0.9, box, True, at, at), person(image, 1, at)]
        analysis = analyser.analyse(Frame("gate", number, at, image), tracks)
        names |= set(analysis.names.items())
        found += [observation.data["track"] for observation in analysis.observations]
    assert (names, found) == ({(1, "Ravi Kumar")}, [1])


def test_a_failing_engine_leaves_the_passage_for_review(engine: CountingRecogniser, driver: list[np.ndarray]) -> None:
    engine.is_down = True
    found = sightings(passage(FaceAnalyser(engine, {}), driver))
    assert [(o.data["outcome"], o.data["reason"]) for o in found] == [("review", "not_searched")]
    assert found[0].data["face"].size
    assert engine.searches <= 2


def test_a_face_smaller_than_the_cameras_minimum_is_not_looked_up(
    engine: CountingRecogniser, driver: list[np.ndarray]
) -> None:
    assert sightings(passage(FaceAnalyser(engine, {}, FacePolicy(min_width=500)), driver)) == []
    assert engine.searches == 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"is_confirmed": False}, id="not confirmed"),
        pytest.param({"missed_s": 0.4}, id="only predicted"),
        pytest.param({"label": "car"}, id="a vehicle"),
        pytest.param({"box": (-500.0, -500.0, -400.0, -300.0)}, id="outside the picture"),
    ],
)
def test_a_track_that_shows_no_person_is_not_searched(
    engine: CountingRecogniser, driver: list[np.ndarray], change: dict
) -> None:
    state = {
        "label": "person",
        "confidence": 0.9,
        "box": (0.0, 0.0, 176.0, 288.0),
        "is_confirmed": True,
        "missed_s": 0.0,
    }
    track = Track(id=1, first_seen_at=1000, last_seen_at=1000, **{**state, **change})
    analyser = FaceAnalyser(engine, {})
    for number, image in enumerate(driver):
        assert not analyser.analyse(Frame("gate", number, 1000 + number / 5, image), [track]).observations
    assert engine.searches == 0
