"""Faces of people who walk past a camera: the best shots of each track are searched, voted, and reported once.

Runs in the camera process. A passage costs one search as a rule, a second one only for a clearly better shot of
somebody who is not known yet, and with all retries at most four requests; what is found is reported when it is known,
or when the person has gone or stays.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from identity.liveness import judge_liveness
from identity.recognisers.base import Face, Recogniser, RecogniserError
from identity.recognisers.retries import Allowance, paid_from
from identity.rules import Decision, Outcome, judge_quality, shot_score, vote
from streaming.frames import PERSON, Analysis, Box, Frame, Observation, Track, group_of

log = logging.getLogger(__name__)

HEAD = 0.5
"""Share of a person's box, from the top, in which the face is looked for."""

SETTLE_S = 0.6
"""How long a track's shots are collected before the best of them is searched: three at 5 frames a second."""

BETTER = 1.6
MUCH_BETTER = 4.0
"""How much better than the one searched a shot must be to be searched as well: by the first once no better one has come
for `SETTLE_S` or the person has gone, by the second at once. Who walks up to the camera gets better with every frame,
and the second search is not to be spent half-way."""

LONGEST_S = 10.0
"""Who is still there so long after the first shot is reported as what they are: a guard stands for hours."""

GONE_S = 1.5
SHOTS_REMEMBERED = 5
MAX_SEARCHES = 2


@dataclass(frozen=True, slots=True)
class FacePolicy:
    """What one camera asks of a face. Within ``resight_s`` the same person is reported once, whatever the track.

    With ``checks_liveness`` a face that may be a picture of one is for review (`identity.liveness`).
    """

    min_width: float = 40.0
    resight_s: float = 20.0
    checks_liveness: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """The best picture of a face so far: the crop it lies in, and where in it."""

    crop: np.ndarray
    face: Face
    score: float
    captured_at: float


@dataclass(slots=True)
class _Passage:
    first_shot_at: float | None = None
    best: Shot | None = None
    searched_score: float = 0.0
    searches: int = 0
    allowance: Allowance = field(default_factory=Allowance)
    decisions: list[Decision] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    seen_at: float = 0.0
    is_reported: bool = False
    verdict: Decision | None = None


class FaceAnalyser:
    """Implements `streaming.frames.Analyser` for cameras where people are recognised.

    ``names`` turns a person's id into what is drawn. A recogniser that fails leaves the passage for review: nothing
    that was seen is lost.
    """

    def __init__(self, recogniser: Recogniser, names: Mapping[str, str], policy: FacePolicy | None = None) -> None:
        self._recogniser, self._names, self._policy = recogniser, names, policy or FacePolicy()
        self._passages: dict[int, _Passage] = {}
        self._reported_at: dict[str, float] = {}

    def analyse(self, frame: Frame, tracks: Sequence[Track]) -> Analysis:
        observations = []
        people = [track for track in tracks if not track.missed_s and group_of(track.label) == PERSON]
        for track in people:
            if track.is_confirmed:
                observations.extend(self._look(frame, track, people))
        observations.extend(self._close_passages(frame))
        return Analysis(observations, self._drawn_names())

    def _look(self, frame: Frame, track: Track, people: Sequence[Track]) -> Iterable[Observation]:
        passage = self._passages.setdefault(track.id, _Passage())
        passage.seen_at = frame.captured_at
        if passage.is_reported:
            return
        self._keep_best_shot(passage, frame, track, people)
        if self._is_search_due(passage, frame.captured_at):
            self._search(passage)
        if _outcome(passage) is Outcome.KNOWN:
            yield from self._report(frame.camera, track.id, passage)
        elif passage.first_shot_at is not None and frame.captured_at - passage.first_shot_at >= LONGEST_S:
            yield from self._finish(frame.camera, track.id, passage)

    def _keep_best_shot(self, passage: _Passage, frame: Frame, track: Track, people: Sequence[Track]) -> None:
        crop = head_of(frame.image, track)
        faces = self._recogniser.find_faces(crop) if crop.size else ()
        own = [f for f in faces if is_of(in_picture(f.box, track, frame.image), track, people)]
        face = next((f for f in own if judge_quality(f.quality, min_width=self._policy.min_width) is None), None)
        if face is None:
            return
        if passage.first_shot_at is None:
            passage.first_shot_at = frame.captured_at
        passage.boxes = [*passage.boxes[1 - SHOTS_REMEMBERED :], in_picture(face.box, track, frame.image)]
        score = shot_score(face.quality)
        if passage.best is None or score > passage.best.score:
            passage.best = Shot(crop.copy(), face, score, frame.captured_at)

    @staticmethod
    def _is_search_due(passage: _Passage, at: float) -> bool:
        if passage.best is None or passage.searches >= MAX_SEARCHES:
            return False
        if passage.searches == 0:
            return at - (passage.first_shot_at or at) >= SETTLE_S
        has_settled = at - passage.best.captured_at >= SETTLE_S
        return passage.best.score >= (BETTER if has_settled else MUCH_BETTER) * passage.searched_score

    def _search(self, passage: _Passage) -> None:
        shot = passage.best
        passage.searches += 1
        passage.searched_score = shot.score
        try:
            with paid_from(passage.allowance):
                decision = self._recogniser.identify(shot.crop, shot.face)
        except RecogniserError as error:
            log.warning("A face could not be searched (%s); the passage is kept for review.", error.code)
            return
        passage.decisions.append(decision)

    def _close_passages(self, frame: Frame) -> Iterable[Observation]:
        """Report the people who have gone without being known, and forget every track that ended."""
        gone = [key for key, passage in self._passages.items() if frame.captured_at - passage.seen_at > GONE_S]
        for track_id in gone:
            passage = self._passages.pop(track_id)
            if passage.best is not None and not passage.is_reported:
                yield from self._finish(frame.camera, track_id, passage)

    def _finish(self, camera: str, track_id: int, passage: _Passage) -> Iterable[Observation]:
        """Search the best shot unless it was, or two were, and report what has come out."""
        if passage.searches < MAX_SEARCHES and passage.best.score >= BETTER * passage.searched_score:
            self._search(passage)
        yield from self._report(camera, track_id, passage)

    def _report(self, camera: str, track_id: int, passage: _Passage) -> Iterable[Observation]:
        decision, shot = self._judge(passage), passage.best
        passage.is_reported, passage.verdict = True, decision
        person = decision.person if decision else None
        if decision and decision.outcome is Outcome.KNOWN and not self._is_first_sighting(person, shot.captured_at):
            return
        yield Observation(
            kind="face",
            camera=camera,
            captured_at=shot.captured_at,
            data={"track": track_id, **self._decided(decision), **self._pictured(decision, shot)},
        )

    def _judge(self, passage: _Passage) -> Decision | None:
        """Join the passage's decisions; a name given to what may be a picture of a face is for review."""
        decision = vote(passage.decisions)
        if not (self._policy.checks_liveness and decision and decision.outcome is Outcome.KNOWN):
            return decision
        why = judge_liveness(passage.boxes, passage.best.crop, passage.best.face.box)
        return replace(decision, outcome=Outcome.REVIEW, reason=why) if why else decision

    def _decided(self, decision: Decision | None) -> dict[str, Any]:
        """What was decided and by which limits; nothing decided is a review."""
        limits = decision.thresholds if decision else self._recogniser.thresholds
        return {
            "outcome": decision.outcome.value if decision else Outcome.REVIEW.value,
            "person": decision.person if decision else None,
            "similarity": decision.similarity if decision else None,
            "second_similarity": decision.second_similarity if decision else None,
            "threshold": limits.known,
            "engine": limits.engine,
            "model": limits.model,
            "reason": decision.reason if decision else "not_searched",
        }

    def _pictured(self, decision: Decision | None, shot: Shot) -> dict[str, Any]:
        """The picture to keep, and for somebody not known the vector by which strangers are grouped."""
        is_known = decision is not None and decision.outcome is Outcome.KNOWN
        vector = None if is_known else self._recogniser.embed(shot.crop, shot.face)
        return {"face": shot.crop, "box": shot.face.box, "vector": vector}

    def _is_first_sighting(self, person: str, at: float) -> bool:
        """Tell whether the person was not reported in the last ``resight_s``, and remember this time."""
        self._reported_at = {p: t for p, t in self._reported_at.items() if at - t < self._policy.resight_s}
        is_first = person not in self._reported_at
        self._reported_at[person] = at
        return is_first

    def _drawn_names(self) -> dict[int, str]:
        names = {}
        for track_id, passage in self._passages.items():
            decision = passage.verdict
            if decision and decision.outcome is Outcome.KNOWN:
                names[track_id] = self._names.get(decision.person, decision.person)
        return names


def _outcome(passage: _Passage) -> Outcome | None:
    decision = vote(passage.decisions)
    return decision.outcome if decision else None


def is_of(face: Box, track: Track, people: Sequence[Track]) -> bool:
    """Whether a face belongs to a person's track and not rather to another's whose box reaches into it.

    Who stands behind somebody else must not get the name of the face in front.
    """
    return _off(face, track) <= min((_off(face, other) for other in people if other.id != track.id), default=math.inf)


def _off(face: Box, track: Track) -> float:
    """Return how far a face is from where that of a track is: below the middle of its upper edge.

    Sideways in widths of the person's box, downwards in heights of the face.
    """
    x1, y1, x2, _ = track.box
    aside = abs((face[0] + face[2]) - (x1 + x2)) / 2 / max(x2 - x1, 1.0)
    below = abs(face[1] - y1) / max(face[3] - face[1], 1.0)
    return aside + below / 2


def head_of(image: np.ndarray, track: Track) -> np.ndarray:
    """Return the part of the picture where the face of a person's track is, with a margin; may be empty."""
    left, top, right, bottom = _head_box(image, track)
    return image[top:bottom, left:right]


def in_picture(box: Box, track: Track, image: np.ndarray) -> Box:
    """Return a box of `head_of`'s picture as one of the whole picture."""
    left, top, _, _ = _head_box(image, track)
    return box[0] + left, box[1] + top, box[2] + left, box[3] + top


def _head_box(image: np.ndarray, track: Track) -> tuple[int, int, int, int]:
    height, width = image.shape[:2]
    x1, y1, x2, y2 = track.box
    margin = 0.1 * (x2 - x1)
    left, right = max(0, int(x1 - margin)), min(width, int(x2 + margin))
    top, bottom = max(0, int(y1 - margin)), min(height, int(y1 + HEAD * (y2 - y1)))
    return left, top, right, bottom
