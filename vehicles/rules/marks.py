"""The families of Indian registration marks: which text is one, and the key that says which vehicle it is.

Sources: S.O. 444(E) of 12-6-1989 (standard), G.S.R. 594(E) of 26-8-2021 (Bharat), CMVR rules 35 and 76 (trade,
diplomatic), the notifications of 2021 (vintage, temporary) and of 12-3-2024 (TS becomes TG). Old state codes stay on
the road and are other vehicles: TS09EA1234 is not TG09EA1234.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

STATES: Final = frozenset(
    [
        "AN", "AP", "AR", "AS", "BR", "CG", "CH", "DD", "DL", "DN", "GA", "GJ", "HP", "HR",
        "JH", "JK", "KA", "KL", "LA", "LD", "MH", "ML", "MN", "MP", "MZ", "NL", "OD", "OR",
        "PB", "PY", "RJ", "SK", "TG", "TN", "TR", "TS", "UA", "UK", "UP", "WB",
    ]
)  # fmt: skip
ONE_DIGIT_OFFICES: Final = frozenset({"DL", "GJ", "BR"})
FIRST_BHARAT_YEAR: Final = 21

LETTERS: Final = "[A-HJ-NP-Z]"
"""I and O are never issued in a series: they would be read as 1 and 0."""

WITHOUT_SERIES: Final = (2, 4)
"""Digits of the office and of the number before an office has begun its first series: TG 09 0001."""

FEWEST_DIGITS: Final = 3
"""With so few digits and no series, MH 12 3 is the upper line of a plate."""

SHORTEST, LONGEST = 4, 15
"""Fewest and most characters of any family: 1CD1, and MH12A1234TC0001."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A registration mark. ``is_unusual``: a shape that few vehicles have, so that a misread is as likely.

    ``doubt`` is a reason code when a person must look although the form is right: ``unusual_twice`` (WB 1A 234 is a
    plate of Warsaw), ``torn_or_foreign`` (AP 12 345 is one of Denmark), ``legacy_or_torn``, and for the Bharat series
    ``unlikely_year`` and ``number_zero``. ``key`` is None for marks that cannot be told from a torn read.
    """

    text: str
    family: str
    key: str | None
    is_unusual: bool = False
    doubt: str = ""


def _standard(match: re.Match[str]) -> Mark | None:
    state, office, series, number = match["state"], match["office"], match["series"], match["number"]
    if not int(office) or not int(number):
        return None
    oddities = (
        len(office) == 1 and state not in ONE_DIGIT_OFFICES,
        len(series) == 3 and state != "DL",
        bool(series) and len(number) < 4,
    )
    key = f"{state}-{int(office)}-{series}-{int(number)}"
    if series:
        doubt = "unusual_twice" if sum(oddities) > 1 else ""
        return Mark(match[0], "standard", key, any(oddities), doubt)
    if len(office + number) <= FEWEST_DIGITS:
        return None
    doubt = "" if (len(office), len(number)) == WITHOUT_SERIES else "torn_or_foreign"
    return Mark(match[0], "standard_no_series", key, is_unusual=True, doubt=doubt)


def _bharat(match: re.Match[str]) -> Mark:
    year, number, letters = match["year"], match["number"], match["letters"]
    doubt = "unlikely_year" if int(year) < FIRST_BHARAT_YEAR else "" if int(number) else "number_zero"
    return Mark(match[0], "bharat", f"{year}-{number}-{letters}", doubt=doubt)


def _diplomatic(match: re.Match[str]) -> Mark | None:
    country, body, number = int(match["country"]), match["body"], int(match["number"])
    return Mark(match[0], "diplomatic", f"{country}-{body}-{number}") if country and number else None


def _temporary(match: re.Match[str]) -> Mark | None:
    month, year, state = match["month"], match["year"], match["state"]
    if not 1 <= int(month) <= 12:
        return None
    return Mark(match[0], "temporary", f"{month}-{year}-{state}-{match['number']}-{match['letters']}")


def _trade(match: re.Match[str]) -> Mark | None:
    if not int(match["office"]) or not int(match["number"]):
        return None
    parts = (match["state"], str(int(match["office"])), match["class"], match["dealer"], match["number"])
    return Mark(match[0], "trade", "-".join(parts))


def _old_trade(match: re.Match[str]) -> Mark | None:
    if not int(match["office"]) or not int(match["number"]):
        return None
    key = f"{match['state']}-{int(match['office'])}-TC-{int(match['number'])}"
    return Mark(match[0], "trade", key, is_unusual=True)


def _vintage(match: re.Match[str]) -> Mark | None:
    number = int(match["number"])
    return Mark(match[0], "vintage", f"{match['state']}-VA-{match['letters']}-{number}") if number else None


def _military(match: re.Match[str]) -> Mark:
    return Mark(match[0], "military", "-".join(match.group("year", "class", "number", "check")))


def _legacy(match: re.Match[str]) -> Mark:
    return Mark(match[0], "legacy", None, is_unusual=True, doubt="legacy_or_torn")


_STATE: Final = f"(?P<state>{'|'.join(sorted(STATES))})"
_OFFICE: Final = "(?P<office>[0-9]{1,2})"

FAMILIES: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Mark | None]], ...]] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (f"{_STATE}{_OFFICE}TC(?P<number>[0-9]{{1,3}})", _old_trade),
        (f"{_STATE}{_OFFICE}(?P<series>{LETTERS}{{0,3}})(?P<number>[0-9]{{1,4}})", _standard),
        (f"(?P<year>[0-9]{{2}})BH(?P<number>[0-9]{{4}})(?P<letters>{LETTERS}{{1,2}})", _bharat),
        ("(?P<country>[0-9]{1,3})(?P<body>CD|CC|UN)(?P<number>[0-9]{1,4})", _diplomatic),
        ("(?P<year>[0-9]{2})(?P<class>[A-HJ-NP-Z])(?P<number>[0-9]{6})(?P<check>[A-Z])", _military),
        (
            f"T(?P<month>[0-9]{{2}})(?P<year>[0-9]{{2}}){_STATE}(?P<number>[0-9]{{4}})(?P<letters>{LETTERS}{{1,2}})",
            _temporary,
        ),
        (f"{_STATE}{_OFFICE}(?P<class>[A-J])(?P<dealer>[0-9]{{4}})TC(?P<number>[0-9]{{4}})", _trade),
        (f"{_STATE}VA(?P<letters>{LETTERS}{{2}})(?P<number>[0-9]{{1,4}})", _vintage),
        ("[A-Z]{3}[0-9]{1,4}", _legacy),
    )
)


_ANY_FAMILY: Final = re.compile("|".join(re.sub(r"\?P<\w+>", "?:", pattern.pattern) for pattern, _ in FAMILIES))
"""One look that most texts fail, so that trying hundreds of misreadings of one text stays cheap."""


def parse_mark(text: str) -> Mark | None:
    """Return the mark that a cleaned text is, or None. A glued IND is taken off only when the rest is a mark."""
    if not SHORTEST <= len(text) <= LONGEST + 3:
        return None
    if _ANY_FAMILY.fullmatch(text):
        for pattern, make in FAMILIES:
            match = pattern.fullmatch(text)
            if match and (mark := make(match)):
                return mark
    return parse_mark(text[3:]) if text.startswith("IND") else None
