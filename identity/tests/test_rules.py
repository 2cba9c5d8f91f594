"""Decisions about a face from scores: edges by table, and what must hold for any scores."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.rules import (
    REKOGNITION,
    SFACE,
    Candidate,
    Decision,
    FaceQuality,
    Outcome,
    Thresholds,
    decide_identity,
    judge_quality,
    shot_score,
    vote,
)


def decide(*scores: tuple[str, float]) -> Decision:
    return decide_identity([Candidate(person, score) for person, score in scores], SFACE)


@pytest.mark.parametrize(
    ("scores", "outcome", "person"),
    [
        pytest.param([], Outcome.UNKNOWN, None, id="nobody enrolled"),
        pytest.param([("Asha", 0.2999)], Outcome.UNKNOWN, None, id="just below review"),
        pytest.param([("Asha", 0.30)], Outcome.REVIEW, "Asha", id="review begins"),
        pytest.param([("Asha", 0.3999)], Outcome.REVIEW, "Asha", id="just below known"),
        pytest.param([("Asha", 0.40)], Outcome.KNOWN, "Asha", id="known begins"),
        pytest.param([("Asha", 0.60), ("Ravi", 0.57)], Outcome.REVIEW, "Asha", id="the second is too close"),
        pytest.param([("Asha", 0.60), ("Ravi", 0.20)], Outcome.KNOWN, "Asha", id="the second is far away"),
        pytest.param([("Asha", 0.60), ("Asha", 0.59)], Outcome.KNOWN, "Asha", id="the same person twice is no rival"),
        pytest.param([("Asha", float("nan"))], Outcome.UNKNOWN, None, id="no number"),
    ],
)
def test_a_face_is_known_for_review_or_unknown(scores: list, outcome: Outcome, person: str | None) -> None:
    decision = decide(*scores)
    assert (decision.outcome, decision.person) == (outcome, person)


SCORES = st.lists(st.tuples(st.sampled_from(["Asha", "Ravi", "Meena"]), st.floats(-1, 1)), max_size=6)


@given(SCORES, st.randoms())
def test_the_order_of_the_candidates_does_not_matter(scores: list, random: object) -> None:
    shuffled = list(scores)
    random.shuffle(shuffled)
    assert decide(*scores) == decide(*shuffled)


@given(SCORES)
def test_nobody_is_named_below_the_review_threshold(scores: list) -> None:
    decision = decide(*scores)
    assert (decision.person is None) == (decision.outcome is Outcome.UNKNOWN)
    if decision.person:
        assert max(score for person, score in scores if person == decision.person) >= SFACE.review


@given(SCORES, st.floats(0, 0.3))
def test_a_stricter_threshold_never_names_somebody_more(scores: list, by: float) -> None:
    stricter = Thresholds("local", "test", SFACE.known + by, SFACE.review + by, SFACE.margin)
    candidates = [Candidate(person, score) for person, score in scores]
    if decide_identity(candidates, SFACE).outcome is not Outcome.KNOWN:
        assert decide_identity(candidates, stricter).outcome is not Outcome.KNOWN


def test_thresholds_with_a_gap_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="review threshold"):
        Thresholds("local", "test", known=0.3, review=0.4, margin=0)


def test_a_percentage_is_judged_in_its_own_engines_scale() -> None:
    assert decide_identity([Candidate("Asha", 98.9)], REKOGNITION).outcome is Outcome.REVIEW
    assert decide_identity([Candidate("Asha", 99.0)], REKOGNITION).outcome is Outcome.KNOWN


def test_no_shots_give_no_vote() -> None:
    assert vote([]) is None


def test_shots_of_one_person_are_joined_to_the_most_similar() -> None:
    joined = vote([decide(("Asha", 0.5)), decide(("Asha", 0.7)), decide(("Ravi", 0.1))])
    assert (joined.outcome, joined.person, joined.similarity) == (Outcome.KNOWN, "Asha", 0.7)


A, B = ("Asha", 0.55), ("Ravi", 0.50)
PERHAPS_A, PERHAPS_B, NOBODY = ("Asha", 0.36), ("Ravi", 0.38), ("Asha", 0.1)


@pytest.mark.parametrize(
    ("shots", "outcome", "person"),
    [
        pytest.param([A], Outcome.KNOWN, "Asha", id="named once"),
        pytest.param([A, A], Outcome.KNOWN, "Asha", id="named twice alike"),
        pytest.param([A, PERHAPS_A], Outcome.KNOWN, "Asha", id="named and doubted as the same"),
        pytest.param([NOBODY, A], Outcome.KNOWN, "Asha", id="named once closer"),
        pytest.param([A, B], Outcome.REVIEW, "Asha", id="a tie of two names"),
        pytest.param([B, A, A], Outcome.REVIEW, "Asha", id="two names against one"),
        pytest.param([B, ("Asha", 0.41), ("Asha", 0.42)], Outcome.REVIEW, "Asha", id="the name given most often"),
        pytest.param([PERHAPS_B, A], Outcome.REVIEW, "Asha", id="named, and doubted as somebody else"),
        pytest.param([A, PERHAPS_B], Outcome.REVIEW, "Asha", id="the same the other way round"),
        pytest.param([A, A, PERHAPS_B], Outcome.REVIEW, "Asha", id="named twice, doubted once as somebody else"),
        pytest.param([A, PERHAPS_A, PERHAPS_B], Outcome.REVIEW, "Asha", id="all of it"),
        pytest.param([PERHAPS_A], Outcome.REVIEW, "Asha", id="doubted"),
        pytest.param([PERHAPS_A, PERHAPS_B], Outcome.REVIEW, "Ravi", id="doubted as two people"),
        pytest.param([NOBODY, PERHAPS_A], Outcome.REVIEW, "Asha", id="doubted once"),
        pytest.param([NOBODY, NOBODY], Outcome.UNKNOWN, None, id="nobody"),
    ],
)
def test_a_track_is_known_only_while_one_person_is_in_play(shots: list, outcome: Outcome, person: str | None) -> None:
    joined = vote([decide(shot) for shot in shots])
    assert (joined.outcome, joined.person) == (outcome, person)
    assert (joined.reason == "shots_disagree") == (len({name for name, score in shots if score >= SFACE.review}) > 1)


SHOTS = st.lists(st.tuples(st.sampled_from(["Asha", "Ravi", "Meena"]), st.floats(0, 1)), min_size=1, max_size=4)


@given(SHOTS, st.randoms())
def test_a_name_needs_a_shot_above_the_threshold_and_nobody_else_in_play(shots: list, random: object) -> None:
    decisions = [decide(shot) for shot in shots]
    joined = vote(decisions)
    resembled = {name for name, score in shots if score >= SFACE.review}
    is_named = any(score >= SFACE.known for _, score in shots)
    assert (joined.outcome is Outcome.KNOWN) == (is_named and len(resembled) == 1)
    random.shuffle(decisions)
    assert vote(decisions).outcome is joined.outcome


def test_shots_of_two_engines_are_compared_by_what_each_asks_for_a_name() -> None:
    by_service = decide_identity([Candidate("Asha", 85.0)], REKOGNITION)
    joined = vote([by_service, decide(("Asha", 0.39))])
    assert joined.thresholds is SFACE, "85 of 99 per cent is further from a name than 0.39 of 0.40"


GOOD = {"width": 80.0, "sharpness": 300.0, "brightness": 120.0, "turn": 0.1}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({}, None, id="good"),
        pytest.param({"width": 39.9}, "face_too_small", id="small"),
        pytest.param({"width": 40.0}, None, id="just wide enough"),
        pytest.param({"sharpness": 10.0}, "too_blurry", id="blurred"),
        pytest.param({"brightness": 20.0}, "too_dark", id="dark"),
        pytest.param({"brightness": 240.0}, "too_bright", id="bright"),
        pytest.param({"turn": 0.9}, "turned_away", id="in profile"),
    ],
)
def test_a_poor_face_is_refused_with_its_reason(change: dict, reason: str | None) -> None:
    assert judge_quality(FaceQuality(**{**GOOD, **change})) == reason


@pytest.mark.parametrize(
    "better", [{"width": 90.0}, {"sharpness": 400.0}, {"turn": 0.0}], ids=["larger", "sharper", "frontal"]
)
def test_a_better_shot_ranks_higher(better: dict) -> None:
    assert shot_score(FaceQuality(**{**GOOD, **better})) > shot_score(FaceQuality(**GOOD))
