"""The plate engine with its real nets on drawn plates: colours, families, two lines, damage, and no plates at all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.needs import needs_footage
from vehicles.readers import ReaderError, load_reader, read_plate_picture, weights
from vehicles.readers.finder import order_corners, straighten, widen
from vehicles.rules.formats import compile_format
from vehicles.rules.gate import judge_plate
from vehicles.tests.plates import (
    CLEAR,
    FOREIGN,
    LETTERINGS,
    POOR,
    USUAL,
    Colours,
    Lettering,
    Spoiling,
    draw_plate,
    foreign_plate,
    one_line,
    spoil,
    two_lines,
    usual_groups,
)

FAMILIES = [
    pytest.param(["DL 3C AY 2231"], "DL3CAY2231", id="Delhi"),
    pytest.param(["22 BH 2345 AA"], "22BH2345AA", id="Bharat"),
    pytest.param(["KL 01 CC 50"], "KL01CC50", id="short number"),
    pytest.param(["JK 07 2483"], "JK072483", id="no series"),
    pytest.param(["GJ 5 AB 1234"], "GJ5AB1234", id="office of one digit"),
    pytest.param(["77 CD 12"], "77CD12", id="diplomatic"),
    pytest.param(["24B 123456 Z"], "24B123456Z", id="military"),
    pytest.param(["T1223 MH 0123 AA"], "T1223MH0123AA", id="temporary"),
    pytest.param(["MH 12 A 1234", "TC 0001"], "MH12A1234TC0001", id="trade, two lines"),
    pytest.param(["MH VA AA 0001"], "MHVAAA0001", id="vintage"),
    pytest.param(["IND MH 12 AB 1234"], "MH12AB1234", id="country before it"),
    pytest.param(["MH-12", "AB-1234"], "MH12AB1234", id="hyphens, two lines"),
]


@pytest.mark.parametrize("colours", Colours, ids=lambda colours: colours.name.lower())
@pytest.mark.parametrize("lettering", LETTERINGS, ids=["strokes", "simplex", "duplex"])
def test_a_plate_of_any_colour_is_read_and_believed(colours: Colours, lettering: Lettering) -> None:
    dice = random.Random(f"{colours}")
    groups = usual_groups(dice)
    got = read_plate_picture(spoil(draw_plate(one_line(groups), colours, lettering), CLEAR, dice))
    assert got.text == "".join(groups)
    assert judge_plate(got.text, got.confidence).accepted


@pytest.mark.parametrize(("lines", "text"), FAMILIES)
def test_a_plate_of_any_family_is_read(lines: Sequence[str], text: str) -> None:
    lettering = LETTERINGS["-" in lines[0]]
    got = read_plate_picture(spoil(draw_plate(lines, Colours.PRIVATE, lettering), CLEAR, random.Random(5)))
    assert got.text == text


@pytest.mark.parametrize("how", [USUAL, POOR, Spoiling(70, noise=4)], ids=["usual", "poor", "far away"])
@pytest.mark.parametrize("write", [one_line, two_lines], ids=["one line", "two lines"])
def test_damaged_plates_are_read_right_or_not_believed(how: Spoiling, write: object) -> None:
    dice, right = random.Random(11), 0
    for _ in range(5):
        groups = usual_groups(dice)
        got = read_plate_picture(spoil(draw_plate(write(groups), dice.choice(list(Colours))), how, dice))
        is_right = got is not None and got.text == "".join(groups)
        right += is_right
        assert is_right or got is None or not judge_plate(got.text, got.confidence).accepted
    assert right >= 4


@pytest.mark.parametrize("write", [one_line, two_lines], ids=["one line", "two lines"])
def test_a_plate_somewhere_in_a_picture_is_found_where_it_stands(write: object) -> None:
    dice = random.Random(2)
    groups = usual_groups(dice)
    picture = spoil(draw_plate(write(groups), Colours.COMMERCIAL), USUAL, dice, (640, 360))
    cv2.putText(picture, "HORN OK PLEASE", (30, 60), cv2.FONT_HERSHEY_DUPLEX, 1, (240, 240, 240), 2, cv2.LINE_AA)
    got = load_reader().read(picture)
    assert got[0].text == "".join(groups)
    x1, y1, x2, _ = got[0].box
    assert 100 < x2 - x1 < 200
    assert y1 > 100


def test_a_plate_of_another_country_is_never_believed() -> None:
    dice = random.Random(4)
    for _ in range(len(FOREIGN)):
        colours, lettering = dice.choice([Colours.PRIVATE, Colours.COMMERCIAL]), dice.choice(LETTERINGS[1:])
        picture = spoil(draw_plate(foreign_plate(dice), colours, lettering), CLEAR, dice)
        for got in load_reader().read(picture):
            assert not judge_plate(got.text, got.confidence).accepted, got


@pytest.mark.parametrize(
    "picture",
    [
        pytest.param(np.zeros((40, 160, 3), np.uint8), id="black"),
        pytest.param(np.random.default_rng(0).integers(0, 255, (60, 200, 3), np.uint8), id="noise"),
        pytest.param(np.full((1, 1, 3), 200, np.uint8), id="one pixel"),
        pytest.param(np.full((3, 900, 3), 90, np.uint8), id="a strip"),
        pytest.param(draw_plate(["HORN OK PLEASE"], Colours.COMMERCIAL), id="words"),
    ],
)
def test_where_no_plate_is_none_is_believed(picture: np.ndarray) -> None:
    for got in load_reader().read(picture):
        assert not judge_plate(got.text, got.confidence).accepted


@pytest.mark.parametrize(
    "picture", [np.zeros((20, 20), np.uint8), np.zeros((20, 20, 3)), np.zeros((0, 5, 3), np.uint8)], ids=str
)
def test_anything_but_a_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="BGR"):
        load_reader().read(picture)


def test_a_site_reads_its_own_formats_with_the_same_nets() -> None:
    formats = [compile_format("forklift", "FL[0-9]{3}")]
    picture = spoil(draw_plate(["FL 123"], Colours.PRIVATE), CLEAR, random.Random(1))
    got = read_plate_picture(picture, formats)
    assert (got.text, judge_plate(got.text, got.confidence, formats=formats).accepted) == ("FL123", True)
    assert load_reader(formats) is load_reader(list(formats))


@pytest.mark.parametrize(
    ("name", "code"), [("models/none.onnx", "no_weights"), ("__init__.py", "wrong_weights")], ids=["absent", "another"]
)
def test_weights_are_only_used_when_they_are_the_measured_ones(
    name: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(weights.DIGESTS, name, "0" * 8)
    with pytest.raises(ReaderError) as refused:
        weights.open_net(name)
    assert refused.value.code == code


def test_the_command_prints_a_line_for_each_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plate, empty, text = tmp_path / "plate.png", tmp_path / "empty.jpg", tmp_path / "text.jpg"
    picture = spoil(draw_plate(["MH 12 AB 1234"], Colours.PRIVATE), CLEAR, random.Random(1))
    cv2.imwrite(str(plate), picture)
    cv2.imwrite(str(empty), np.full((90, 200, 3), 80, np.uint8))
    text.write_text("no picture")
    with pytest.raises(CommandError, match="1 of 3"):
        call_command("read_plates", str(plate), str(empty), str(text))
    first, second = capsys.readouterr().out.splitlines()
    assert first.split("\t")[1::2] == ["MH12AB1234", "valid"]
    assert second.split("\t")[1:] == ["-", "0.000", "invalid", "no_plate"]


def test_a_line_is_straightened_from_any_side() -> None:
    corners = np.float32([(10, 30), (110, 10), (114, 34), (14, 54)])
    for order in ([0, 1, 2, 3], [2, 3, 0, 1], [1, 2, 3, 0]):
        assert np.array_equal(order_corners(corners[order]), corners)
    assert straighten(np.zeros((60, 120, 3), np.uint8), corners).shape == (24, 102, 3)
    wider = widen(corners, 1)
    assert np.linalg.norm(wider[1] - wider[0]) == pytest.approx(
        np.linalg.norm(corners[1] - corners[0]) + 2 * 24.3, 0.01
    )


@pytest.mark.footage
def test_real_plates_cut_out_are_read_right_and_none_wrong_is_believed() -> None:
    folder = needs_footage("plates/UP53BJ3634.jpg").parent
    crops = sorted(folder.glob("*.jpg"))
    believed = 0
    for crop in crops:
        got = read_plate_picture(cv2.imread(str(crop)))
        assert got.text == crop.stem
        believed += judge_plate(got.text, got.confidence).accepted
    assert believed >= 0.8 * len(crops)
