"""The refusal to back up or restore: a code for programs, a sentence that says what to do for people."""

from __future__ import annotations


class BackupError(Exception):
    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
