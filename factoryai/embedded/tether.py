"""Ties a child process to the life of the one that started it, so that none is left behind, however that one went."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
"""Linux, ``man 2 prctl``: the signal a process gets when the thread that started it ends."""

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


def tied_to_parent(farewell: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """Return a ``preexec_fn`` for `subprocess.Popen`: the child gets ``farewell`` when its parent is gone.

    Call Popen from a thread that lives as long as the child should, which is the main thread: Linux watches the thread.
    Elsewhere than on Linux the returned function does nothing.
    """
    parent = os.getpid()

    def tie() -> None:
        if _libc is None:
            return
        _libc.prctl(PR_SET_PDEATHSIG, int(farewell), 0, 0, 0)
        if os.getppid() != parent:  # the parent went between fork and prctl
            os.kill(os.getpid(), signal.SIGKILL)

    return tie
