"""Plates of vehicles in a picture: whose they are, where they are looked for, what is told, what is drawn."""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from factoryai.sealing import unseal
from streaming.frames import Frame, Observation, Track
from streaming.recorder import decode, encode
from vehicles.analyser import PlateAnalyser, PlatePolicy, doubted_at_side, owner_of
from vehicles.confidential import ConfidentialPlates
from vehicles.readers import PlateText, load_reader
from vehicles.rules.gate import judge_plate
from vehicles.tests.plates import USUAL, Colours, Spoiling, draw_plate, spoil

SIZE = (640, 360)
YARD = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
LANE = [(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)]


class Counting:
    """The real reader, counting how often and at how large a picture it is asked."""

    def __init__(self) -> None:
        self.inner, self.sizes = load_reader(), []

    def read(self, image: np.ndarray) -> Sequence[PlateText]:
        self.sizes.append(image.shape[:2])
        return self.inner.read(image)


def show(text: str, at: tuple[int, int] = (300, 220), width: int = 150, image: np.ndarray | None = None) -> np.ndarray:
    """Put a plate, its groups apart, into a picture of a yard; ``at`` is its upper left corner."""
    picture = (YARD if image is None else image).copy()
    plate = draw_plate([text], Colours.PRIVATE)
    plate = cv2.resize(plate, (width, round(width * plate.shape[0] / plate.shape[1])), interpolation=cv2.INTER_AREA)
    picture[at[1] : at[1] + plate.shape[0], at[0] : at[0] + plate.shape[1]] = plate
    return cv2.GaussianBlur(picture, (3, 3), 0)


def vehicle(track: int = 1, box: tuple = (240.0, 80.0, 520.0, 300.0), **state: object) -> Track:
    given = {"label": "car", "confidence": 0.9, "is_confirmed": True, "first_seen_at": 0, "last_seen_at": 0, **state}
    return Track(id=track, box=box, **given)


def watch(
    analyser: PlateAnalyser, image: np.ndarray, tracks: Sequence[Track], count: int, start: float = 100.0
) -> list[Observation]:
    """Show the same picture five times a second and return what was told."""
    told = []
    for number in range(count):
        at = start + number / 5
        told += analyser.analyse(Frame("gate", number, at, image), tracks).observations
    return told


@pytest.fixture
def reader() -> Counting:
    return Counting()


def test_a_plate_in_a_vehicles_box_is_told_and_drawn(reader: Counting) -> None:
    analyser, image = PlateAnalyser(reader, PlatePolicy("in")), show("MH 12 AB 1234")
    told = watch(analyser, image, [vehicle()], 6)
    assert [(one.kind, one.camera, one.captured_at) for one in told] == [("plate", "gate", 100.2)]
    data = told[0].data
    assert (data["plate"], data["agreeing_reads"], data["direction"], data["is_final"]) == (
        "MH12AB1234",
        2,
        "in",
        False,
    )
    assert data["confidence"] > 0.85
    assert len(data["characters"]) == 10
    assert data["candidates"][0][0] == "MH12AB1234"
    assert 290 < data["box"][0] < data["box"][2] < 460
    crop = cv2.imdecode(np.frombuffer(base64.b64decode(data["picture"]), np.uint8), cv2.IMREAD_COLOR)
    assert load_reader().read(crop)[0].text == "MH12AB1234"
    assert analyser.analyse(Frame("gate", 9, 102, image), [vehicle()]).names == {1: "MH12AB1234"}
    assert reader.sizes[0] < SIZE[::-1]


def test_the_passage_ends_with_a_last_word_under_the_same_track(reader: Counting) -> None:
    analyser = PlateAnalyser(reader)
    told = watch(analyser, show("MH 12 AB 1234"), [vehicle()], 4)
    told += watch(analyser, show("MH 12 AB 1234"), [vehicle()], 1, start=120)
    gone = watch(analyser, YARD, [], 2, start=125)
    assert [one.data["is_final"] for one in [*told, *gone]] == [False, True]
    assert len({one.data["track"] for one in [*told, *gone]}) == 1
    assert watch(analyser, YARD, [], 2, start=130) == []


def test_tracks_are_named_anew_by_every_camera_process(reader: Counting) -> None:
    image = show("MH 12 AB 1234")
    told = [watch(PlateAnalyser(reader), image, [vehicle()], 3)[0].data["track"] for _ in range(2)]
    assert told[0] != told[1]


@pytest.mark.parametrize(
    "track",
    [
        pytest.param(vehicle(label="person"), id="a person"),
        pytest.param(vehicle(is_confirmed=False), id="not confirmed"),
        pytest.param(vehicle(missed_s=0.2), id="only predicted"),
        pytest.param(vehicle(box=(0.0, 0.0, 200.0, 150.0)), id="elsewhere"),
        pytest.param(vehicle(box=(300.0, 220.0, 340.0, 260.0)), id="too small"),
        pytest.param(vehicle(box=(-900.0, -900.0, -100.0, -100.0)), id="outside the picture"),
    ],
)
def test_a_sign_that_is_on_no_vehicle_is_not_read(reader: Counting, track: Track) -> None:
    assert watch(PlateAnalyser(reader), show("MH 12 AB 1234"), [track], 6) == []


def test_each_of_two_vehicles_keeps_its_own_plate(reader: Counting) -> None:
    image = show("KA 05 MJ 7026", at=(20, 200), image=show("MH 12 AB 1234", at=(400, 240)))
    tracks = [vehicle(1, (0.0, 60.0, 220.0, 280.0)), vehicle(2, (340.0, 80.0, 620.0, 330.0))]
    told = watch(PlateAnalyser(reader), image, tracks, 8)
    assert sorted(one.data["plate"] for one in told) == ["KA05MJ7026", "MH12AB1234"]


def test_a_plate_in_two_boxes_is_of_the_vehicle_that_stands_nearer(reader: Counting) -> None:
    lorry, car = vehicle(1, (100.0, 0.0, 600.0, 240.0)), vehicle(2, (240.0, 80.0, 520.0, 300.0))
    assert owner_of((300, 210, 450, 235), [lorry, car]) == 2
    assert owner_of((110, 210, 160, 235), [lorry, car]) == 1
    assert owner_of((0, 300, 20, 310), [lorry, car]) is None
    analyser = PlateAnalyser(reader)
    assert len(watch(analyser, show("MH 12 AB 1234", at=(300, 210), width=140), [lorry, car], 6)) == 1


def test_a_zone_is_read_where_no_vehicle_is_detected_and_only_there(reader: Counting) -> None:
    analyser = PlateAnalyser(reader, PlatePolicy(zones=[LANE]))
    assert watch(analyser, show("KA 05 MJ 7026", at=(20, 20)), [], 8) == []
    told = watch(analyser, show("MH 12 AB 1234"), [], 10, start=110)
    assert [(one.data["plate"], one.data["is_final"]) for one in told] == [("MH12AB1234", False)]
    assert watch(analyser, show("MH 12 AB 1234"), [], 5, start=130) == []
    gone = [one for start in (135, 136, 137, 138, 139) for one in watch(analyser, YARD, [], 5, start=start)]
    assert [(one.data["plate"], one.data["is_final"]) for one in gone] == [("MH12AB1234", True)]


def test_a_zone_in_which_nothing_changes_costs_nothing(reader: Counting) -> None:
    analyser = PlateAnalyser(reader, PlatePolicy(zones=[LANE]))
    noise = np.random.default_rng(1)
    for number in range(100):
        image = np.clip(YARD + noise.normal(0, 4, YARD.shape), 0, 255).astype(np.uint8)
        analyser.analyse(Frame("gate", number, 100 + number / 5, image), [])
    assert len(reader.sizes) <= 8


def test_a_zone_with_a_detected_vehicle_is_left_to_the_vehicle(reader: Counting) -> None:
    analyser = PlateAnalyser(reader, PlatePolicy(zones=[LANE]))
    assert len(watch(analyser, show("MH 12 AB 1234"), [vehicle()], 6)) == 1


def test_another_vehicle_under_the_same_track_is_another_passage(reader: Counting) -> None:
    analyser = PlateAnalyser(reader)
    first = watch(analyser, show("MH 12 AB 1234"), [vehicle()], 6)
    second = [
        one
        for start in (115, 126, 137, 138)
        for one in watch(analyser, show("KA 05 MJ 7026"), [vehicle()], 1, start=start)
    ]
    told = [*first, *second]
    assert [(one.data["plate"], one.data["is_final"]) for one in told] == [
        ("MH12AB1234", False),
        ("MH12AB1234", True),
        ("KA05MJ7026", False),
    ]
    assert told[0].data["track"] == told[1].data["track"] != told[2].data["track"]


@pytest.mark.parametrize(
    ("way", "is_in_clockwise", "direction"),
    [(60, True, "in"), (-60, True, "out"), (60, False, "out"), (1, True, "")],
    ids=["down is in", "up is out", "the other way round", "has not moved"],
)
def test_a_camera_that_sees_both_ways_tells_the_way_by_its_line(
    reader: Counting, way: int, is_in_clockwise: bool, direction: str
) -> None:
    """A line from left to right: clockwise is downwards."""
    policy = PlatePolicy(lines=[([(0.0, 0.5), (1.0, 0.5)], is_in_clockwise)])
    analyser = PlateAnalyser(reader, policy)
    analyser.analyse(Frame("gate", 0, 99, YARD), [vehicle(box=(240.0, 80.0 - way * 2, 520.0, 300.0 - way * 2))])
    told = watch(analyser, show("MH 12 AB 1234"), [vehicle()], 4)
    assert told[0].data["direction"] == direction


def test_an_observation_waits_in_a_file_with_its_picture_sealed(reader: Counting) -> None:
    analyser = ConfidentialPlates(PlateAnalyser(reader))
    (told,) = watch(analyser, show("MH 12 AB 1234"), [vehicle()], 4)
    line = encode(told)
    assert "picture" not in told.data
    assert unseal(decode(line).data["sealed_picture"].encode()).startswith(b"\xff\xd8\xff")
    assert decode(line).data["plate"] == "MH12AB1234"


def test_a_foreign_vehicle_is_told_of_but_not_accepted(reader: Counting) -> None:
    analyser = PlateAnalyser(reader)
    told = watch(analyser, show("KL AB 4234"), [vehicle()], 25)
    told += watch(analyser, YARD, [], 2, start=120)
    assert {one.data["raw"].replace(" ", "") for one in told} <= {"KLAB4234"}
    assert not any(judge_plate(one.data["plate"], one.data["confidence"]).accepted for one in told)


def test_a_clock_set_back_ends_the_passages(reader: Counting) -> None:
    analyser = PlateAnalyser(reader)
    for start in (100, 118):
        watch(analyser, show("MH 12 AB 1234"), [vehicle()], 4, start=start)
    told = watch(analyser, YARD, [], 1, start=50)
    assert [one.data["is_final"] for one in told] == [True]


def test_a_plate_seen_badly_is_read_right_over_several_frames(reader: Counting) -> None:
    analyser, dice, told = PlateAnalyser(reader), random.Random(3), []
    how = replace(USUAL, noise=10.0, light=0.5)
    for number in range(10):
        image = spoil(
            draw_plate(["GJ 05 BT 4821"], Colours.COMMERCIAL), Spoiling(110, how.blur, 9, 0.1, 0.6), dice, SIZE
        )
        whole = vehicle(box=(0.0, 0.0, 640.0, 360.0))
        told += analyser.analyse(Frame("gate", number, 100 + number / 5, image), [whole]).observations
    assert [one.data["plate"] for one in told[-1:]] == ["GJ05BT4821"]


@pytest.mark.parametrize(
    ("text", "box", "sure"),
    [
        pytest.param("WB04H50", (100, 10, 199, 40), 0.5, id="cut off on the right"),
        pytest.param("21BH2345A", (1, 10, 90, 40), 0.5, id="at the left side"),
        pytest.param("WB04H50", (50, 10, 150, 40), 0.99, id="in the middle"),
        pytest.param("WB04H5023", (100, 10, 199, 40), 0.99, id="whole although it touches"),
    ],
)
def test_what_a_side_may_have_cut_off_is_not_sure(text: str, box: tuple, sure: float) -> None:
    plate = PlateText(text, 0.99, (0.99,) * len(text), ((text, 1.0),), box, text)
    assert doubted_at_side(plate, 200).confidence == sure


def test_a_plate_that_leaves_the_picture_is_not_accepted_as_a_shorter_one(reader: Counting) -> None:
    image = np.ascontiguousarray(show("WB04H5023", width=150)[:, :423])
    seen = watch(PlateAnalyser(reader), image, [vehicle(box=(240.0, 80.0, 422.0, 300.0))], 20)
    assert seen
    assert all(one.data["confidence"] <= 0.5 for one in seen)
