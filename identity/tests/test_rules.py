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


def test_two_names_in_one_track_are_a_review() -> None:
    joined = vote([decide(("Asha", 0.5)), decide(("Ravi", 0.6)), decide(("Asha", 0.7))])
    assert (joined.outcome, joined.person, joined.reason) == (Outcome.REVIEW, "Asha", "shots_disagree")


def test_a_track_for_review_beats_unknown_shots() -> None:
    assert vote([decide(("Asha", 0.1)), decide(("Asha", 0.35))]).outcome is Outcome.REVIEW


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
