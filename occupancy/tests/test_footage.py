"""Counting in a real street: PETS09-S2L1 (OpenCV's vtest.avi), whose public ground truth is known at x = 300."""

from __future__ import annotations

import cv2
import pytest

from occupancy.rules.crossings import Line, LineCounter
from streaming.detectors.base import load_detector
from streaming.frames import PERSON, group_of
from streaming.tracking import Tracker
from tests.needs import needs_footage

pytestmark = pytest.mark.footage
WIDTH, HEIGHT, FPS = 768, 576, 10
WENT_RIGHT, WENT_LEFT = 14, 18
NEAR = {
    "upright": ((290, 0), (290, HEIGHT)),
    "leaning": ((296, 0), (304, HEIGHT)),
    "other way": ((300, HEIGHT), (300, 0)),
}


@pytest.fixture(scope="module")
def counted() -> dict[str, tuple[int, int]]:
    """Who went right and left over each line, all counted in one passage of the clip."""
    lines = [Line("truth", (300, 0), (300, HEIGHT)), *(Line(name, *ends) for name, ends in NEAR.items())]
    detector, tracker, counter = load_detector(), Tracker(), LineCounter(lines)
    clip, found = cv2.VideoCapture(str(needs_footage("video/vtest.avi"))), {line.name: [0, 0] for line in lines}
    number = 0
    while (read := clip.read())[0]:
        at = 1000 + number / FPS
        people = [one for one in tracker.update(detector.detect(read[1]), at) if group_of(one.label) == PERSON]
        for crossing in counter.update(people, at):
            found[crossing.line][crossing.is_in] += 1
        number += 1
    clip.release()
    return {name: tuple(ways) for name, ways in found.items()}


def test_the_truth_is_met_within_one_each_way(counted: dict) -> None:
    right, left = counted["truth"]
    assert abs(right - WENT_RIGHT) <= 1
    assert abs(left - WENT_LEFT) <= 1


def test_a_line_close_by_counts_alike_however_it_is_drawn(counted: dict) -> None:
    for name in NEAR:
        right, left = counted[name] if name != "other way" else counted[name][::-1]
        assert abs(right - WENT_RIGHT) <= 2, name
        assert abs(left - WENT_LEFT) <= 2, name
