"""The codes of the gate in words that a guard uses."""

from __future__ import annotations

from typing import Final

REASONS: Final = {
    "too_long": "longer than any plate",
    "control_characters": "invisible characters in it",
    "foreign_characters": "letters of another alphabet",
    "empty": "no letter and no digit",
    "low_confidence": "read without certainty",
    "bad_format": "not the form of a plate",
    "unclear_signs": "signs in it that may be letters or digits",
    "ambiguous": "may be several plates",
    "corrected": "one look-alike character corrected",
    "legacy_or_torn": "an old mark, or a plate cut off",
    "unlikely_year": "an unlikely year",
    "number_zero": "number 0000",
    "torn": "a part of a longer read",
    "settled": "a better read says otherwise",
}

WHY: Final = {
    "late": "the read came too late",
    "not_certain": "not read with certainty",
    "not_listed": "not on the allowed list",
    "wrong_way": "not allowed in this direction",
    "one_read": "only one read so far",
}

LEVELS: Final = {"critical": "Blocked vehicle", "critical-probable": "Probably a blocked vehicle"}


def reasons_in_words(codes: list[str]) -> str:
    """Return reason codes as a sentence's part; a code without words stays a code."""
    return ", ".join(REASONS.get(code, code.replace("_", " ")) for code in codes)


def span_in_words(seconds: int | None) -> str:
    """Return a length of time as ``2 d 3 h``, ``3 h 20 min`` or ``42 min``; a dash for none."""
    if seconds is None:
        return "—"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{rest} s"
