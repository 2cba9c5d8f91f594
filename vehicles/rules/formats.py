"""A site's own plate formats, such as the numbers of works vehicles: tried when saved, matched without risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from vehicles.rules.correction import LOOKALIKES, changes
from vehicles.rules.patterns import LETTERS, Automaton, PatternError, compile_pattern

LONGEST_PATTERN: Final = 200
LONGEST_NAME: Final = 40
MOST_STATES: Final = 64
SHORTEST_PLATE, LONGEST_PLATE = 3, 20


class FormatError(ValueError):
    """A format that cannot be saved; ``code`` says why, the text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class PlateFormat:
    """A format in use. ``name`` becomes the family of the plates that match it."""

    name: str
    pattern: str
    automaton: Automaton

    @property
    def example(self) -> str:
        """A shortest plate of the format, for people to see what they wrote."""
        return self.automaton.example() or ""

    def matches(self, text: str) -> bool:
        """Whether a cleaned text is a plate of this format. Costs microseconds, at most a third of a millisecond."""
        return SHORTEST_PLATE <= len(text) <= LONGEST_PLATE and self.automaton.matches(text)

    def matches_nearly(self, text: str) -> bool:
        """Whether it would be one if at most one character were its look-alike."""
        is_possible = SHORTEST_PLATE <= len(text) <= LONGEST_PLATE
        return is_possible and self.automaton.matches_nearly(text, LOOKALIKES)


def compile_format(name: str, pattern: str) -> PlateFormat:
    """Compile a format and try it; what comes back can be matched with any text. Raises `FormatError`.

    Codes: those of `vehicles.rules.patterns.compile_pattern` (among them ``can_run_away``), and ``bad_name``,
    ``too_long``, ``too_short`` (plates of fewer than three characters), ``needs_a_digit`` (it would take words:
    lorries and shop fronts are full of them), ``takes_nothing``.
    """
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise FormatError("bad_name", f"A format has a name of 1 to {LONGEST_NAME} characters.")
    if len(pattern) > LONGEST_PATTERN:
        raise FormatError("too_long", f"A pattern has at most {LONGEST_PATTERN} characters.")
    try:
        automaton = compile_pattern(pattern, most_states=MOST_STATES)
    except PatternError as error:
        raise FormatError(error.code, str(error)) from error
    if automaton.example(LETTERS):
        raise FormatError(
            "needs_a_digit", "The pattern takes words without any digit: let a digit stand in every plate."
        )
    compiled = PlateFormat(name, pattern.strip(), automaton)
    if len(compiled.example) < SHORTEST_PLATE:
        raise FormatError("too_short", f"A plate has at least {SHORTEST_PLATE} characters.")
    if not compiled.matches(compiled.example):
        raise FormatError("takes_nothing", f"The pattern takes no plate of at most {LONGEST_PLATE} characters.")
    return compiled


def find_format(text: str, formats: Sequence[PlateFormat]) -> PlateFormat | None:
    """Return the first format that a cleaned text matches."""
    return next((one for one in formats if one.matches(text)), None)


def mend_by_format(text: str, formats: Sequence[PlateFormat]) -> dict[str, tuple[PlateFormat, int]]:
    """Return the plates of the formats that are one look-alike away: text → its format and the changed position."""
    near = [one for one in formats if one.matches_nearly(text)]
    if not near:
        return {}
    mended = {}
    for position, changed in changes(text):
        if found := find_format(changed, near):
            mended[changed] = found, position
    return mended
