"""Who is who from frame to frame: scenes by table, any movement by hypothesis, and a real clip."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.assignment import assign
from streaming.detectors import load_detector
from streaming.frames import Box, Detection, Track
from streaming.motion import Motion
from streaming.tests.street import read
from streaming.tracking import Tracker, TrackerPolicy, overlaps_of
from tests.needs import needs_footage

RED, BLUE, GREY = np.eye(3, dtype=np.float32)
"""Looks that have nothing in common."""


def person(x: float, y: float = 200, confidence: float = 0.8, look: np.ndarray | None = None) -> Detection:
    """A person 40 × 100 px whose middle is at (x, y)."""
    return Detection("person", confidence, (x - 20, y - 50, x + 20, y + 50), look)


def follow(frames: Iterable[list[Detection]], fps: float = 10, tracker: Tracker | None = None) -> list[list[Track]]:
    tracker = tracker or Tracker(ids=itertools.count(1))
    return [tracker.update(frame, 1000 + number / fps) for number, frame in enumerate(frames)]


def seen(tracks: list[Track]) -> dict[int, float]:
    """Return id → middle of those confirmed and seen in this frame."""
    return {t.id: (t.box[0] + t.box[2]) / 2 for t in tracks if t.is_confirmed and not t.missed_s}


def ids_of(frames: list[list[Track]]) -> set[int]:
    return {track_id for tracks in frames for track_id in seen(tracks)}


def test_somebody_is_confirmed_at_the_third_sighting() -> None:
    frames = follow([[person(100)], [person(104)], [person(108)]])
    assert [[t.is_confirmed for t in tracks] for tracks in frames] == [[False], [False], [True]]


def test_a_flicker_is_never_confirmed() -> None:
    assert ids_of(follow([[person(100)], [], [], [person(400)], [person(402)], [], [], []])) == set()


@pytest.mark.parametrize(
    ("confidences", "confirmed"),
    [
        pytest.param([0.5, 0.5, 0.5], True, id="just sure enough to begin"),
        pytest.param([0.49, 0.49, 0.49, 0.49], False, id="not sure enough to begin"),
        pytest.param([0.6, 0.46, 0.46], True, id="less is enough to go on"),
        pytest.param([0.6, 0.4, 0.4, 0.4], False, id="weak sightings do not confirm"),
    ],
)
def test_how_sure_the_detector_must_be(confidences: list[float], confirmed: bool) -> None:
    frames = follow([[person(100, confidence=confidence)] for confidence in confidences])
    assert any(seen(tracks) for tracks in frames) is confirmed


def test_a_weak_sighting_holds_a_confirmed_track() -> None:
    frames = follow([[person(100)]] * 3 + [[person(101, confidence=0.25)]])
    assert seen(frames[-1]) == {1: 101}


@pytest.mark.parametrize("fps", [1.5, 2, 5, 10, 25])
def test_a_walker_keeps_the_id_at_any_frame_rate(fps: float) -> None:
    walk = [[person(100 + 60 * number / fps, look=RED)] for number in range(20)]
    assert ids_of(follow(walk, fps)) == {1}


def test_a_walker_keeps_the_id_when_frames_come_irregularly() -> None:
    times = np.cumsum(np.random.default_rng(3).uniform(0.05, 0.6, 40))
    tracker = Tracker(ids=itertools.count(1))
    frames = [tracker.update([person(100 + 60 * at)], 1000 + at) for at in times]
    assert ids_of(frames) == {1}


def test_two_who_pass_each_other_keep_their_ids() -> None:
    frames = follow([[person(100 + 8 * n), person(420 - 8 * n, 206)] for n in range(40)])
    assert ids_of(frames) == {1, 2}
    first, last = seen(frames[2]), seen(frames[-1])
    assert sorted(first, key=first.get) == sorted(last, key=last.get, reverse=True)


def test_two_who_turn_back_when_they_meet_keep_their_ids_by_their_clothes() -> None:
    there = [[person(100 + 8 * n, look=RED), person(270 - 8 * n, look=BLUE)] for n in range(10)]
    frames = follow([*there, *there[::-1]])
    assert sorted(seen(frames[2]), key=seen(frames[2]).get) == sorted(seen(frames[-1]), key=seen(frames[-1]).get)


@pytest.mark.parametrize(
    ("hidden_s", "look", "is_same"),
    [
        pytest.param(1.0, RED, True, id="behind a post for a second"),
        pytest.param(2.5, RED, True, id="behind a van for longer"),
        pytest.param(3.5, RED, False, id="longer than the memory"),
        pytest.param(1.0, BLUE, False, id="somebody else comes out"),
    ],
)
def test_who_comes_out_from_behind_something(hidden_s: float, look: np.ndarray, is_same: bool) -> None:
    before = [[person(100 + 6 * n, look=RED)] for n in range(10)]
    hidden = round(hidden_s * 10)
    after = [[person(160 + 6 * (hidden + n), look=look)] for n in range(5)]
    frames = follow([*before, *[[]] * hidden, *after])
    assert (set(seen(frames[9])) == set(seen(frames[-1]))) is is_same


def test_a_look_alike_too_far_away_is_somebody_else() -> None:
    before = [[person(100, look=RED)]] * 5
    after = [[person(700, look=RED)]] * 5
    frames = follow([*before, *after])
    assert seen(frames[4]).keys() != seen(frames[-1]).keys()


def test_a_track_not_seen_is_shown_on_its_way_for_a_moment() -> None:
    frames = follow([[person(100 + 6 * n)] for n in range(12)] + [[]] * 8)
    coasting = [tracks[0] for tracks in frames[12:] if tracks]
    assert [round(t.missed_s, 3) for t in coasting] == [0.1, 0.2, 0.3, 0.4]
    middles = [(t.box[0] + t.box[2]) / 2 for t in coasting]
    assert middles == sorted(middles)
    assert 166 < middles[0] < middles[-1] < 200


def test_a_van_that_is_now_a_car_now_a_truck_is_one_track_with_the_likelier_name() -> None:
    box = (100.0, 100.0, 300.0, 220.0)
    names = ["car", "truck", "truck", "car", "truck"]
    frames = follow([[Detection(name, 0.6, box)] for name in names])
    assert [(t.id, t.label) for t in frames[-1]] == [(1, "truck")]


def test_a_person_never_becomes_a_car() -> None:
    box = (100.0, 100.0, 140.0, 200.0)
    frames = follow([[Detection("person", 0.8, box)]] * 4 + [[Detection("car", 0.8, box)]] * 4)
    assert {t.label for t in frames[-1] if not t.missed_s} == {"car"}
    assert seen(frames[3]).keys().isdisjoint(seen(frames[-1]))


def test_classes_outside_the_groups_are_not_mixed() -> None:
    box = (100.0, 100.0, 200.0, 200.0)
    frames = follow([[Detection("forklift", 0.8, box), Detection("dog", 0.8, box)]] * 4)
    assert sorted((t.label, t.is_confirmed) for t in frames[-1]) == [("dog", True), ("forklift", True)]


def test_the_same_frame_again_changes_nothing() -> None:
    tracker = Tracker()
    first = tracker.update([person(100)], 5.0)
    assert tracker.update([person(300)], 5.0) == first


def test_a_clock_set_back_begins_anew_with_other_ids() -> None:
    tracker = Tracker()
    before = [tracker.update([person(100)], 1000 + n / 10) for n in range(5)][-1]
    after = [tracker.update([person(100)], 400 + n / 10) for n in range(5)][-1]
    assert seen(after)
    assert seen(before).keys().isdisjoint(seen(after))


def test_trackers_that_share_a_counter_never_give_the_same_id() -> None:
    ids = itertools.count(1)
    cameras = [Tracker(ids=ids), Tracker(ids=ids)]
    given_ids = [t.id for camera in cameras for t in camera.update([person(100), person(300)], 1.0)]
    assert len(given_ids) == len(set(given_ids)) == 4


def test_trackers_of_one_process_never_give_the_same_id() -> None:
    first, second = (Tracker().update([person(100)], 1.0)[0].id for _ in range(2))
    assert first != second


BOXES = st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(4, 30), st.integers(4, 30)).map(
    lambda b: (float(b[0] * 5), float(b[1] * 5), float(b[0] * 5 + b[2] * 5), float(b[1] * 5 + b[3] * 5))
)
DETECTIONS = st.builds(
    Detection,
    st.sampled_from(["person", "car", "truck", "dog"]),
    st.sampled_from([0.1, 0.25, 0.42, 0.55, 0.9]),
    BOXES,
    st.sampled_from([None, RED, BLUE, GREY]),
)
SCENES = st.lists(
    st.tuples(st.floats(0.01, 2.0), st.lists(DETECTIONS, max_size=6, unique_by=lambda d: d.box)), max_size=14
)


def play(scene: list[tuple[float, list[Detection]]], order: int = 1) -> list[list[Track]]:
    tracker, at, frames = Tracker(ids=itertools.count(1)), 1000.0, []
    for elapsed, detections in scene:
        at += elapsed
        frames.append(tracker.update(detections[::order], at))
    return frames


@given(SCENES)
def test_the_order_of_detections_decides_nothing(scene: list) -> None:
    assert play(scene) == play(scene, order=-1)


@given(SCENES)
def test_ids_are_unique_in_a_frame_and_never_come_back(scene: list) -> None:
    last_seen: dict[int, float] = {}
    for (_, _), tracks in zip(scene, play(scene), strict=True):
        assert len({t.id for t in tracks}) == len(tracks)
        for track in tracks:
            assert track.last_seen_at >= last_seen.get(track.id, track.first_seen_at)
            gap = track.last_seen_at - last_seen.get(track.id, track.last_seen_at)
            assert gap <= TrackerPolicy().memory_s
            last_seen[track.id] = track.last_seen_at


@given(SCENES)
def test_every_track_is_somebody_seen_or_missed_for_a_moment_only(scene: list) -> None:
    for (_, detections), tracks in zip(scene, play(scene), strict=True):
        boxes = {d.box for d in detections}
        assert all(np.isfinite(t.box).all() for t in tracks)
        assert all(t.box in boxes for t in tracks if not t.missed_s)
        assert all(t.is_confirmed and t.missed_s <= TrackerPolicy().coasting_s for t in tracks if t.missed_s)


@given(SCENES, st.floats(3.01, 1e6))
def test_nothing_outlives_the_memory(scene: list, later: float) -> None:
    tracker, at = Tracker(), 0.0
    for elapsed, detections in scene:
        at += elapsed
        tracker.update(detections, at)
    assert tracker.update([], at + later) == []
    assert tracker._traces == []


@given(SCENES)
def test_two_cameras_do_not_disturb_each_other(scene: list) -> None:
    alone = play(scene)
    ids = itertools.count(1)
    first, second, at = Tracker(ids=ids), Tracker(ids=ids), 1000.0
    for (elapsed, detections), expected in zip(scene, alone, strict=True):
        at += elapsed
        together = first.update(detections, at)
        second.update(detections[:1], at)
        assert [replace(t, id=0) for t in together] == [replace(t, id=0) for t in expected]


@given(
    st.integers(0, 5).flatmap(
        lambda rows: st.integers(0, 5).flatmap(
            lambda columns: st.lists(
                st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 0.75, 1.0]), min_size=columns, max_size=columns),
                min_size=rows,
                max_size=rows,
            )
        )
    )
)
def test_no_other_pairing_gains_more(table: list[list[float]]) -> None:
    gains = np.array(table, float).reshape(len(table), len(table[0]) if table else 0)
    pairs = assign(gains)
    assert all(gains[pair] > 0 for pair in pairs)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert sum(gains[pair] for pair in pairs) == best_sum(np.maximum(gains, 0))


def best_sum(gains: np.ndarray) -> float:
    """Try every pairing."""
    gains = gains if gains.shape[0] <= gains.shape[1] else gains.T
    rows = range(gains.shape[0])
    return max(
        (
            sum(gains[row, column] for row, column in zip(rows, chosen, strict=True))
            for chosen in itertools.permutations(range(gains.shape[1]), gains.shape[0])
        ),
        default=0.0,
    )


@given(BOXES, BOXES)
def test_overlap_is_mutual_and_whole_only_for_the_same_box(first: Box, second: Box) -> None:
    there, back = overlaps_of([first], [second])[0, 0], overlaps_of([second], [first])[0, 0]
    assert there == back
    assert bool(there == 1.0) is (first == second)


def test_overlap_of_half_covered_boxes() -> None:
    assert overlaps_of([(0, 0, 10, 10)], [(5, 0, 15, 10), (10, 0, 20, 10)]).tolist() == [[pytest.approx(1 / 3), 0.0]]


def test_a_steady_walk_is_predicted_within_a_pixel() -> None:
    motion = Motion((0, 0, 40, 100), 0.0)
    for number in range(1, 30):
        motion.advance(number / 10)
        motion.correct((6 * number, 0, 6 * number + 40, 100), number / 10)
    motion.advance(3.0)
    assert motion.box == pytest.approx((180, 0, 220, 100), abs=1)


def test_who_stays_hidden_is_not_thought_to_walk_on_for_ever() -> None:
    motion = Motion((0, 0, 40, 100), 0.0)
    for number in range(1, 30):
        motion.advance(number / 10)
        motion.correct((6 * number, 0, 6 * number + 40, 100), number / 10)
    ahead = []
    for number in range(30, 130):
        motion.advance(number / 10)
        ahead.append(motion.box[0] - 174)
    assert ahead == sorted(ahead)
    assert ahead[0] == pytest.approx(6, abs=1)
    assert ahead[-1] < 60 * 1.2
    assert motion.box[3] - motion.box[1] == pytest.approx(100, abs=1)


@pytest.mark.footage
def test_people_in_the_street_keep_their_ids() -> None:
    """Looking through the clip one counts 19 people who come and go, some more than once."""
    detector = load_detector()
    frames = follow(detector.detect(picture) for picture in read(needs_footage("video/vtest.avi")))
    people = {t.id for tracks in frames for t in tracks if t.is_confirmed and t.label == "person"}
    assert 19 <= len(people) <= 24
