"""From what was read to letters and digits, refusing what could make one plate look like another."""

from __future__ import annotations

import unicodedata

LONGEST = 64
LINE_ENDS = "\n\r\t"
COUNTRY = "IND"
ARROW = "↑"
"""The broad arrow before a military number; it says nothing that the number does not."""


class CleaningError(ValueError):
    """Text that is no plate at all; ``code`` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def clean_plate(raw: str) -> str:
    """Return the capital letters and digits of a read, lines joined from top to bottom.

    Cleaning twice equals once. Raises `CleaningError` with ``too_long``, ``control_characters``,
    ``foreign_characters`` or ``empty``. Letters of other alphabets are refused, never dropped: without its Cyrillic
    letters a plate would be another one.
    """
    if len(raw) > LONGEST:
        raise CleaningError("too_long", f"A plate has at most {LONGEST} characters.")
    text = unicodedata.normalize("NFKC", raw).replace(ARROW, " ")
    if len(text) > LONGEST:
        raise CleaningError("too_long", f"A plate has at most {LONGEST} characters.")
    if any(unicodedata.category(letter).startswith("C") and letter not in LINE_ENDS for letter in text):
        raise CleaningError("control_characters", "The text holds characters that cannot be seen.")
    if any(not letter.isascii() and (letter.isalnum() or _is_accent(letter)) for letter in text):
        raise CleaningError("foreign_characters", "The text holds letters or digits of another alphabet.")
    words = "".join(letter if letter.isalnum() else " " for letter in text.upper()).split()
    cleaned = "".join(word for word in words if word != COUNTRY)
    if not cleaned:
        raise CleaningError("empty", "There is no letter and no digit.")
    return cleaned


def _is_accent(letter: str) -> bool:
    """Whether a character changes the one before it, as an accent or a ring does."""
    return unicodedata.category(letter).startswith("M")
