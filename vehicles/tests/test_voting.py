"""What many reads of one vehicle say together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles.rules.formats import compile_format
from vehicles.rules.voting import REMEMBERED, Read, is_part, keep_best, vote_reads
from vehicles.tests.test_rules import PLATES

CHANCES = st.floats(0.05, 1)


def read(text: str, sure: float = 0.95, area: float = 4000, **weak: float) -> Read:
    """A read whose characters are all as sure as the read, except those named by place: ``p3=0.2``."""
    characters = tuple(weak.get(f"p{place}", sure) for place in range(len(text)))
    return Read(text, characters, min(sure, *characters), area)


@st.composite
def reads_of(draw: st.DrawFn) -> list[Read]:
    texts = st.one_of(PLATES, st.sampled_from(["MH12AB1234", "MH12AB1284", "MH12A81234", "MH12AB123", "12AB1234"]))
    return draw(st.lists(st.builds(read, texts, CHANCES, st.floats(1, 9000)), min_size=1, max_size=6))


def test_no_reads_say_nothing() -> None:
    assert vote_reads([]) is None


@given(PLATES, CHANCES)
def test_one_read_is_as_sure_as_its_weakest_character(plate: str, sure: float) -> None:
    vote = vote_reads([read(plate, 0.99, p2=sure)])
    assert (vote.text, vote.agreeing) == (plate, int(min(sure, 0.99) >= 0.5))
    assert vote.confidence == pytest.approx(min(sure, 0.99))


@given(PLATES, st.lists(CHANCES, min_size=1, max_size=6))
def test_reads_that_agree_are_never_less_sure_than_the_worst_nor_more_than_the_best(
    plate: str, sure: list[float]
) -> None:
    vote = vote_reads([read(plate, one) for one in sure])
    assert vote.text == plate
    assert min(sure) - 1e-9 <= vote.confidence <= max(sure) + 1e-9
    assert vote.agreeing == sum(one >= 0.5 for one in sure)


@given(reads_of(), st.randoms(use_true_random=False))
def test_the_order_of_the_reads_decides_nothing(reads: list[Read], dice: object) -> None:
    mixed = list(reads)
    dice.shuffle(mixed)
    assert vote_reads(mixed) == vote_reads(reads)


@given(reads_of())
def test_a_vote_is_well_formed(reads: list[Read]) -> None:
    vote = vote_reads(reads)
    assert len(vote.characters) == len(vote.text)
    assert 0 <= vote.confidence <= min(vote.characters) + 1e-9
    assert sum(share for _, share in vote.candidates) == pytest.approx(1)
    assert vote.agreeing + vote.torn <= len(reads)


@given(reads_of())
def test_a_vote_is_never_surer_than_the_reads_that_say_it_alone(reads: list[Read]) -> None:
    vote = vote_reads(reads)
    witnesses = [one for one in reads if one.text == vote.text]
    if witnesses:
        assert vote.confidence <= vote_reads(witnesses).confidence + 1e-9
    else:
        assert vote.confidence == 0


def test_one_slip_in_four_is_outvoted_at_its_place() -> None:
    reads = [read("MH12AB1234"), read("MH12AB1284", p8=0.6), read("MH12AB1234"), read("MH12AB1234")]
    vote = vote_reads(reads)
    assert (vote.text, vote.agreeing) == ("MH12AB1234", 3)
    assert vote.confidence < 0.85


def test_slips_at_different_places_mend_each_other() -> None:
    slips = [read("MH12AB1284", p8=0.4), read("MH12A81234", p5=0.4), read("NH12AB1234", p0=0.4)]
    vote = vote_reads(slips)
    assert (vote.text, vote.agreeing, vote.confidence) == ("MH12AB1234", 0, 0.0)


def test_a_near_read_counts_for_more_than_one_from_afar() -> None:
    far = [read("MH12AB1284", area=300), read("MH12AB1284", area=300)]
    assert vote_reads([*far, read("MH12AB1234", area=4000)]).text == "MH12AB1234"


@pytest.mark.parametrize(
    "torn",
    [
        pytest.param("MH12AB123", id="beginning"),
        pytest.param("12AB1234", id="end"),
        pytest.param("H12AB123", id="middle"),
        pytest.param("MH121234", id="series lost"),
    ],
)
def test_a_part_of_a_longer_read_does_not_count(torn: str) -> None:
    vote = vote_reads([read(torn, 0.99)] * 5 + [read("MH12AB1234", 0.9)])
    assert (vote.text, vote.torn) == ("MH12AB1234", 5)
    assert vote.confidence == pytest.approx(0.9)


def test_one_unsure_longer_read_does_not_take_the_others_away() -> None:
    vote = vote_reads([read("KA01EK171", 0.95)] * 5 + [read("KA01EK1711", 0.6)])
    assert (vote.text, vote.agreeing) == ("KA01EK171", 5)


def test_a_longer_text_that_is_no_plate_tears_nothing() -> None:
    assert vote_reads([read("MH12AB1234")] * 2 + [read("MH12AB12345", 0.99)]).text == "MH12AB1234"


def test_characters_that_together_are_no_plate_give_way_to_the_heaviest_text() -> None:
    reads = [read("OD02A1234", 0.6, p1=0.3), read("DL02A1234", 0.5, p0=0.4)]
    assert vote_reads(reads).text in {"OD02A1234", "DL02A1234"}


def test_plates_of_the_site_are_voted_on_as_well() -> None:
    forklift = compile_format("forklift", "FL[0-9]{3}")
    reads = [read("FL123"), read("FL128", p4=0.5), read("FL12")]
    assert vote_reads(reads, [forklift]).text == "FL123"


def test_the_weightiest_reads_are_remembered_in_their_order() -> None:
    reads = [read("MH12AB1234", sure / 40) for sure in range(40)]
    assert keep_best(reads) == reads[-REMEMBERED:]


@pytest.mark.parametrize(
    ("text", "is_torn"),
    [
        ("MH12AB123", True),
        ("12AB1234", True),
        ("12AB", True),
        ("MH121234", True),
        ("MH12AB1234", False),
        ("MH12AB124", False),
    ],
)
def test_a_part_is_a_beginning_an_end_a_middle_or_both_ends_and_shorter(text: str, is_torn: bool) -> None:
    assert is_part(text, "MH12AB1234") is is_torn
