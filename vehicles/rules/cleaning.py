"""From what was read to letters and digits, refusing what could make one plate look like another."""

from __future__ import annotations

import unicodedata

LONGEST = 64
LINE_ENDS = "\n\r\t"
COUNTRY = "IND"
UNCLEAR_SIGNS = frozenset("|!$@&€£¥¢§")
"""Signs that readers write where a letter or digit stands: KA05MN|234 is not KA05MN234."""

SYMBOLS_OF_LETTERS = frozenset("©®℗℮")
ENCLOSED = range(0x1F100, 0x1F200)
"""Letters and digits in boxes and circles that normalising leaves as they are: A in a black square, flags' letters."""

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
    if not text.isascii() and any(map(_is_foreign, text)):
        raise CleaningError("foreign_characters", "The text holds letters or digits of another alphabet.")
    words = "".join(letter if letter.isalnum() else " " for letter in text.upper()).split()
    cleaned = "".join(word for word in words if word != COUNTRY)
    if not cleaned:
        raise CleaningError("empty", "There is no letter and no digit.")
    return cleaned


def has_unclear_signs(raw: str) -> bool:
    """Whether a text that `clean_plate` takes has signs in it that may be characters of the plate."""
    text = raw if raw.isascii() else unicodedata.normalize("NFKC", raw)
    return not UNCLEAR_SIGNS.isdisjoint(text)


def _is_foreign(letter: str) -> bool:
    """Whether a character is, or stands for, a letter or digit of another alphabet, or changes the one before it as an
    accent does."""
    if letter.isascii():
        return False
    is_accent = unicodedata.category(letter).startswith("M")
    return letter.isalnum() or is_accent or letter in SYMBOLS_OF_LETTERS or ord(letter) in ENCLOSED
