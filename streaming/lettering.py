"""Text in pictures: what OpenCV's letters can write, how wide it is, and where it is cut.

OpenCV's own fonts know ASCII only. Indian scripts are spelt with Latin letters from the Unicode names of their signs,
enough to tell one camera or person from another: मुख्य द्वार becomes "mukhya dvar".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

FONT = cv2.FONT_HERSHEY_DUPLEX
FINER = 4
"""Letters are drawn so many times larger and shrunk: drawn small at once, OpenCV's are blots below 10 pixels."""

STROKE = 0.1
"""Thickness of a stroke as a share of the height of capitals."""

CUT = ".."
SIGNS = str.maketrans(
    {
        "·": "|",
        "•": "|",
        "–": "-",
        "—": "-",
        "→": ">",
        "←": "<",
        "×": "x",
        "°": "",
        "…": CUT,
        "’": "'",
        "ß": "ss",
        "ø": "o",
    }
)

_BRAHMIC = re.compile(
    r"(DEVANAGARI|BENGALI|GURMUKHI|GUJARATI|ORIYA|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA) "
    r"(?P<kind>LETTER|VOWEL SIGN|SIGN) (?P<name>.+)"
)
_SPOKEN_SIGNS = {"ANUSVARA": "n", "CANDRABINDU": "n", "BINDI": "n", "TIPPI": "n", "VISARGA": "h"}
_SIGNS_OF_A = tuple(chr(code) for code in range(0x0900, 0x0E00) if unicodedata.name(chr(code), "").endswith("SIGN AA"))


@dataclass(frozen=True, slots=True)
class Ink:
    """A text ready to be put into pictures: how much of each pixel is covered (0–255), and the baseline's row."""

    cover: np.ndarray
    baseline: int


@lru_cache(maxsize=4096)
def ink_of(text: str, height: int) -> Ink:
    """Draw a text of printable ASCII whose capitals are ``height`` pixels tall; 0.1 ms when it is not remembered."""
    thickness = max(1, round(STROKE * FINER * height))
    scale = cv2.getFontScaleFromHeight(FONT, FINER * height, thickness)
    (width, _), below = cv2.getTextSize(text, FONT, scale, thickness)
    columns, baseline = -(-width // FINER), height + 2
    rows = baseline + -(-below // FINER)
    large = np.zeros((rows * FINER, columns * FINER), np.uint8)
    cv2.putText(large, text, (0, baseline * FINER), FONT, scale, 255, thickness, cv2.LINE_8)
    return Ink(cv2.resize(large, (columns, rows), interpolation=cv2.INTER_AREA) if columns else large, baseline)


def width_of(text: str, height: int) -> int:
    """Return how many pixels wide a text is."""
    return ink_of(text, height).cover.shape[1]


@lru_cache(maxsize=1024)
def fit(text: str, width: int, height: int) -> str:
    """Cut a text so that it is at most ``width`` pixels wide; may be empty."""
    if width_of(text, height) <= width:
        return text
    while text and width_of(text.rstrip() + CUT, height) > width:
        text = text[:-1]
    return text.rstrip() + CUT if text else ""


def write(image: np.ndarray, text: str, at: tuple[int, int], height: int, colour: tuple[int, int, int]) -> None:
    """Write a text whose baseline begins at ``at`` (x, y); what lies outside the picture is left out."""
    ink = ink_of(text, height)
    left, top = at[0], at[1] - ink.baseline
    cover = ink.cover[max(0, -top) : max(0, image.shape[0] - top), max(0, -left) : max(0, image.shape[1] - left)]
    if not cover.size:
        return
    part = image[max(0, top) :, max(0, left) :][: cover.shape[0], : cover.shape[1]]
    share = cover[..., None].astype(np.uint16)
    part[:] = (part * (255 - share) + np.array(colour, np.uint16) * share + 127) // 255


@lru_cache(maxsize=1024)
def drawable(text: str) -> str:
    """Return a text in printable ASCII: accents dropped, Indian scripts spelt out, all other signs left out.

    The answer is empty when nothing of the text can be written.
    """
    words = (_spell(word) for word in re.split(r"(\s+)", text.translate(SIGNS)))
    return " ".join("".join(words).split())


def _spell(word: str) -> str:
    signs = unicodedata.normalize("NFKD", word)
    if any(_BRAHMIC.match(unicodedata.name(sign, "")) for sign in signs):
        return _spell_brahmic(signs)
    return "".join(_spell_sign(sign) for sign in signs)


def _spell_sign(sign: str) -> str:
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    return sign if (sign.isascii() and sign.isprintable()) or sign.isspace() else ""


def _spell_brahmic(word: str) -> str:
    """Spell a word of an Indian script: a consonant carries an "a" unless a vowel sign or a virama follows it."""
    spelt = ""
    for sign in word:
        found = _BRAHMIC.match(unicodedata.name(sign, ""))
        kind, name = (found["kind"], found["name"]) if found else ("", "")
        if kind == "VOWEL SIGN":
            spelt = spelt.removesuffix("a") + _short(name)
        elif name in {"VIRAMA", "PULLI"}:
            spelt = spelt.removesuffix("a")
        elif kind == "SIGN":
            spelt += _SPOKEN_SIGNS.get(name, "")
        else:
            spelt += _short(name) if kind == "LETTER" else _spell_sign(sign)
    is_a_spoken = word.endswith(_SIGNS_OF_A)
    return spelt if is_a_spoken else re.sub(r"(?<=[aeiou])([^aeiou]h?)a$", r"\1", spelt)


def _short(name: str) -> str:
    """Turn TTA into ta, AA into a, II into i: the dots and lengths that Latin letters do not show."""
    return re.sub(r"(.)\1+", r"\1", name.split()[-1].lower())
