"""Many reads of one vehicle become one answer: a vote by character over the reads of one track.

Reads are only ever joined because they are of one track, never because their texts are alike: of two marks of one
office, four in five are alike enough for any such measure (Jaro-Winkler 0.85, measured).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vehicles.rules.formats import PlateFormat, find_format
from vehicles.rules.gate import ENOUGH
from vehicles.rules.marks import parse_mark

LARGE_PX2: Final = 4000.0
"""Area of a plate from which on more pixels make a read no better (as Frigate's vote for faces has it)."""

AGREES: Final = 0.5
"""A read less sure than this is no second witness."""

WITNESSES: Final = 3
"""Reads, the surest that say so, by which a character is as sure as it is."""

REMEMBERED: Final = 15
"""Reads of a track that are voted on, the weightiest: four seconds at four looks a second."""


@dataclass(frozen=True, slots=True)
class Read:
    """One read of a track: its text, the probability of each character, the lowest of all, and the plate's area.

    ``confidence`` may be lower than every character's: something may have been passed over.
    """

    text: str
    characters: tuple[float, ...]
    confidence: float
    area_px2: float = LARGE_PX2

    @property
    def size(self) -> float:
        return math.sqrt(min(max(self.area_px2, 1.0), LARGE_PX2) / LARGE_PX2)

    @property
    def weight(self) -> float:
        return self.confidence * self.size


@dataclass(frozen=True, slots=True)
class Vote:
    """What the reads say together. ``confidence`` is that of the weakest place; of one read alone it is its own.

    ``agreeing`` counts the reads that say exactly this and are fairly sure; ``candidates`` are whole texts that were
    read, with their shares of the weight, the best first. ``torn`` counts the reads left out as parts of a longer one.
    """

    text: str
    confidence: float
    characters: tuple[float, ...]
    candidates: tuple[tuple[str, float], ...]
    agreeing: int
    torn: int = 0


def vote_reads(reads: Sequence[Read], formats: Sequence[PlateFormat] = ()) -> Vote | None:
    """Vote over the reads of one track; None when there are none. The order of the reads decides nothing.

    The heaviest length wins, then the heaviest character at each place. When the characters together are no plate, the
    heaviest whole text is taken.
    """
    whole = [read for read in reads if read.text and not is_torn(read, reads, formats)]
    if not whole:
        return None
    lengths: dict[int, list[Read]] = defaultdict(list)
    for read in whole:
        lengths[len(read.text)].append(read)
    group = max(lengths.values(), key=lambda some: (math.fsum(read.weight for read in some), len(some[0].text)))
    text = _by_character(group)
    if not _is_plate(text, formats):
        text = _heaviest(group)
    return _answer(text, group, whole, torn=len(reads) - len(whole))


def is_torn(read: Read, others: Sequence[Read], formats: Sequence[PlateFormat] = ()) -> bool:
    """Whether a read is a part of a longer valid one: a plate cut off by the picture.

    The longer one must be as sure as a gate asks, or have been read twice: one slip of the reader takes nothing from
    the others.
    """
    longer = [other for other in others if is_part(read.text, other.text)]
    for other in longer:
        is_borne_out = other.confidence > ENOUGH or sum(one.text == other.text for one in others) > 1
        if is_borne_out and _is_plate(other.text, formats):
            return True
    return False


def is_part(text: str, longer: str) -> bool:
    """Whether a text is a beginning, an end or the middle of a longer one, or both its ends without the series."""
    if len(text) >= len(longer):
        return False
    if text in longer:
        return True
    mark = parse_mark(text)
    if mark is None or mark.family != "standard_no_series":
        return False
    return longer.startswith(text[:4]) and longer.endswith(text[4:])


def keep_best(reads: Sequence[Read]) -> list[Read]:
    """Return the reads worth remembering, in their order: the weightiest, the newest first among equals."""
    ranked = sorted(range(len(reads)), key=lambda number: (-reads[number].weight, -number))[:REMEMBERED]
    return [reads[number] for number in sorted(ranked)]


def _is_plate(text: str, formats: Sequence[PlateFormat]) -> bool:
    return parse_mark(text) is not None or find_format(text, formats) is not None


def _by_character(group: Sequence[Read]) -> str:
    return "".join(
        max(_tally(group, place).items(), key=lambda item: (item[1], item[0]))[0] for place in _places(group)
    )


def _tally(group: Sequence[Read], place: int) -> dict[str, float]:
    """Return the weight of each character that was read at one place."""
    weights: dict[str, list[float]] = defaultdict(list)
    for read in group:
        weights[read.text[place]].append(_weight_at(read, place))
    return {letter: math.fsum(some) for letter, some in weights.items()}


def _weight_at(read: Read, place: int) -> float:
    return read.characters[place] * read.size


def _places(group: Sequence[Read]) -> range:
    return range(len(group[0].text))


def _heaviest(group: Sequence[Read]) -> str:
    weights = _weights_of_texts(group)
    return max(weights, key=lambda text: (weights[text], text))


def _weights_of_texts(reads: Sequence[Read]) -> dict[str, float]:
    weights: dict[str, list[float]] = defaultdict(list)
    for read in reads:
        weights[read.text].append(read.weight)
    return {text: math.fsum(some) for text, some in weights.items()}


def _answer(text: str, group: Sequence[Read], whole: Sequence[Read], torn: int) -> Vote:
    characters = tuple(_certainty(text[place], group, place) for place in _places(group))
    witnesses = [read for read in group if read.text == text]
    best = sorted(read.confidence for read in witnesses)[-WITNESSES:]
    surest = math.fsum(best) / len(best) if best else 0.0
    weights = _weights_of_texts(whole)
    total = math.fsum(weights.values())
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return Vote(
        text=text,
        confidence=min(*characters, surest),
        characters=characters,
        candidates=tuple((name, weight / total if total else 0.0) for name, weight in ranked),
        agreeing=sum(read.confidence >= AGREES for read in witnesses),
        torn=torn,
    )


def _certainty(letter: str, group: Sequence[Read], place: int) -> float:
    """Return how sure a character is: its share of all the weight there, times how sure its best readers are.

    Three readers count, the surest: what was dim from afar must not hold back what is plain now.
    """
    tally = _tally(group, place)
    total = math.fsum(tally.values())
    best = sorted(read.characters[place] for read in group if read.text[place] == letter)[-WITNESSES:]
    return tally[letter] / total * math.fsum(best) / len(best) if total else 0.0
