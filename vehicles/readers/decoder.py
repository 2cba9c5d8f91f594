"""From steps of characters to a registration mark: CTC decoding that only ever goes where a plate can go.

A prefix beam search (Hannun et al., arXiv 1408.2873) sums over all the ways in which the steps can show a text; each
prefix carries the states of the template it may be in, so that nothing but a plate is ever read, and what remains open
comes out as candidates with their shares of belief.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from vehicles.readers.templates import USUAL, Template
from vehicles.rules.cleaning import COUNTRY
from vehicles.rules.patterns import ALPHABET

BEAM: Final = 24
LEAST: Final = 1e-5
"""A character less likely than this at a step is not tried there: such a plate would never be accepted."""

CANDIDATES: Final = 5
APART: Final = 0.5
"""Chance of a blank from which a step parts two characters that are the same."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A mark, the probability of each of its characters, and the lowest of them all.

    ``weakest`` is also low when a character may have been passed over: plates lose characters more often than they
    gain some. ``candidates`` are marks with their shares of belief; ``text`` is the first. ``is_usual``: its shape is
    one that a part of another plate cannot have.
    """

    text: str
    characters: tuple[float, ...]
    weakest: float
    candidates: tuple[tuple[str, float], ...]
    is_usual: bool


@dataclass(slots=True)
class _Prefix:
    """A beginning of a plate: its states, and how likely it is with the newest step blank or on its last character."""

    states: int
    ahead: int
    blank: float = 0.0
    shown: float = 0.0

    @property
    def total(self) -> float:
        return self.blank + self.shown


def decode_steps(chances: np.ndarray, template: Template) -> Decoded | None:
    """Return the likeliest mark that the steps (T, 37) show; None when they show none at all.

    Costs about 1 ms for a clear plate and three for one that leaves much open.
    """
    found = _search(chances, template)
    if not found:
        return None
    total = sum(share for share, _ in found.values())
    ranked = sorted(found.items(), key=lambda item: -item[1][0])[:CANDIDATES]
    text, (_, shape) = ranked[0]
    is_usual = shape >= USUAL
    characters, passed_over = align(chances, text, is_start_known=not is_usual)
    candidates: dict[str, float] = {}
    for candidate, (share, _) in ranked:
        name = _without_country(candidate)
        candidates[name] = candidates.get(name, 0.0) + share / total
    own = tuple(characters[len(text) - len(_without_country(text)) :])
    weakest = min(*own, 1 - passed_over)
    return Decoded(_without_country(text), own, weakest, tuple(candidates.items()), is_usual)


def _without_country(text: str) -> str:
    is_marked = text.startswith(COUNTRY) and len(text) > 2 * len(COUNTRY) + 1
    return text.removeprefix(COUNTRY) if is_marked else text


def _search(chances: np.ndarray, template: Template) -> dict[str, tuple[float, float]]:
    """Return whole marks, each with how likely it is, its shape included, and how likely the shape alone."""
    beam = {"": _Prefix(0, template.first, blank=1.0)}
    known: dict[int, int] = {}
    for step in chances:
        beam = _advance(beam, step, template, known)
        if not beam:
            return {}
    shapes = {text: template.likelihood(prefix.states) for text, prefix in beam.items()}
    return {text: (shape * beam[text].total, shape) for text, shape in shapes.items() if shape}


def _advance(
    beam: dict[str, _Prefix], step: np.ndarray, template: Template, known: dict[int, int]
) -> dict[str, _Prefix]:
    """Go one step on with every prefix, and keep the likeliest."""
    blank = float(step[0])
    letters = [(ALPHABET[place], float(step[place + 1])) for place in np.flatnonzero(step[1:] > LEAST)]
    chance_of = dict(letters)
    further: dict[str, _Prefix] = {}
    for text, prefix in beam.items():
        total = prefix.total
        stays = further.get(text)
        if stays is None:
            stays = further[text] = _Prefix(prefix.states, prefix.ahead)
        stays.blank += total * blank
        last = text[-1:]
        if last in chance_of:
            stays.shown += prefix.shown * chance_of[last]
        for letter, chance in letters:
            reached = prefix.ahead & template.takers.get(letter, 0)
            if not reached:
                continue
            came_from = prefix.blank if letter == last else total
            if came_from <= 0:
                continue
            longer = further.get(text + letter)
            if longer is None:
                if reached not in known:
                    known[reached] = template.after(reached)
                longer = further[text + letter] = _Prefix(reached, known[reached])
            longer.shown += came_from * chance
    return _likeliest(further)


def _likeliest(prefixes: dict[str, _Prefix]) -> dict[str, _Prefix]:
    """Return the likeliest prefixes, their likelihoods scaled so that none ever becomes too small to tell."""
    kept = sorted(prefixes.items(), key=lambda item: -item[1].total)[:BEAM]
    highest = kept[0][1].total
    if highest <= 0:
        return {}
    for _, prefix in kept:
        prefix.blank /= highest
        prefix.shown /= highest
    return dict(kept)


def align(chances: np.ndarray, text: str, *, is_start_known: bool = True) -> tuple[list[float], float]:
    """Lay a text over the steps in the likeliest way (Viterbi).

    Returns the highest probability of each character among its steps, and how likely a character is at most in the
    steps that are taken to show nothing new, other than one that stands beside them. Unless ``is_start_known``, what
    comes before the first character does not count: a hologram and the rim of a plate look like letters.
    """
    places = [0]
    for letter in text:
        places += [ALPHABET.index(letter) + 1, 0]
    route = _route(np.log(np.maximum(chances[:, places], 1e-9)), places)
    shown = [0.0] * len(text)
    for step, node in enumerate(route):
        if node % 2:
            shown[node // 2] = max(shown[node // 2], float(chances[step, places[node]]))
    first = 0 if is_start_known else next(step for step, node in enumerate(route) if node)
    return shown, _passed_over(chances, route, places, first)


def _route(logs: np.ndarray, places: Sequence[int]) -> list[int]:
    """Return which node of blank, character, blank … each step belongs to."""
    count = len(places)
    can_skip = np.array([n >= 3 and n % 2 == 1 and places[n] != places[n - 2] for n in range(count)])
    if count > 1:
        can_skip[1] = False
    score = np.full(count, -math.inf)
    score[:2] = logs[0, :2]
    steps = np.zeros((len(logs), count), np.int8)
    for number in range(1, len(logs)):
        ways = np.full((3, count), -math.inf)
        ways[0], ways[1, 1:], ways[2, 2:] = score, score[:-1], score[:-2]
        ways[2, ~can_skip] = -math.inf
        steps[number] = ways.argmax(axis=0)
        score = ways.max(axis=0) + logs[number]
    node = count - 1 if count < 2 or score[-1] >= score[-2] else count - 2
    route = [node]
    for number in range(len(logs) - 1, 0, -1):
        node -= int(steps[number, node])
        route.append(node)
    return route[::-1]


def _passed_over(chances: np.ndarray, route: Sequence[int], places: Sequence[int], first: int) -> float:
    """Return the largest chance of a character in the steps between the characters.

    A step right beside one of them often still shows it; that is no character passed over. With a blank between it is
    the same character once more.
    """
    others = chances[:, 1:].copy()
    for steps in (range(len(route)), range(len(route) - 1, -1, -1)):
        beside = 0
        for step in steps:
            if route[step] % 2:
                beside = places[route[step]]
            elif beside:
                others[step, beside - 1] = 0
                beside = 0 if chances[step, 0] > APART else beside
    between = [step for step, node in enumerate(route) if node % 2 == 0 and step >= first]
    return float(others[between].max(initial=0.0))
