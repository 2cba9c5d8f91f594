"""Who a face belongs to, decided from scores alone: known, for review, unknown, or no face.

Three zones without a gap and a margin to the second person, so a stranger is never given the nearest name.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    KNOWN = "known"
    REVIEW = "review"
    UNKNOWN = "unknown"
    NO_FACE = "no_face"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits in the scale of one engine and one model version; a score of one engine means nothing in another's.

    ``known`` and ``review`` are inclusive lower edges. ``margin`` is how far the best person must lie above the
    second before a name is given.
    """

    engine: str
    model: str
    known: float
    review: float
    margin: float

    def __post_init__(self) -> None:
        if not self.review <= self.known:
            raise ValueError("the review threshold must not lie above the known threshold")


SFACE = Thresholds(engine="local", model="sface_2021dec_int8bq", known=0.40, review=0.30, margin=0.04)
"""Cosine similarities. 0.40: true accepts 0.982 with 0 of 2,172 false accepts; 0.30: 11 of 2,172 false accepts,
so a person looks (measured on 120 photographs of 22 people)."""

REKOGNITION = Thresholds(engine="rekognition", model="7.0", known=99.0, review=80.0, margin=0.5)
"""Per cent. 99 is AWS's advice where a wrong match matters, 80 its default for a search."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One enrolled person and the best similarity of any of their faces."""

    person: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and everything needed to explain it later. ``person`` is None unless known or for review."""

    outcome: Outcome
    person: str | None
    similarity: float | None
    second_similarity: float | None
    thresholds: Thresholds
    reason: str


def decide_identity(candidates: Sequence[Candidate], thresholds: Thresholds) -> Decision:
    """Decide who a face is, from the people it resembles in any order. A score that is no number counts as none."""
    ranked = sorted((c for c in candidates if math.isfinite(c.similarity)), key=lambda c: (-c.similarity, c.person))
    best = ranked[0] if ranked else None
    second = next((c.similarity for c in ranked if best and c.person != best.person), None)
    if best is None or best.similarity < thresholds.review:
        score = best.similarity if best else None
        return Decision(Outcome.UNKNOWN, None, score, second, thresholds, "below_review")
    if best.similarity < thresholds.known:
        return Decision(Outcome.REVIEW, best.person, best.similarity, second, thresholds, "below_known")
    if second is not None and best.similarity - second < thresholds.margin:
        return Decision(Outcome.REVIEW, best.person, best.similarity, second, thresholds, "too_close_to_second")
    return Decision(Outcome.KNOWN, best.person, best.similarity, second, thresholds, "above_known")


def vote(decisions: Sequence[Decision]) -> Decision | None:
    """Join the decisions of one track into one; None when there were none.

    Shots that resemble one person at most are joined to the surest of them. As soon as two people are in play the
    track is a review, whether a shot named the other one or only doubted: a stranger who resembles somebody in one shot
    resembles somebody else in the next. Whoever was named most often is suggested. A shot that resembles nobody
    contradicts nothing, for a face far away or turned does so.
    """
    if not decisions:
        return None
    named = [d for d in decisions if d.outcome is Outcome.KNOWN]
    doubted = [d for d in decisions if d.outcome is Outcome.REVIEW]
    in_play = named or doubted or list(decisions)
    if len({d.person for d in named + doubted}) <= 1:
        return max(in_play, key=sureness)
    times = Counter(d.person for d in in_play)
    best = max(in_play, key=lambda d: (times[d.person], sureness(d)))
    return replace(best, outcome=Outcome.REVIEW, reason="shots_disagree")


def sureness(decision: Decision) -> float:
    """Return the similarity as a share of what a name takes: shots of one track may come from two engines."""
    return (decision.similarity or 0.0) / decision.thresholds.known


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """What a face crop is like: width in pixels, sharpness (variance of the Laplacian of the aligned crop), mean
    brightness 0–255, and how far the head is turned, 0 (frontal) to 1 (profile)."""

    width: float
    sharpness: float
    brightness: float
    turn: float


MIN_WIDTH = 40.0
"""Below 40 px the accepted strangers rise from 0 to 0.4 % at the shipped threshold (measured at 28 px)."""

MIN_SHARPNESS = 40.0
MIN_BRIGHTNESS = 40.0
"""Below a third of ordinary light strangers are accepted in 1 % of pairs (measured)."""

MAX_BRIGHTNESS = 225.0
MAX_TURN = 0.62


def judge_quality(quality: FaceQuality, *, min_width: float = MIN_WIDTH) -> str | None:
    """Return why a face is not good enough to be searched, or None when it is."""
    if quality.width < min_width:
        return "face_too_small"
    if quality.brightness < MIN_BRIGHTNESS:
        return "too_dark"
    if quality.brightness > MAX_BRIGHTNESS:
        return "too_bright"
    if quality.sharpness < MIN_SHARPNESS:
        return "too_blurry"
    if quality.turn > MAX_TURN:
        return "turned_away"
    return None


def shot_score(quality: FaceQuality) -> float:
    """Rank the shots of one track: larger, sharper and more frontal is better."""
    return quality.width**2 * math.log1p(quality.sharpness) * (1.0 - min(quality.turn, 1.0))


GROUPED_AT = 0.40
"""Strangers as like as this (cosine of the local vectors) are shown as one: 0 of 2,172 pairs of strangers are."""

ENROL_WIDTH = 60.0
"""A photo to be compared with for years is asked for more than a shot in passing."""

GOOD_WIDTH, GOOD_SHARPNESS = 160.0, 300.0
ROTATED_BY = 0.03
"""Upright faces are found with a confidence of 0.93–0.95, the same ones turned over with 0.74–0.90 (measured)."""


def quality_score(quality: FaceQuality) -> float:
    """Return how well a photo serves recognition, 0–1: large, sharp and frontal is 1."""
    size = min(1.0, quality.width / GOOD_WIDTH)
    sharpness = min(1.0, quality.sharpness / GOOD_SHARPNESS)
    return round(size**0.5 * sharpness**0.5 * (1.0 - min(quality.turn, 1.0)), 3)


def other_owner(candidates: Sequence[Candidate], person: str, thresholds: Thresholds) -> Candidate | None:
    """Return the other person that a photo for ``person`` would be known as, or None."""
    others = [c for c in candidates if c.person != person and c.similarity >= thresholds.known]
    return max(others, key=lambda c: c.similarity, default=None)


def is_unlike_own(candidates: Sequence[Candidate], person: str, thresholds: Thresholds) -> bool:
    """Whether ``person`` has photos and none of them resembles the one that is to be added."""
    own = [c.similarity for c in candidates if c.person == person]
    return bool(own) and max(own) < thresholds.review
