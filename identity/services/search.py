"""Whose face is in a picture, among the people of some sites. Writes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from factoryai.sites.models import Site
from identity.models import Employee
from identity.pictures import decode_picture
from identity.recognisers.retries import Allowance, paid_from
from identity.rules import Decision, Outcome, judge_quality, sureness
from identity.services import engines


@dataclass(frozen=True, slots=True)
class Found:
    """What a search answers. ``reason`` is a code: of the decision, or why no face could be used."""

    outcome: str
    reason: str
    employee: int | None = None
    employee_code: str | None = None
    site: str | None = None
    similarity: float | None = None
    second_similarity: float | None = None
    engine: str | None = None
    threshold: float | None = None


RANK = {Outcome.KNOWN: 2, Outcome.REVIEW: 1, Outcome.UNKNOWN: 0}


def search_picture(*, data: bytes, sites: Sequence[Site], at: dt.datetime) -> Found:
    """Turn an uploaded picture upright, search its largest face at each site, and return the best decision.

    With Rekognition that is one paid request a site while the face may cost any; the sites beyond are searched here.
    Raises `Refusal` for a picture that cannot be read, and
    `RecogniserError` when no engine answers.
    """
    image, faces = engines.finder().find_upright(decode_picture(data))
    if not faces:
        return Found(Outcome.NO_FACE.value, "no_face")
    if why := judge_quality(faces[0].quality):
        return Found(Outcome.NO_FACE.value, why)
    with paid_from(Allowance()):
        decided = [(engines.recogniser_for(site).identify(image, faces[0]), site) for site in sites]
    if not decided:
        return Found(Outcome.UNKNOWN.value, "no_site")
    decision, site = max(decided, key=lambda pair: (RANK[pair[0].outcome], sureness(pair[0])))
    return _describe(decision, site, at)


def _describe(decision: Decision, site: Site, at: dt.datetime) -> Found:
    person = Employee.objects.for_site(site).filter(pk=int(decision.person)).first() if decision.person else None
    outcome, reason = decision.outcome, decision.reason
    if outcome is Outcome.KNOWN and not (person and person.works_on(at.astimezone(site.zone).date())):
        outcome, reason = Outcome.REVIEW, "not_employed"
    return Found(
        outcome.value,
        reason,
        employee=person.pk if person else None,
        employee_code=person.code if person else None,
        site=site.slug if person else None,
        similarity=_rounded(decision.similarity),
        second_similarity=_rounded(decision.second_similarity),
        engine=decision.thresholds.engine,
        threshold=decision.thresholds.known,
    )


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(float(score), 4)
