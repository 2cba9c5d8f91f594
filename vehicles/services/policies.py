"""What a site's gate goes by, read from its rows."""

from __future__ import annotations

from typing import Any

from factoryai.sites.models import Site
from vehicles.models import GatePolicy
from vehicles.rules.cleaning import clean_plate, has_unclear_signs
from vehicles.rules.gate import Judgement, Profile, Verdict, judge_plate
from vehicles.rules.marks import parse_mark
from vehicles.services.formats import formats_of


def policy_of(site: Site | None) -> GatePolicy:
    """Return a site's policy, or the defaults where there is none and for what holds everywhere."""
    found = GatePolicy.objects.filter(site=site).first() if site is not None else None
    return found or GatePolicy(site=site)


def rules_of(site: Site | None) -> tuple[Any, ...]:
    """Return what `judge_plate` needs after the text and its confidence."""
    return Profile(policy_of(site).profile), formats_of(site)


def judge_typed(site: Site | None, text: str, rules: tuple[Any, ...] | None = None) -> Judgement:
    """Judge a plate that a person wrote, who has seen it: DL1ZA1234 may be a misread DL12A1234 to a camera, and is a
    plate of its own to a person. Only what is no mark as it stands is doubtful, and what has signs in it that may be
    characters: it was copied from a read. ``rules`` None: ask for the site's."""
    judgement = judge_plate(text, 1.0, *(rules or rules_of(site)))
    if judgement.verdict is not Verdict.REVIEW or has_unclear_signs(text):
        return judgement
    mark = parse_mark(clean_plate(text))
    if mark is None or mark.key is None:
        return judgement
    return Judgement(
        Verdict.VALID, accepted=True, family=mark.family, normalised=mark.text, match_key=mark.key, keys=(mark.key,)
    )


def judge_at(site: Site | None, text: str, confidence: float = 1.0) -> Judgement:
    """Judge one text as the gate of ``site`` does."""
    return judge_plate(text, confidence, *rules_of(site))
