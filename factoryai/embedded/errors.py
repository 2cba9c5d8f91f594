"""The refusal to start: one sentence that says what is wrong and what to do."""

from __future__ import annotations


class CannotStartError(Exception):
    """`manage.py up` cannot start or go on; the text is meant for the person who typed it."""
