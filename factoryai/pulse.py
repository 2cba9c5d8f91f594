"""The sign of life of a process: a file that its main loop touches, and whose age others look at.

`FACTORYAI_PULSE` names the file; without it nothing is written. A file and not a row: a process that waits for the
database is not one that hangs.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from django.conf import settings


def beat() -> None:
    """Say that the main loop of this process turns; costs a few microseconds, and a full disk does not hinder it."""
    if not settings.PULSE:
        return
    try:
        os.utime(settings.PULSE)
    except FileNotFoundError:
        with suppress(OSError):
            Path(settings.PULSE).touch(mode=0o600)
    except OSError:
        return


def last_beat(path: Path) -> float | None:
    """Return when the loop last turned, as Unix time; None when it never did."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None
