"""A site's own plate formats: what may be saved, what is matched, and what they never do to a registration mark."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles.rules.formats import FormatError, compile_format
from vehicles.rules.gate import Profile, Verdict, judge_plate
from vehicles.tests.test_rules import PLATES, TEXTS

FORKLIFT = compile_format("forklift", "^FL-?[0-9]{3}$")
NEPAL = compile_format("Nepal", "BA[0-9]{1,2}(PA|CHA)[0-9]{4}")


@pytest.mark.parametrize(
    ("pattern", "code"),
    [
        pytest.param("^([A-Z]+)+$", "can_run_away", id="repeated repetition"),
        pytest.param("(A|A[0-9])*1", "can_run_away", id="repeated choice"),
        pytest.param("([A-Z]?){1,20}[0-9]*?", "can_run_away", id="lazy repetition"),
        pytest.param("([0-9]+){2}", "can_run_away", id="counted repetition without end"),
        pytest.param("A" * 65 + "1", "too_large", id="more than 64 characters"),
        pytest.param("([0-9]{20}){20}", "too_large", id="large when written out"),
        pytest.param("1" * 201, "too_long", id="201 characters"),
        pytest.param("[A-Z]{2,9}", "needs_a_digit", id="words"),
        pytest.param("[A-Z0-9]{6}", "needs_a_digit", id="words among others"),
        pytest.param("[0-9]{2}", "too_short", id="two characters"),
        pytest.param("[0-9]?", "empty", id="nothing"),
        pytest.param("", "empty", id="no pattern"),
        pytest.param("FL(12", "not_closed", id="open group"),
        pytest.param("FL12)", "not_closed", id="closed twice"),
        pytest.param("FL[12", "not_closed", id="open class"),
        pytest.param("FL.12", "not_supported", id="dot"),
        pytest.param("[^0-9]12", "not_supported", id="negated class"),
        pytest.param("(?=A)A12", "not_supported", id="look ahead"),
        pytest.param(r"(F)\1 12", "not_supported", id="back reference"),
        pytest.param("ФЛ12", "foreign_characters", id="another alphabet"),
        pytest.param("[А-Я]12", "foreign_characters", id="a range of another alphabet"),
        pytest.param("FL[9-0]", "bad_range", id="range upside down"),
        pytest.param("FL[A-9]", "bad_range", id="range over both kinds"),
        pytest.param("FL[0-9]{4,2}", "bad_count", id="count upside down"),
        pytest.param("FL[0-9]{0}", "bad_count", id="count of nothing"),
        pytest.param("FL[0-9]{1,999}", "bad_count", id="count too large"),
        pytest.param("FL[0-9]{n}", "bad_count", id="count in letters"),
        pytest.param("+12", "nothing_to_repeat", id="repeated nothing"),
        pytest.param("FL[0-9]{20}1", "takes_nothing", id="longer than any plate"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_its_code(pattern: str, code: str) -> None:
    with pytest.raises(FormatError) as refused:
        compile_format("own", pattern)
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\nb"])
def test_a_format_has_a_name(name: str) -> None:
    with pytest.raises(FormatError, match="name"):
        compile_format(name, "FL[0-9]{3}")


@pytest.mark.parametrize(
    ("raw", "family"),
    [
        pytest.param("FL 012", "forklift", id="spaces"),
        pytest.param("fl-999", "forklift", id="small letters"),
        pytest.param("BA 12 PA 3456", "Nepal", id="one way of a choice"),
        pytest.param("BA1CHA3456", "Nepal", id="the other way"),
        pytest.param("MH12AB1234", "standard", id="a registration mark as ever"),
    ],
)
@pytest.mark.parametrize("profile", Profile)
def test_a_plate_of_the_site_is_valid_beside_the_marks(raw: str, family: str, profile: Profile) -> None:
    got = judge_plate(raw, 0.99, profile, [FORKLIFT, NEPAL])
    assert (got.verdict, got.family, got.accepted) == (Verdict.VALID, family, True)
    assert not judge_plate(raw, 0.85, profile, [FORKLIFT, NEPAL]).accepted


def test_one_look_alike_in_a_plate_of_the_site_is_mended_when_there_is_one_way() -> None:
    got = judge_plate("FLI23", 0.99, formats=[FORKLIFT])
    assert (got.verdict, got.normalised, got.corrected_positions) == (Verdict.CORRECTED, "FL123", (2,))
    assert judge_plate("FLIZ3", 0.99, formats=[FORKLIFT]).verdict is Verdict.INVALID
    assert judge_plate("FL023", 0.99, formats=[compile_format("b", "FL[DQ]2[0-9]")]).verdict is Verdict.REVIEW


def test_what_may_be_a_misread_mark_or_a_plate_of_the_site_is_for_a_person() -> None:
    own = compile_format("own", "MHI2AB[0-9]{4}")
    got = judge_plate("MHI2AB1234", 0.99, formats=[own])
    assert (got.verdict, set(got.candidates)) == (Verdict.REVIEW, {"MHI2AB1234", "MH12AB1234"})
    assert set(got.keys) == {"MHI2AB1234", "MH-12-AB-1234"}


@given(PLATES)
def test_a_format_never_changes_what_a_clean_mark_is(plate: str) -> None:
    wide = compile_format("wide", "[A-Z0-9]{2,9}[0-9][A-Z0-9]{0,9}")
    assert judge_plate(plate, 0.99, formats=[wide]) == judge_plate(plate, 0.99)


CLASSES = st.sampled_from(["[A-Z]", "[0-9]", r"\d", "[ABC]", "[A-HJ-NP-Z0-3]", "A", "7"])
COUNTS = st.sampled_from(["", "", "?", "{2}", "{1,3}", "*", "+"])
ITEMS = st.builds(str.__add__, CLASSES, COUNTS)
SEQUENCES = st.lists(ITEMS, min_size=1, max_size=5).map("".join)
PATTERNS = st.one_of(SEQUENCES, st.builds("X(?:{}|{}){}5".format, SEQUENCES, SEQUENCES, st.sampled_from(["", "Y"])))


@given(PATTERNS, st.lists(st.text("AB7X5Y", max_size=12), max_size=8))
def test_the_automaton_matches_what_the_regular_expression_matches(pattern: str, texts: list[str]) -> None:
    try:
        compiled = compile_format("own", pattern)
    except FormatError:
        return
    expression = re.compile(pattern)
    example = compiled.example
    assert expression.fullmatch(example)
    for text in [*texts, *(example + text for text in texts), *(text + example for text in texts)]:
        is_of_a_length = 3 <= len(text) <= 20
        assert compiled.matches(text) is (is_of_a_length and bool(expression.fullmatch(text)))


@given(st.text(max_size=60))
def test_any_pattern_is_compiled_or_refused_with_a_code(pattern: str) -> None:
    with contextlib.suppress(FormatError):
        assert compile_format("own", pattern).example


@given(TEXTS, st.floats(0, 1), st.floats(0, 1))
def test_more_confidence_never_turns_accepted_into_rejected_by_a_format(text: str, first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert judge_plate(text, low, formats=[FORKLIFT]).accepted <= judge_plate(text, high, formats=[FORKLIFT]).accepted


def test_the_worst_text_for_the_worst_format_does_not_run_away() -> None:
    """Sixty optional characters, each of which takes nearly everything: an engine that goes back would take years."""
    worst = compile_format("worst", "[0-9]{2}" + "[A-Z0-9]{0,20}" * 3 + "7")
    assert not worst.matches("8" * 20)
    assert worst.matches_nearly("8" * 17 + "I") is False
