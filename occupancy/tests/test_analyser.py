"""Crossings become observations, with the camera's own lines, whatever the size of its picture."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from occupancy.analyser import CountingAnalyser, Drawn, Tally
from streaming.frames import Frame, Observation, Track

DOOR = ("door", [(0.0, 0.5), (1.0, 0.5)], True)


def walk_down(analyser: CountingAnalyser, size: tuple[int, int], *, label: str = "person") -> list[Observation]:
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
    found = walk_down(CountingAnalyser(Drawn([DOOR])), size)
    assert [(o.kind, o.camera, dict(o.data)) for o in found] == [
        ("crossing", "hall", {"line": "door", "track": 7, "is_in": True})
    ]


def test_every_crossing_has_an_id_of_its_own() -> None:
    found = walk_down(CountingAnalyser(Drawn([DOOR, ("inner", [(0.0, 0.55), (1.0, 0.55)], True)])), (1280, 720))
    assert {o.data["line"] for o in found} == {"door", "inner"}
    assert len({o.event_id for o in found}) == 2


def test_a_vehicle_is_no_visitor() -> None:
    assert walk_down(CountingAnalyser(Drawn([DOOR])), (1280, 720), label="car") == []


def test_a_camera_without_lines_counts_nothing() -> None:
    assert walk_down(CountingAnalyser(Drawn()), (1280, 720)) == []


def test_what_is_counted_is_drawn_and_begins_with_what_was_counted_before() -> None:
    day = dt.datetime.fromtimestamp(1000, dt.UTC).date()
    analyser = CountingAnalyser(Drawn([DOOR]), Tally(dt.UTC, day, {"door": (4, 2)}))
    walk_down(analyser, (1280, 720))
    frame = Frame("hall", 8, 1002.0, np.zeros((720, 1280, 3), np.uint8))
    assert analyser.analyse(frame, []).lines == {"door": (5, 2)}
    tomorrow = Frame("hall", 9, 1000.0 + 86_400, frame.image)
    assert analyser.analyse(tomorrow, []).lines == {"door": (0, 0)}


def test_who_stands_in_a_zone_is_told_once_and_the_stay_when_it_is_over() -> None:
    analyser = CountingAnalyser(Drawn(zones=[("desk", [(0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)])]))
    image, told, drawn = np.zeros((720, 1280, 3), np.uint8), [], []
    for number in range(60):
        at = 1000 + number / 5
        box = (600.0, 150.0, 680.0, 360.0)
        tracks = [Track(7, "person", 0.8, box, True, 1000, at)] if number < 40 else []
        analysis = analyser.analyse(Frame("hall", number, at, image), tracks)
        told += [(o.kind, o.captured_at, dict(o.data)) for o in analysis.observations]
        drawn.append(analysis.zones["desk"])
    assert told == [
        ("presence", 1000.0, {"area": "desk", "people": 0, "since": None}),
        ("presence", 1001.0, {"area": "desk", "people": 1, "since": 1000.0}),
        ("stay", 1007.8, {"area": "desk", "track": 7, "entered_at": 1000.0}),
        ("presence", pytest.approx(1010.0), {"area": "desk", "people": 0, "since": None}),
    ]
    assert (drawn[2], drawn[30], drawn[-1]) == ((0, None), (1, 1000.0), (0, None))
