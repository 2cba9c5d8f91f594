"""What must hold for any plate text: cleaning, parsing, correction, the gate, and the lists."""

from __future__ import annotations

import contextlib
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicles.rules.cleaning import CleaningError, clean_plate
from vehicles.rules.correction import CLASSES, LOOKALIKES, NOTHING, resolve_text
from vehicles.rules.gate import Profile, Verdict, is_same_plate, judge_plate
from vehicles.rules.lists import Decision, Entry, Level, decide_gate, find_blocked
from vehicles.rules.marks import ONE_DIGIT_OFFICES, STATES, parse_mark

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SERIES = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@st.composite
def usual_plates(draw: st.DrawFn) -> str:
    """A standard mark as most vehicles carry it."""
    state = draw(st.sampled_from(sorted(STATES)))
    office = draw(st.integers(1, 99))
    letters = draw(st.text(SERIES, min_size=1, max_size=3 if state == "DL" else 2))
    number = draw(st.integers(1, 9999))
    is_short = state in ONE_DIGIT_OFFICES and letters[0] not in LOOKALIKES and draw(st.booleans())
    width = 1 if is_short else 2
    return f"{state}{office:0{width}}{letters}{number:04}"


OTHERS = st.sampled_from(
    ["22BH2345AA", "77CD1", "199CC0123", "24B123456Z", "T1223MH0123AA", "MH12A1234TC0001", "MHVAAA0001", "TG090001"]
)
PLATES = st.one_of(usual_plates(), OTHERS)
TEXTS = st.one_of(st.text(max_size=80), st.text("0ODQ1IL2Z5S6G8BAMHKX", max_size=16), PLATES)


@given(TEXTS)
def test_cleaning_twice_equals_once(text: str) -> None:
    with contextlib.suppress(CleaningError):
        once = clean_plate(text)
        assert clean_plate(once) == once


@given(PLATES)
def test_a_clean_plate_is_read_as_it_is(plate: str) -> None:
    got = judge_plate(plate, 0.99)
    assert (got.verdict, got.normalised, got.corrected_positions) == (Verdict.VALID, plate, ())


@given(TEXTS)
def test_a_normalised_plate_parses_to_itself(text: str) -> None:
    got = judge_plate(text, 0.99)
    if got.accepted:
        assert parse_mark(got.normalised).text == got.normalised
        assert judge_plate(got.normalised, 0.99).match_key == got.match_key


@given(TEXTS, st.floats(0, 1), st.floats(0, 1), st.sampled_from(Profile))
def test_more_confidence_never_turns_accepted_into_rejected(
    text: str, first: float, second: float, profile: Profile
) -> None:
    low, high = sorted((first, second))
    assert judge_plate(text, low, profile).accepted <= judge_plate(text, high, profile).accepted


@pytest.mark.parametrize(
    ("confidence", "accepted"), [(0.85, False), (0.8500001, True), (float("nan"), False), (1.0, True)]
)
def test_exactly_the_limit_is_not_enough(confidence: float, accepted: bool) -> None:
    assert judge_plate("MH12AB1234", confidence).accepted is accepted


@given(TEXTS)
def test_at_most_one_character_is_ever_changed_and_only_for_its_lookalike(text: str) -> None:
    got = judge_plate(text, 0.99)
    if got.verdict is Verdict.CORRECTED:
        cleaned = clean_plate(text)
        changed = [n for n, (a, b) in enumerate(zip(cleaned, got.normalised, strict=True)) if a != b]
        assert tuple(changed) == got.corrected_positions
        assert len(changed) == 1
        assert got.normalised[changed[0]] in LOOKALIKES[cleaned[changed[0]]]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_confusion_hardly_ever_becomes_another_plate_in_silence(seed: int) -> None:
    dice, silent, tried = random.Random(seed), 0, 0
    while tried < 12_000:
        plate = make_plate(dice)
        misread = swap_letter_and_digit(plate, dice)
        tried += misread != plate
        got = judge_plate(misread, 0.99)
        silent += got.accepted and got.normalised != plate
    assert silent <= 0.001 * tried


@pytest.mark.parametrize("seed", [1, 2])
def test_a_clean_plate_of_any_kind_never_changes(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(6000):
        plate = make_plate(dice)
        assert judge_plate(plate, 0.99).normalised in {plate, None}


def swap_letter_and_digit(plate: str, dice: random.Random) -> str:
    """Misread one character as its look-alike of the other kind: what a position can tell."""
    spots = [n for n, letter in enumerate(plate) if swaps(letter)]
    if not spots:
        return plate
    spot = dice.choice(spots)
    return plate[:spot] + dice.choice(swaps(plate[spot])) + plate[spot + 1 :]


def swaps(letter: str) -> list[str]:
    return [other for other in LOOKALIKES.get(letter, "") if other.isdigit() != letter.isdigit()]


def make_plate(dice: random.Random) -> str:
    """Make a mark as an office gives it out: any state, a category in Delhi, now and then an office of one digit."""
    state = dice.choice(sorted(STATES))
    letters = "".join(dice.choice(SERIES) for _ in range(dice.choice((1, 2, 2, 2))))
    if state == "DL":
        letters = dice.choice("CCCSPRTVYLG") + letters
    is_short = state in ONE_DIGIT_OFFICES and dice.random() < 0.2
    office = str(dice.randint(1, 9)) if is_short else f"{dice.randint(1, 99):02}"
    return f"{state}{office}{letters}{dice.randint(1, 9999):04}"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        pytest.param("GJ1ZA1234", Verdict.REVIEW, id="office 1, series ZA, or office 12"),
        pytest.param("GJ5AB1234", Verdict.VALID, id="A is no digit"),
        pytest.param("DL1SAB1234", Verdict.VALID, id="a scooter: no series begins with A"),
        pytest.param("DL1SCA1234", Verdict.REVIEW, id="a scooter of series CA, or a car of office 15"),
        pytest.param("DL1ZAB1234", Verdict.REVIEW, id="no category Z"),
        pytest.param("DL1LX1234", Verdict.VALID, id="a goods vehicle"),
    ],
)
def test_an_office_of_one_digit_is_believed_only_when_it_can_be_no_other(text: str, verdict: Verdict) -> None:
    assert judge_plate(text, 0.99).verdict is verdict


@pytest.mark.parametrize(
    ("text", "verdict", "family"),
    [
        pytest.param("MH12AX123", Verdict.VALID, "standard", id="a short number"),
        pytest.param("KL7AB1234", Verdict.VALID, "standard", id="an office of one digit"),
        pytest.param("WB1A234", Verdict.REVIEW, "standard", id="both: a plate of Warsaw"),
        pytest.param("TG090001", Verdict.VALID, "standard_no_series", id="before the first series"),
        pytest.param("AP12345", Verdict.REVIEW, "standard_no_series", id="a plate of Denmark"),
        pytest.param("MH12", Verdict.INVALID, None, id="the upper line of a plate"),
        pytest.param("MH123", Verdict.INVALID, None, id="the upper line and a slip"),
        pytest.param("MH12AB", Verdict.INVALID, None, id="the upper line with its series"),
        pytest.param("DL3CS", Verdict.INVALID, None, id="an upper line of Delhi"),
        pytest.param("KL01CC5O", Verdict.REVIEW, "standard", id="a short number with a slip"),
        pytest.param("HR26TC123", Verdict.VALID, "trade", id="an old trade plate"),
        pytest.param("HR26TC1234", Verdict.VALID, "standard", id="a series of the letters TC"),
        pytest.param("99CD0", Verdict.INVALID, None, id="an embassy's number nought"),
        pytest.param("T1323MH0123AA", Verdict.INVALID, None, id="a thirteenth month"),
    ],
)
def test_shapes_at_the_edge_of_a_family(text: str, verdict: Verdict, family: str | None) -> None:
    got = judge_plate(text, 0.99)
    assert (got.verdict, got.family) == (verdict, family)
    assert got.accepted is (verdict is Verdict.VALID)


@pytest.mark.parametrize("letter", "IO")
def test_letters_that_are_never_issued_stand_in_no_series(letter: str) -> None:
    assert parse_mark(f"MH12A{letter}1234") is None


@pytest.mark.parametrize("raw", ["KA05MN|234", "KA05MN!234", "KA05MN｜234", "K@05MN1234", "KA05MN234|", "|KA05MN0234"])
@pytest.mark.parametrize("profile", Profile)
def test_a_sign_that_may_be_a_character_is_never_passed_over(raw: str, profile: Profile) -> None:
    """What is left without it is another plate: it may alarm, and it opens nothing."""
    got = judge_plate(raw, 0.99, profile)
    assert (got.accepted, got.verdict in (Verdict.REVIEW, Verdict.INVALID)) == (False, True)
    assert not is_same_plate(raw, "KA05MN234")
    if raw == "KA05MN|234":
        listed = {"KA-5-MN-234": [Entry("KA-5-MN-234", "KA05MN0234")]}
        assert find_blocked(got, listed, NOW).level is Level.PROBABLE
        assert decide_gate(got, None, listed, NOW) is Decision.HOLD


@pytest.mark.parametrize("sign", ["🅰", "🅐", "🇦", "🆎", "©", "®", "\u0336", "\u20dd"])
def test_letters_in_boxes_and_circles_are_refused_not_dropped(sign: str) -> None:
    got = judge_plate(f"MH12{sign}B1234", 0.99)
    assert (got.verdict, got.reasons) == (Verdict.INVALID, ("foreign_characters",))


@pytest.mark.parametrize(
    "raw", ["MH.12.AB.1234", "MH·12·AB·1234", "MH–12—AB−1234", "(MH 12) AB/1234", "MH_12'AB\"1234*"]
)
def test_what_only_stands_between_characters_counts_for_nothing(raw: str) -> None:
    assert judge_plate(raw, 0.99).normalised == "MH12AB1234"
    assert judge_plate(raw, 0.99).accepted


def test_old_state_codes_are_other_vehicles() -> None:
    assert not is_same_plate("TS09EA1234", "TG09EA1234")
    assert is_same_plate("KA01EK171", "KA-01-EK-0171")
    assert is_same_plate("DL-04-C-1969", "DL4C1969")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("M" * 65, "too_long"),
        ("ﷺ" * 10, "too_long"),
        ("MH12AB1234\u202e", "control_characters"),
        ("MH12\x00AB1234", "control_characters"),
        ("МН12АВ1234", "foreign_characters"),
        ("MH१२AB1234", "foreign_characters"),
        ("MH12AB1234\u0301", "foreign_characters"),
        ("MH12AB1234\u20dd", "foreign_characters"),
        ("- -", "empty"),
        ("", "empty"),
    ],
)
def test_text_that_is_no_plate_is_refused_with_its_code(raw: str, code: str) -> None:
    assert judge_plate(raw, 0.99).reasons == (code,)


def test_the_strict_profile_takes_the_strict_form_only() -> None:
    assert judge_plate("MH12AB1234\n", 0.99, Profile.STRICT).accepted
    assert not judge_plate("DL3CAB1234", 0.99, Profile.STRICT).accepted
    assert not judge_plate("22BH1234AA", 0.99, Profile.STRICT).accepted


@given(PLATES, st.lists(PLATES, max_size=4), st.integers(0, 3), st.floats(0.8, 1))
def test_adding_a_blocked_entry_never_opens(plate: str, blocked: list[str], reads: int, confidence: float) -> None:
    judgement = judge_plate(plate, confidence)
    allowed = entries(plate)
    before = decide_gate(judgement, None, allowed, NOW, agreeing_reads=reads)
    hit = find_blocked(judgement, entries(*blocked), NOW)
    after = decide_gate(judgement, hit, allowed, NOW, agreeing_reads=reads)
    assert after is not Decision.OPEN or before is Decision.OPEN


def entries(*plates: str, **fields: object) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for plate in plates:
        key = judge_plate(plate, 0.99).match_key
        found.setdefault(key, []).append(Entry(key, plate, **fields))
    return found


@pytest.mark.parametrize(
    ("read", "confidence", "level"),
    [
        pytest.param("MH12AB1234", 0.99, Level.CRITICAL, id="exact"),
        pytest.param("MHI2AB1234", 0.99, Level.PROBABLE, id="corrected"),
        pytest.param("MH12AB1234", 0.5, Level.PROBABLE, id="not sure"),
        pytest.param("MH1ZAB1234", 0.99, Level.PROBABLE, id="one of two readings"),
        pytest.param("MH12AB1235", 0.99, None, id="another number"),
    ],
)
def test_an_alarm_may_rest_on_a_doubtful_read_and_says_so(read: str, confidence: float, level: Level | None) -> None:
    hit = find_blocked(judge_plate(read, confidence), entries("MH12AB1234"), NOW)
    assert (hit.level if hit else None) is level


@pytest.mark.parametrize(
    ("read", "confidence", "reads", "fields", "opens"),
    [
        pytest.param("MH12AB1234", 0.99, 2, {}, True, id="exact, sure, twice"),
        pytest.param("MH12AB1234", 0.99, 1, {}, False, id="read once"),
        pytest.param("MH12AB1234", 0.85, 2, {}, False, id="not sure enough"),
        pytest.param("MHI2AB1234", 0.99, 2, {}, False, id="corrected"),
        pytest.param("MH12AB1234", 0.99, 2, {"direction": "out"}, False, id="the wrong way"),
        pytest.param("MH12AB1234", 0.99, 2, {"direction": "in"}, True, id="the right way"),
        pytest.param("MH12AB1234", 0.99, 2, {"valid_until": NOW}, False, id="ends now"),
        pytest.param("MH12AB1234", 0.99, 2, {"valid_from": NOW}, True, id="begins now"),
        pytest.param("MH12AB1234", 0.99, 2, {"valid_from": NOW + timedelta(seconds=1)}, False, id="not yet"),
    ],
)
def test_a_gate_opens_only_for_a_certain_allowed_plate(
    read: str, confidence: float, reads: int, fields: dict, opens: bool
) -> None:
    allowed = entries("MH12AB1234", **fields)
    decision = decide_gate(judge_plate(read, confidence), None, allowed, NOW, direction="in", agreeing_reads=reads)
    assert (decision is Decision.OPEN) is opens


@given(st.text("0ODQ1IL2Z5S6G8B", min_size=16))
def test_a_text_longer_than_any_mark_is_not_searched(text: str) -> None:
    assert resolve_text(text) is NOTHING


def test_every_lookalike_is_mutual() -> None:
    assert all(letter in LOOKALIKES[other] for letter, others in LOOKALIKES.items() for other in others)
    assert len("".join(CLASSES)) == len(LOOKALIKES)


@given(st.text("0ODQ1IL2Z5S6G8BMHDLKA", min_size=4, max_size=15))
def test_what_is_certain_is_among_the_readings_and_the_cheapest(text: str) -> None:
    found = resolve_text(text)
    if found.best:
        assert found.best in found.readings
        assert found.best.cost == min(reading.cost for reading in found.readings)
