"""What people type when they look for a vehicle, and how untrusted text is shown without doing anything."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from vehicles.rules.cleaning import LINE_ENDS, CleaningError, clean_plate
from vehicles.rules.gate import judge_plate

SHOWN: Final = 64
"""Characters of a read that are kept; no plate has more."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """``part``: the capital letters and digits of what was typed. ``keys``: the vehicles that it may name."""

    part: str
    keys: tuple[str, ...] = ()


def spell(text: str) -> Spelling:
    """Return what a search means: KA 01 EK 171 and ka-01-ek-0171 name one vehicle, 8337 a part of many."""
    try:
        cleaned = clean_plate(text[:SHOWN])
    except CleaningError:
        return Spelling("")
    return Spelling(cleaned, (*judge_plate(cleaned, 1.0).keys, cleaned))


def shown(text: str) -> str:
    """Return the first `SHOWN` characters with everything that cannot be seen written out, as in ``\\u202e``.

    What is kept of a read is safe in a log line, a table and a terminal; markup is a matter of the page.
    """
    return "".join(_visible(letter) for letter in text[:SHOWN])[:SHOWN]


BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of what follows, also of text that is not theirs."""


def on_one_line(text: str) -> str:
    """Return what a person wrote as one line of text that says what it shows.

    Control characters and marks of direction are written out; joiners stay, for Devanagari and Malayalam need them.
    """
    words = "".join(" " if letter in LINE_ENDS or letter in "\u2028\u2029\x85" else letter for letter in text).strip()
    return "".join(
        letter.encode("unicode_escape").decode()
        if letter in BIDIRECTIONAL or unicodedata.category(letter) == "Cc"
        else letter
        for letter in words
    )


def _visible(letter: str) -> str:
    if letter in LINE_ENDS:
        return " "
    is_hidden = unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029"
    return letter.encode("unicode_escape").decode() if is_hidden else letter
