"""Crossings become observations, with the camera's own lines, whatever the size of its picture."""

from __future__ import annotations

import numpy as np
import pytest

from occupancy.analyser import CrossingAnalyser
from streaming.frames import Frame, Observation, Track

DOOR = ("door", [(0.0, 0.5), (1.0, 0.5)], True)


def walk_down(analyser: CrossingAnalyser, size: tuple[int, int], *, label: str = "person") -> list[Observation]:
    """Let one walker, a third of the picture tall, go from 0.4 to 0.65 of its height."""
    width, height = size
    found: list[Observation] = []
    for number, share in enumerate((0.40, 0.43, 0.47, 0.53, 0.58, 0.62, 0.65)):
        foot, at = share * height, 1000 + number / 5
        box = (width * 0.45, foot - height / 3, width * 0.55, foot)
        track = Track(7, label, 0.8, box, True, 1000, at)
        frame = Frame("hall", number, at, np.zeros((height, width, 3), np.uint8))
        found.extend(analyser.analyse(frame, [track]).observations)
    return found


@pytest.mark.parametrize("size", [(320, 180), (1280, 720), (1920, 1080)], ids=["small", "HD", "full HD"])
def test_a_person_over_the_line_is_one_crossing(size: tuple[int, int]) -> None:
    found = walk_down(CrossingAnalyser([DOOR]), size)
    assert [(o.kind, o.camera, dict(o.data)) for o in found] == [
        ("crossing", "hall", {"line": "door", "track": 7, "is_in": True})
    ]


def test_every_crossing_has_an_id_of_its_own() -> None:
    found = walk_down(CrossingAnalyser([DOOR, ("inner", [(0.0, 0.55), (1.0, 0.55)], True)]), (1280, 720))
    assert {o.data["line"] for o in found} == {"door", "inner"}
    assert len({o.event_id for o in found}) == 2


def test_a_vehicle_is_no_visitor() -> None:
    assert walk_down(CrossingAnalyser([DOOR]), (1280, 720), label="car") == []


def test_a_camera_without_lines_counts_nothing() -> None:
    assert walk_down(CrossingAnalyser([]), (1280, 720)) == []
