"""From steps of characters to a mark, without any net: what is likely, what is allowed, what was passed over."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vehicles.readers.decoder import align, decode_steps
from vehicles.readers.letters import Steps
from vehicles.readers.templates import template_for
from vehicles.rules.formats import compile_format
from vehicles.rules.marks import parse_mark
from vehicles.rules.patterns import ALPHABET
from vehicles.tests.test_rules import PLATES

TEMPLATE = template_for()
Step = dict[str, float]


def steps(*shown: Step | str, sure: float = 0.98) -> np.ndarray:
    """Make steps: ``"A"`` is a sure A, ``""`` a sure blank, a dict the chances of some characters, the rest blank."""
    rows = []
    for one in shown:
        row = np.zeros(1 + len(ALPHABET), np.float32)
        chances = one if isinstance(one, dict) else {one: sure} if one else {}
        for letter, chance in chances.items():
            row[ALPHABET.index(letter) + 1] = chance
        row[0] = max(0.0, 1 - row.sum())
        rows.append(row)
    return np.array(rows)


def written(text: str, sure: float = 0.98, **at: Step) -> np.ndarray:
    """Make the steps of a text with blanks between, ``p4`` being what the fifth character shows instead."""
    shown: list[Step | str] = [""]
    for place, letter in enumerate(text):
        shown += [at.get(f"p{place}", letter), ""]
    return steps(*shown, sure=sure)


@given(PLATES)
@example("DL9ZQX1234")
def test_what_is_plain_is_read_as_it_stands(plate: str) -> None:
    got = decode_steps(written(plate, sure=0.9995), TEMPLATE)
    assert got.text == plate
    assert got.weakest == pytest.approx(0.9995, abs=1e-4)
    assert got.characters == pytest.approx([0.9995] * len(plate), abs=1e-4)


@pytest.mark.parametrize("letter", ["A", "B"], ids=["the same as its neighbours", "another"])
def test_a_character_that_is_left_out_for_a_likelier_shape_leaves_no_trust(letter: str) -> None:
    got = decode_steps(written(f"DL01A{letter}A0001"), TEMPLATE)
    assert got.text == f"DL01A{letter}A0001" or got.weakest < 0.1


@given(st.lists(st.dictionaries(st.sampled_from("0ODQ1I2Z5S6G8BMHKADL"), st.floats(0, 0.3), max_size=3), max_size=24))
def test_whatever_the_steps_show_only_plates_are_read(shown: list[Step]) -> None:
    got = decode_steps(steps(*shown), TEMPLATE) if shown else None
    if got:
        assert parse_mark(got.text)
        assert 0 <= got.weakest <= min(got.characters) + 1e-6
        assert got.candidates[0][0] == got.text
        assert sum(share for _, share in got.candidates) <= 1 + 1e-6


def test_the_place_decides_between_letter_and_digit_but_makes_nobody_surer() -> None:
    got = decode_steps(written("MH12AB1234", p2={"I": 0.9, "1": 0.08}, p5={"8": 0.7, "B": 0.28}), TEMPLATE)
    assert (got.text, round(got.weakest, 2)) == ("MH12AB1234", 0.08)


def test_a_state_that_does_not_exist_is_never_read() -> None:
    got = decode_steps(written("MB08A5504", p0={"M": 0.9, "W": 0.08}), TEMPLATE)
    assert (got.text, round(got.weakest, 2)) == ("WB08A5504", 0.08)


def test_what_remains_open_comes_out_as_candidates() -> None:
    got = decode_steps(written("HR26DK8337", p4={"D": 0.55, "Q": 0.4}), TEMPLATE)
    assert [text for text, _ in got.candidates[:2]] == ["HR26DK8337", "HR26QK8337"]
    assert got.candidates[0][1] == pytest.approx(0.55, abs=0.05)


def test_the_same_character_twice_needs_a_blank_between() -> None:
    assert decode_steps(written("MH11AA1111"), TEMPLATE).text == "MH11AA1111"
    held = steps("", "M", "M", "", "H", "H", "1", "2", "A", "B", "B", "", "1", "", "2", "3", "3", "4", "")
    assert decode_steps(held, TEMPLATE).text == "MH12AB1234"


def test_a_character_passed_over_makes_it_unsure() -> None:
    """A tenth digit that fits no family: the plate may be another one, read badly."""
    got = decode_steps(written("MH12AB12345"), TEMPLATE)
    assert got is None or got.weakest < 0.1


def test_a_hologram_before_a_usual_plate_is_passed_over() -> None:
    got = decode_steps(written("EMH12AB1234"), TEMPLATE)
    assert (got.text, got.weakest > 0.9) == ("MH12AB1234", True)


def test_the_country_before_the_plate_is_not_part_of_it() -> None:
    got = decode_steps(written("INDMH12AB1234"), TEMPLATE)
    assert (got.text, len(got.characters), got.weakest > 0.9) == ("MH12AB1234", 10, True)


@pytest.mark.parametrize(
    "text", ["AB12CDE", "7ABC123", "KLAB1234", "AB123CD", "1234BCD", "WB1A234", "AP12345", "34AB1234"]
)
def test_a_foreign_plate_is_forced_into_no_family_with_any_confidence(text: str) -> None:
    got = decode_steps(written(text), TEMPLATE)
    assert got is None or got.weakest < 0.1


def test_a_site_reads_its_own_plates_as_well() -> None:
    own = template_for([compile_format("forklift", "FL[0-9]{3}")])
    assert decode_steps(written("FL123"), own).text == "FL123"
    assert decode_steps(written("FL123"), TEMPLATE) is None
    assert decode_steps(written("MH12AB1234"), own).text == "MH12AB1234"


def test_two_lines_are_one_plate_from_top_to_bottom() -> None:
    upper, lower = (Steps(written(text), text, 0.9) for text in ("MH12AB", "1234"))
    both = upper.then(lower)
    assert both.raw == "MH12AB\n1234"
    assert decode_steps(both.chances, TEMPLATE).text == "MH12AB1234"


def test_alignment_gives_each_character_its_best_step() -> None:
    chances = steps("", {"A": 0.4}, {"A": 0.7}, {"A": 0.2}, "", "1", "")
    shown, passed_over = align(chances, "A1")
    assert shown == pytest.approx([0.7, 0.98], abs=1e-3)
    assert passed_over == 0
    assert align(steps("", "A", "", "X", "", "1"), "A1")[1] == pytest.approx(0.98, abs=1e-3)
