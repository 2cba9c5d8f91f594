"""The plate engine: lines of text are found, looked at once each, and put together to the plates they can make.

A plate has one line, or two, or a line in two parts; only what has the form of a plate is ever returned
(`vehicles.readers.templates`). Nothing here knows of vehicles: whoever calls says where to look.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, reduce

import numpy as np

from streaming.detectors.nanodet import check_picture
from vehicles.readers.base import PlateText
from vehicles.readers.decoder import Decoded, decode_steps
from vehicles.readers.finder import Line, TextFinder, box_around, height_of, straighten, widen
from vehicles.readers.letters import LetterNet, Steps
from vehicles.readers.templates import Template, template_for
from vehicles.rules.cleaning import CleaningError, clean_plate
from vehicles.rules.formats import PlateFormat
from vehicles.rules.gate import ENOUGH

LONG_SIDE = 640
MOST_LINES = 6
"""Lines looked at in one picture, the largest: a lorry's sides are full of them, and each costs 7 ms."""

LOWEST = 8.0
"""Height in pixels below which no line is legible."""

CROP_SIDE = 420
"""A picture no longer than this may be a plate cut out, with no margin for the finder to see it by."""

WIDE = 1.4
"""Width over height from which a small picture without any line found may be a blurred plate: vehicles are higher."""

COVERED = 0.2
"""Share of a picture that is text, with its margins, when it is of a plate and little else."""

ONE_LINE = (2.2, 12.0)
"""Width over height of a picture that is one line as a whole, and of a line that holds a whole plate."""

TWO_LINES = (0.9, 2.8)
CLOSE, BESIDE = 0.7, 1.6
"""Gaps, in heights of a line, up to which lines above each other, and beside each other, are of one plate."""

ALIKE = 0.45
"""Least ratio of the heights of two lines of one plate."""

OVERLAP = 0.3
UNSURE, STRETCH = 0.02, 1.5
"""From which confidence on a plate that is not believed is worth a second look, and how much wider that is."""

PLATE_LENGTHS = (5, 11)
FREE_TEXT = 0.5
"""Most that is believed of a text that has the form of no plate."""

SMALLEST_SURE = 12.0
"""Height in pixels of a line below which nothing read is sure: in letters 6 pixels wide the net takes W for M."""

WIDER = 1.3
"""Heights by which a line is widened on both sides to see whether a plate goes on there: what is unusual may be a part
of another that the finder cut off."""
HOPELESS = 0.001
"""Confidence below which what was read is no more than the form that was forced upon it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A line, or lines put together, with what it shows."""

    shapes: tuple[np.ndarray, ...]
    steps: Steps

    def box(self) -> tuple[float, float, float, float]:
        return box_around(list(self.shapes))


class PpOcrReader:
    """Implements `vehicles.readers.base.PlateReader`. Holds no state between pictures."""

    def __init__(self, formats: Sequence[PlateFormat] = ()) -> None:
        self._finder, self._letters = _nets()
        self._template: Template = template_for(formats)

    def read(self, image: np.ndarray) -> list[PlateText]:
        check_picture(image)
        lines = [line for line in self._finder.find(image, LONG_SIDE) if line.height >= LOWEST][:MOST_LINES]
        parts = list(_assemble([(line, self._look(image, line.corners)) for line in lines]))
        whole = list(self._whole(image)) if _is_cut_out(image, lines) else []
        parts += whole
        plates = {part: self._decode(image, part) for part in parts}
        free = [text for part in parts if plates[part] is None and (text := _as_it_stands(part))]
        return _settle(
            [plate for plate in plates.values() if plate], free, {plate for part in whole if (plate := plates[part])}
        )

    def _look(self, image: np.ndarray, *shapes: np.ndarray, stretch: float = 1.0) -> _Part:
        """Look at one line, or at several from top to bottom as one."""
        steps = [self._letters.look(straighten(image, shape), stretch) for shape in shapes]
        return _Part(shapes, reduce(Steps.then, steps))

    def _whole(self, image: np.ndarray) -> Iterator[_Part]:
        """Look at a whole picture as one plate, of one line or of two."""
        height, width = image.shape[:2]
        if ONE_LINE[0] <= width / height <= ONE_LINE[1]:
            yield self._look(image, _rectangle(width, 0, height))
        if TWO_LINES[0] <= width / height <= TWO_LINES[1]:
            yield self._look(image, _rectangle(width, 0, 0.54 * height), _rectangle(width, 0.46 * height, height))

    def _decode(self, image: np.ndarray, part: _Part) -> PlateText | None:
        decoded = decode_steps(part.steps.chances, self._template)
        if decoded is None or decoded.weakest < HOPELESS:
            return None
        sure = decoded.weakest
        for again in self._second_looks(image, part, decoded):
            other = decode_steps(again.steps.chances, self._template)
            if other is None or other.text != decoded.text:
                sure = min(sure, ENOUGH)
            if other and other.is_usual >= decoded.is_usual and other.weakest > sure:
                sure = _after_another_look(decoded, sure, other)
                part, decoded = again, other
        if min(height_of(shape) for shape in part.shapes) < SMALLEST_SURE:
            sure = min(sure, ENOUGH)
        return PlateText(decoded.text, sure, decoded.characters, decoded.candidates, part.box(), part.steps.raw)

    def _second_looks(self, image: np.ndarray, part: _Part, decoded: Decoded) -> Iterator[_Part]:
        """Look wider where the finder may have cut a plate off, and stretched where letters may run together."""
        if not decoded.is_usual:
            yield self._look(image, *(widen(shape, WIDER) for shape in part.shapes))
        if UNSURE < decoded.weakest <= ENOUGH:
            yield self._look(image, *part.shapes, stretch=STRETCH)


def _after_another_look(first: Decoded, sure: float, second: Decoded) -> float:
    """Return how sure a read is that a second look makes surer: in between when both say the same, not enough when
    they differ, and as sure as the second where the first had cut the plate off."""
    if first.text == second.text:
        return (sure + second.weakest) / 2
    return second.weakest if second.is_usual > first.is_usual else min(ENOUGH, second.weakest)


def _as_it_stands(part: _Part) -> PlateText | None:
    """Return what looks like a plate but has the form of none; a person may want to see it."""
    try:
        text = clean_plate(part.steps.raw)
    except CleaningError:
        return None
    digits = sum(letter.isdigit() for letter in text)
    if not PLATE_LENGTHS[0] <= len(text) <= PLATE_LENGTHS[1] or digits < 2 or digits == len(text):
        return None
    sure = min(part.steps.sure, FREE_TEXT)
    return PlateText(text, sure, (sure,) * len(text), ((text, 1.0),), part.box(), part.steps.raw)


def _rectangle(width: float, top: float, bottom: float) -> np.ndarray:
    return np.array(((0, top), (width, top), (width, bottom), (0, bottom)), np.float32)


@cache
def _nets() -> tuple[TextFinder, LetterNet]:
    """Load the nets once for all readers of the process: 31 MB of weights, a third of a second."""
    return TextFinder(), LetterNet()


def _is_cut_out(image: np.ndarray, lines: Sequence[Line]) -> bool:
    """Whether the picture may be of one plate and little else."""
    height, width = image.shape[:2]
    if max(height, width) > CROP_SIDE:
        return False
    text = sum(line.width * line.height for line in lines)
    return text >= COVERED * height * width if lines else width >= WIDE * height


def _assemble(found: Sequence[tuple[Line, _Part]]) -> Iterator[_Part]:
    """Yield everything that may be a plate: lines, two beside each other, and those with another line below."""
    rows = list(found)
    for (one, first), (other, second) in itertools.permutations(found, 2):
        if _is_beside(one, other):
            joined = Line(np.array((one.corners[0], other.corners[1], other.corners[2], one.corners[3])), one.score)
            rows.append((joined, _Part((*first.shapes, *second.shapes), _joined(first.steps, second.steps))))
    yield from (part for line, part in rows if line.width >= ONE_LINE[0] * line.height)
    for (upper, above), (lower, below) in itertools.permutations(rows, 2):
        if _is_above(upper, lower):
            yield _Part((*above.shapes, *below.shapes), above.steps.then(below.steps))


def _joined(left: Steps, right: Steps) -> Steps:
    together = left.then(right)
    return replace(together, raw=f"{left.raw} {right.raw}".strip())


def _is_beside(left: Line, right: Line) -> bool:
    """Whether ``right`` goes on where ``left`` ends."""
    if not _are_alike(left, right):
        return False
    along, gap = left.corners[1] - left.corners[0], right.corners[[0, 3]].mean(0) - left.corners[[1, 2]].mean(0)
    unit = along / max(float(np.linalg.norm(along)), 1e-6)
    ahead, aside = float(gap @ unit), abs(float(gap[0] * unit[1] - gap[1] * unit[0]))
    height = (left.height + right.height) / 2
    return -0.5 * height <= ahead <= BESIDE * height and aside <= 0.35 * height


def _is_above(upper: Line, lower: Line) -> bool:
    """Whether ``lower`` is the second line under ``upper``."""
    if not _are_alike(upper, lower):
        return False
    height = (upper.height + lower.height) / 2
    gap = lower.corners[[0, 1]].mean(0)[1] - upper.corners[[2, 3]].mean(0)[1]
    if not -0.6 * height <= gap <= CLOSE * height or lower.middle[1] - upper.middle[1] < 0.5 * height:
        return False
    (a1, _, a2, _), (b1, _, b2, _) = upper.box, lower.box
    return min(a2, b2) - max(a1, b1) >= 0.5 * min(a2 - a1, b2 - b1)


def _are_alike(one: Line, other: Line) -> bool:
    return ALIKE <= one.height / max(other.height, 1e-6) <= 1 / ALIKE


def _settle(plates: list[PlateText], free: list[PlateText], whole: set[PlateText]) -> list[PlateText]:
    """Return one plate for each place, the surest first; one that another way of reading contradicts is less sure.

    ``whole`` are those of the whole picture: where they agree with a line that was found and straightened, and are
    surer, the two are as sure as their mean.
    A part of a longer plate in the same place is torn. Free text is what is left where no plate was read, and
    contradicts nothing: half of a plate looks like it.
    """
    settled: list[PlateText] = []
    for plate in sorted(_without_torn(plates), key=lambda one: -one.confidence):
        rivals = [number for number, other in enumerate(settled) if _is_same_place(plate.box, other.box)]
        if not rivals:
            settled.append(plate)
        for number in rivals:
            winner = settled[number]
            if plate.text == winner.text:
                is_better_whole = winner in whole and plate not in whole
                mean = (winner.confidence + plate.confidence) / 2
                settled[number] = replace(winner, confidence=mean) if is_better_whole else winner
            elif not _is_within(plate.text, winner.text):
                settled[number] = replace(winner, confidence=winner.confidence * (1 - plate.confidence))
    settled.sort(key=lambda one: -one.confidence)
    for plate in sorted(free, key=lambda one: -one.confidence):
        if not any(_is_same_place(plate.box, other.box) for other in settled):
            settled.append(plate)
    return settled


def _without_torn(plates: list[PlateText]) -> list[PlateText]:
    """Leave out the beginnings and ends of longer plates that are read in the same place and as surely."""

    def is_torn(plate: PlateText) -> bool:
        return any(
            len(plate.text) < len(other.text)
            and (other.text.startswith(plate.text) or other.text.endswith(plate.text))
            and other.confidence >= min(plate.confidence, ENOUGH)
            and _is_same_place(plate.box, other.box)
            for other in plates
        )

    return [plate for plate in plates if not is_torn(plate)]


def _is_within(text: str, longer: str) -> bool:
    """Whether a text is a longer one, or that with characters lost: of two alike, one is easily lost."""
    letters = iter(longer)
    return all(letter in letters for letter in text)


def _is_same_place(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes share a good part of the smaller one."""
    wide, high = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
    if min(wide, high) <= 0:
        return False
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return wide * high >= OVERLAP * max(smaller, 1e-6)
