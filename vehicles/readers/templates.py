"""Every family of plates as a pattern for the decoder, with how unlikely its shape is before anything is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from vehicles.rules.formats import PlateFormat
from vehicles.rules.marks import LETTERS, ONE_DIGIT_OFFICES, STATES
from vehicles.rules.patterns import Automaton, bits, compile_pattern

MOST_STATES: Final = 400


def _states(codes: Iterable[str]) -> str:
    """Write two-letter codes as a choice that shares its first letters: ``(?:A[NPRS]|B[R]|…)``."""
    seconds: dict[str, str] = defaultdict(str)
    for code in sorted(codes):
        seconds[code[0]] += code[1]
    return f"(?:{'|'.join(f'{first}[{second}]' for first, second in seconds.items())})"


STATE: Final = _states(STATES)
ONE_DIGIT: Final = _states(ONE_DIGIT_OFFICES)
USUAL, RARE, ODD = 1.0, 0.05, 0.005
"""How likely a shape is, roughly, beside the usual one: a plate of one family in twenty, one of a torn shape in two
hundred. They only decide between readings that the picture leaves open."""

SHAPES: Final = (
    (f"(?:IND)?{STATE}[0-9]{{2}}{LETTERS}{{1,2}}[0-9]{{4}}", USUAL),
    (f"(?:IND)?DL[0-9]{{1,2}}[CEPRSTVYLG]{LETTERS}{{0,2}}[0-9]{{4}}", USUAL),
    (f"(?:IND)?[2-9][0-9]BH[0-9]{{4}}{LETTERS}{{1,2}}", USUAL),
    (f"(?:IND)?{ONE_DIGIT}[0-9]{LETTERS}{{1,2}}[0-9]{{4}}", RARE),
    (f"DL[0-9]{{1,2}}{LETTERS}{{3}}[0-9]{{4}}", RARE),
    (f"{STATE}[0-9]{{6}}", RARE),
    (f"{STATE}[0-9]{{2}}{LETTERS}{{1,2}}[0-9]{{1,3}}", ODD),
    (f"{STATE}[0-9]{{2}}{LETTERS}{{3}}[0-9]{{4}}", ODD),
    (f"{STATE}[0-9]{LETTERS}{{1,2}}[0-9]{{4}}", ODD),
    (f"DL[0-9]{{1,2}}[CEPRSTVYLG]{LETTERS}{{0,2}}[0-9]{{1,3}}", ODD),
    (f"[0-9]{{2}}{LETTERS}[0-9]{{6}}[A-Z]", RARE),
    ("[0-9]{1,3}(?:CD|CC|UN)[0-9]{1,4}", RARE),
    (f"T(?:0[1-9]|1[0-2])[0-9]{{2}}{STATE}[0-9]{{4}}{LETTERS}{{1,2}}", RARE),
    (f"{STATE}[0-9]{{1,2}}(?:[A-J][0-9]{{4}}TC[0-9]{{4}}|TC[0-9]{{1,3}})", RARE),
    (f"{STATE}VA{LETTERS}{{2}}[0-9]{{1,4}}", RARE),
    ("[A-Z]{3}[0-9]{1,4}", ODD),
)
"""The families of `vehicles.rules.marks` as patterns, and the likelihood of each. A mark that is unusual in two ways at
once is not read: WB 1A 234 is a plate of Warsaw, AP 12 345 one of Denmark."""


@dataclass(frozen=True)
class Template:
    """Patterns walked side by side. A set of states is one integer over all of them."""

    patterns: tuple[tuple[Automaton, float], ...]

    @cached_property
    def first(self) -> int:
        return sum(automaton.first << shift for shift, (automaton, _) in zip(self._shifts, self.patterns, strict=True))

    @cached_property
    def _shifts(self) -> tuple[int, ...]:
        shifts, total = [], 0
        for automaton, _ in self.patterns:
            shifts.append(total)
            total += len(automaton.takes)
        return tuple(shifts)

    @cached_property
    def follow(self) -> tuple[int, ...]:
        pairs = zip(self._shifts, self.patterns, strict=True)
        return tuple(states << shift for shift, (automaton, _) in pairs for states in automaton.follow)

    @cached_property
    def takers(self) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for shift, (automaton, _) in zip(self._shifts, self.patterns, strict=True):
            for letter, states in automaton.takers.items():
                found[letter] |= states << shift
        return dict(found)

    def likelihood(self, states: int) -> float:
        """Return how likely the likeliest shape is that a text in these states has; 0 when none ends here."""
        best = 0.0
        for shift, (automaton, likely) in zip(self._shifts, self.patterns, strict=True):
            if states >> shift & automaton.last:
                best = max(best, likely)
        return best

    def after(self, states: int) -> int:
        ahead = 0
        for state in bits(states):
            ahead |= self.follow[state]
        return ahead


def template_for(formats: Sequence[PlateFormat] = ()) -> Template:
    """Return the template of every family and of a site's own formats."""
    own = tuple((one.automaton, RARE) for one in formats)
    families = tuple((compile_pattern(pattern, most_states=MOST_STATES), likely) for pattern, likely in SHAPES)
    return Template(families + own)
