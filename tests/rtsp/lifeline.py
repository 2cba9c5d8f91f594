"""Ends a server when the test that started it is gone, however it went: the test holds the other end of stdin."""

from __future__ import annotations

import os
import sys
import threading


def exit_with_parent() -> None:
    """Leave this process as soon as stdin closes. Needs a pipe on stdin that the parent never writes to."""
    threading.Thread(target=_wait_for_end, daemon=True).start()


def _wait_for_end() -> None:
    sys.stdin.buffer.read()
    os._exit(0)
