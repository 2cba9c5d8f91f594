"""Keeps secrets out of logs, and what people typed on one line."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from typing import Any

MASK = "•••"
SHORTEST_SECRET = 6
"""A shorter value would mask ordinary words all over."""

_PATTERNS = (
    (re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@'\"]*:[^\s/'\"]*@", re.I), rf"\g<scheme>{MASK}@"),
    (re.compile(r"\b(?P<kind>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.I), rf"\g<kind> {MASK}"),
    (
        re.compile(
            r"(?P<name>\b(?:password|passwd|secret|token|ticket|api_key)\b['\"]?\s*[=:]\s*['\"]?)[^\s&,'\"}]+", re.I
        ),
        rf"\g<name>{MASK}",
    ),
)
_BREAKS = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F, 0x85)} | {
    0x0A: "\\n",
    0x0D: "\\r",
    0x09: "\t",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Mask user info in addresses, tokens, ``password=…`` and every one of ``secrets`` in ``text``."""
    for pattern, mask in _PATTERNS:
        text = pattern.sub(mask, text)
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return text


class Formatter(logging.Formatter):
    """Formats in UTC, keeps a message on its line, and redacts it with its traceback."""

    converter = time.gmtime
    default_msec_format = "%s.%03dZ"

    def __init__(self, *args: Any, secrets: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._secrets = tuple(secrets)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        record.message = record.message.translate(_BREAKS)
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record), self._secrets)
