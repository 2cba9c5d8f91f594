"""One vehicle before a camera: what is told of it and when, and how seldom a parked one is looked at."""

from __future__ import annotations

import numpy as np
import pytest

from vehicles.passage import KEEP_ALIVE_S, STANDING_S, Passage, Report, Ruling, differences
from vehicles.readers.base import PlateText
from vehicles.rules.formats import compile_format
from vehicles.rules.gate import Profile

CROP = np.zeros((20, 60, 3), np.uint8)
BOX = (100.0, 100.0, 300.0, 250.0)


def plate(text: str = "MH12AB1234", sure: float = 0.96) -> PlateText:
    return PlateText(text, sure, (sure,) * len(text), ((text, 1.0),), (150, 200, 250, 225), text)


def drive(passage: Passage, plates: list[PlateText | None], *, start: float = 0.0, every: float = 0.2) -> list[Report]:
    """Show a vehicle that stands still; a plate is read whenever a look is due and there is one."""
    told = []
    for number, one in enumerate(plates):
        at = start + number * every
        passage.see(BOX, at)
        if passage.is_look_due(at):
            passage.look(at, has_found=one is not None)
            if one is not None:
                passage.note(one, CROP, at)
        if report := passage.report(at):
            told.append(report)
    return told


@pytest.fixture
def passage() -> Passage:
    return Passage("a-1", Ruling())


def test_two_reads_that_agree_are_told_at_once_and_once(passage: Passage) -> None:
    told = drive(passage, [plate()] * 20)
    assert [(report.at, report.vote.text, report.vote.agreeing) for report in told] == [(0.2, "MH12AB1234", 2)]
    assert passage.last_report() is None


def test_one_picture_that_is_shown_twice_is_one_read(passage: Passage) -> None:
    passage.see(BOX, 0.0)
    for _ in range(2):
        passage.note(plate(), CROP, 0.0)
    assert passage.vote.agreeing == 1
    passage.note(plate(), CROP, 0.2)
    assert passage.vote.agreeing == 2


def test_a_vehicle_that_stayed_is_told_of_once_more_when_it_has_gone(passage: Passage) -> None:
    drive(passage, [plate()] * 100)
    last = passage.last_report()
    assert (last.is_final, last.at) == (True, pytest.approx(19.8))


def test_what_was_never_told_is_told_at_the_end(passage: Passage) -> None:
    assert drive(passage, [plate(sure=0.8)] * 4) == []
    assert (passage.last_report().vote.confidence, passage.last_report()) == (pytest.approx(0.8), None)


def test_a_lone_sure_read_is_told_within_a_second_and_again_when_a_second_agrees(passage: Passage) -> None:
    told = drive(passage, [plate(), *[None] * 8, plate()])
    assert [report.vote.agreeing for report in told] == [1]
    assert told[0].at <= 1.0
    told = drive(passage, [plate()] * 5, start=5.0)
    assert [report.vote.agreeing for report in told] == [2]


def test_a_doubtful_plate_is_told_once_while_its_vehicle_waits_and_again_when_it_is_sure(passage: Passage) -> None:
    told = drive(passage, [plate(sure=0.7)] * 25)
    assert [(report.vote.confidence < 0.85, report.at > 2.9) for report in told] == [(True, True)]
    told = drive(passage, [plate(sure=0.99)] * 20, start=5.0)
    assert [report.vote.confidence > 0.85 for report in told] == [True]


def test_a_grille_is_never_told_of(passage: Passage) -> None:
    assert drive(passage, [plate("HH11HH1111", 0.2)] * 40) == []
    assert passage.last_report() is None


def test_nothing_read_is_nothing_told(passage: Passage) -> None:
    assert drive(passage, [None] * 10) == []
    assert passage.last_report() is None


def test_a_better_text_is_told_when_two_reads_bear_it_out(passage: Passage) -> None:
    told = drive(passage, [plate("MH12AB1284", 0.86)] * 2 + [plate("MH12AB1234", 0.99)] * 30)
    assert [report.vote.text for report in told] == ["MH12AB1284", "MH12AB1234"]
    assert told[-1].shot.plate.text == "MH12AB1234"


def test_a_parked_vehicle_is_looked_at_seldom_and_told_of_once_a_minute(passage: Passage) -> None:
    """An hour at five frames a second: 18,000 frames, some 360 looks, an observation a minute."""
    told = drive(passage, [plate()] * 18_000)
    assert passage.looks <= 3600 / STANDING_S + 10
    assert len(told) == pytest.approx(3600 / KEEP_ALIVE_S, abs=2)
    assert {report.track for report in told} == {"a-1"}


def test_a_vehicle_without_a_plate_is_looked_at_less_and_less(passage: Passage) -> None:
    drive(passage, [None] * 300)
    assert passage.looks <= 40


def test_texts_that_go_to_and_fro_are_told_a_handful_of_times(passage: Passage) -> None:
    texts = ["MH12AB1234"] * 16 + ["KA05MJ7026"] * 32
    told = drive(passage, [plate(text) for text in texts * 20], every=1.1)
    assert len([report for report in told if not report.is_final]) <= 8 + len(texts) * 20 * 1.1 / KEEP_ALIVE_S


def test_another_vehicle_in_the_same_place_is_known_by_two_sure_reads(passage: Passage) -> None:
    drive(passage, [plate()] * 6)
    other = plate("KA05MJ7026")
    assert [passage.is_of_another(one) for one in (other, other)] == [False, True]
    assert passage.may_be_another


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(plate("MH12AB1284"), id="one character"),
        pytest.param(plate("MH12AB123"), id="torn"),
        pytest.param(plate("KA05MJ7026", 0.6), id="not sure"),
    ],
)
def test_a_slip_of_the_reader_is_no_other_vehicle(passage: Passage, other: PlateText) -> None:
    drive(passage, [plate()] * 6)
    assert [passage.is_of_another(one) for one in (other, other, other)] == [False, False, False]


def test_an_other_read_in_between_is_forgotten(passage: Passage) -> None:
    drive(passage, [plate()] * 6)
    mixed = [plate("KA05MJ7026"), plate(), plate("KA05MJ7026")]
    assert [passage.is_of_another(one) for one in mixed] == [False, False, False]


def test_a_site_judges_by_its_own_profile_and_formats() -> None:
    strict = Passage("a-1", Ruling(Profile.STRICT))
    drive(strict, [plate("22BH2345AA")] * 6)
    assert not strict.is_accepted
    own = Passage("a-2", Ruling(formats=[compile_format("forklift", "FL[0-9]{3}")]))
    assert drive(own, [plate("FL123")] * 6)[0].vote.text == "FL123"


def test_candidates_are_shared_out_over_all_reads(passage: Passage) -> None:
    unsure = PlateText("MH12AB1234", 0.7, (0.7,) * 10, (("MH12AB1234", 0.7), ("MH12AB1284", 0.3)), BOX, "MH12AB1234")
    told = drive(passage, [unsure] * 30)
    assert [text for text, _ in told[0].candidates] == ["MH12AB1234", "MH12AB1284"]
    assert sum(share for _, share in told[0].candidates) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("one", "other", "count"), [("AB12", "AB12", 0), ("AB12", "AB1", 0), ("AB12", "XB13", 2)])
def test_differences_count_characters(one: str, other: str, count: int) -> None:
    assert differences(one, other) == count
