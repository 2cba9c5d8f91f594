"""The quality gate a read passes, in order: characters, confidence, format. Lists come after it, in `lists`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from vehicles.rules.cleaning import CleaningError, clean_plate, has_unclear_signs
from vehicles.rules.correction import Resolution, resolve_text
from vehicles.rules.formats import PlateFormat, find_format, mend_by_format
from vehicles.rules.marks import parse_mark

ENOUGH: Final = 0.85
"""A read is accepted strictly above this confidence (vehicle gate rule)."""

STRICT: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z]{1,2}[0-9]{4}")
"""The strict profile; ``[0-9]``, because ``\\d`` takes digits of other alphabets, and always the full match, because
``$`` lets a line break through."""


class Verdict(StrEnum):
    VALID = "valid"
    CORRECTED = "corrected"
    REVIEW = "review"
    INVALID = "invalid"


class Profile(StrEnum):
    STRICT = "strict"
    INDIA = "india"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says of one read.

    ``accepted``: it may count as a vehicle. ``candidates`` are the texts that remain possible when a person must look;
    ``keys`` the match keys of everything it may be, for a blocked list. ``reasons`` are codes, first things first.
    """

    verdict: Verdict
    accepted: bool
    family: str | None = None
    normalised: str | None = None
    match_key: str | None = None
    candidates: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    corrected_positions: tuple[int, ...] = ()
    reasons: tuple[str, ...] = ()


def judge_plate(
    raw: str, confidence: float, profile: Profile = Profile.INDIA, formats: Sequence[PlateFormat] = ()
) -> Judgement:
    """Judge one read; ``confidence`` is that of its weakest character, 0–1. ``formats`` are the site's own."""
    try:
        text = clean_plate(raw)
    except CleaningError as error:
        return Judgement(Verdict.INVALID, accepted=False, reasons=(error.code,))
    is_sure = not math.isnan(confidence) and confidence > ENOUGH
    doubts = () if is_sure else ("low_confidence",)
    if profile is Profile.STRICT:
        judgement = _judge_strict(text, doubts)
    else:
        judgement = _judge_resolution(resolve_text(text), doubts)
    judgement = _judge_with_formats(text, doubts, judgement, formats) if formats else judgement
    return _doubted(judgement) if has_unclear_signs(raw) else judgement


def _doubted(judgement: Judgement) -> Judgement:
    """Return what is said of a text with signs in it that may be characters: a plate, perhaps, for a person to see."""
    if judgement.verdict is Verdict.INVALID:
        return judgement
    candidates = judgement.candidates or ((judgement.normalised,) if judgement.normalised else ())
    reasons = (*judgement.reasons, "unclear_signs")
    return replace(judgement, verdict=Verdict.REVIEW, accepted=False, candidates=candidates, reasons=reasons)


def _judge_strict(text: str, doubts: tuple[str, ...]) -> Judgement:
    """Judge a text by the strict profile. What it may be by the families stays among the keys: a blocked vehicle is
    met at every gate."""
    others = [] if (mark := parse_mark(text)) and mark.key else _keys(resolve_text(text))
    if not STRICT.fullmatch(text):
        keys = (mark.key,) if mark and mark.key else tuple(others)
        return Judgement(Verdict.INVALID, accepted=False, keys=keys, reasons=(*doubts, "bad_format"))
    key = (mark.key if mark else None) or text
    return Judgement(
        Verdict.VALID,
        accepted=not doubts,
        family=mark.family if mark else None,
        normalised=text,
        match_key=key,
        keys=tuple(dict.fromkeys((key, *others))),
        reasons=doubts,
    )


def _keys(found: Resolution) -> list[str]:
    return [reading.mark.key for reading in found.readings if reading.mark.key]


def _judge_resolution(found: Resolution, doubts: tuple[str, ...]) -> Judgement:
    keys = tuple(_keys(found))
    if found.best is None:
        if not found.is_conceivable:
            return Judgement(Verdict.INVALID, accepted=False, reasons=(*doubts, "bad_format"))
        families = {reading.mark.family for reading in found.readings}
        return Judgement(
            Verdict.REVIEW,
            accepted=False,
            family=families.pop() if len(families) == 1 else None,
            candidates=tuple(dict.fromkeys(reading.mark.text for reading in found.readings)),
            keys=keys,
            reasons=(*doubts, "ambiguous"),
        )
    mark, positions = found.best.mark, found.best.positions
    is_doubtful = bool(mark.doubt)
    verdict = Verdict.REVIEW if is_doubtful else Verdict.CORRECTED if positions else Verdict.VALID
    reasons = [*doubts, *((mark.doubt,) if is_doubtful else ()), *(("corrected",) if positions else ())]
    return Judgement(
        verdict,
        accepted=not doubts and not is_doubtful,
        family=mark.family,
        normalised=mark.text,
        match_key=mark.key,
        keys=keys,
        corrected_positions=positions,
        reasons=tuple(reasons),
    )


def _judge_with_formats(
    text: str, doubts: tuple[str, ...], judgement: Judgement, formats: Sequence[PlateFormat]
) -> Judgement:
    """Judge a text by the site's own formats as well. A registration mark as it stands comes first; a text that may
    be a plate of the site and a misread mark, or the other way round, is for a person to look at."""
    if judgement.verdict is Verdict.VALID and judgement.family:
        return judgement
    is_legacy = judgement.family == "legacy"
    others = () if is_legacy else (judgement.normalised, *judgement.candidates)
    marks = tuple(dict.fromkeys(other for other in others if other and other != text))
    found = find_format(text, formats)
    if found and not marks:
        own = _own_plate(Verdict.VALID, found, text, doubts)
        return replace(own, keys=tuple(dict.fromkeys((*own.keys, *judgement.keys))))
    mended = {text: (found, None)} if found else mend_by_format(text, formats)
    is_no_mark = judgement.verdict is Verdict.INVALID and not judgement.keys
    if len(mended) == 1 and (is_legacy or is_no_mark):
        plate, (found, position) = next(iter(mended.items()))
        return _own_plate(Verdict.CORRECTED, found, plate, doubts, position)
    if not mended:
        return judgement
    candidates = (*mended, *marks)
    keys = tuple(dict.fromkeys((*mended, *judgement.keys)))
    return Judgement(Verdict.REVIEW, accepted=False, candidates=candidates, keys=keys, reasons=(*doubts, "ambiguous"))


def _own_plate(
    verdict: Verdict, found: PlateFormat, plate: str, doubts: tuple[str, ...], position: int | None = None
) -> Judgement:
    """Make the judgement of a plate of a site's own format, whose key is its text."""
    is_mended = position is not None
    return Judgement(
        verdict,
        accepted=not doubts,
        family=found.name,
        normalised=plate,
        match_key=plate,
        keys=(plate,),
        corrected_positions=(position,) if is_mended else (),
        reasons=(*doubts, "corrected") if is_mended else doubts,
    )


def is_same_plate(first: str, second: str) -> bool:
    """Whether two texts name one vehicle: the same key, numbers compared as numbers, nothing corrected."""
    keys = []
    for raw in (first, second):
        try:
            mark = None if has_unclear_signs(raw) else parse_mark(clean_plate(raw))
        except CleaningError:
            return False
        keys.append(mark.key or mark.text if mark else None)
    return keys[0] is not None and keys[0] == keys[1]
