"""The camera process's end of a reader: starts it, takes its newest picture, kills it. Never waits for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from streaming.reader import Order, environment
from streaming.slot import FrameSlot, Picture, make_memory

HOME = Path(__file__).resolve().parent.parent
INHERITED = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "TMPDIR")


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a reader ended by itself."""

    code: str
    message: str


class Capture:
    """One running reader. ``on_picture`` gets the newest picture, in this object's own thread, one call at a time.

    ``source_fps`` is what the source gives; ``ending`` is set once the reader has ended by itself.
    """

    def __init__(self, order: Order, on_picture: Callable[[Picture], None]) -> None:
        self.source_fps = 0.0
        self.ending: Ending | None = None
        self._on_picture = on_picture
        descriptor = make_memory()
        try:
            self._slot = FrameSlot(descriptor)
            self._process = _start(order, descriptor)
        finally:
            os.close(descriptor)
        self._newest: int | None = None
        self._changed = threading.Condition()
        self._is_over = False
        threading.Thread(target=self._listen, name=f"reader-{self.pid}", daemon=True).start()
        threading.Thread(target=self._deliver, name=f"pictures-{self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """End the reader at once, whatever it does, and forget its pictures."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        """Take the reader's lines as fast as they come; only the newest picture is remembered."""
        with self._process.stdout as lines:
            for line in lines:
                self._take(line)
        with self._changed:
            if self.ending is None and not self._is_over:
                self.ending = Ending("reader_died", "The reader of this camera ended without a word.")
            self._is_over = True
            self._changed.notify_all()
        self._process.stdin.close()
        self._process.wait()

    def _take(self, line: str) -> None:
        kind, _, rest = line.rstrip("\n").partition(" ")
        if kind == "F":
            with self._changed:
                self._newest = int(rest.partition(" ")[0])
                self._changed.notify_all()
        elif kind == "S":
            self.source_fps = float(rest)
        elif kind == "E":
            code, _, text = rest.partition(" ")
            self.ending = Ending(code, text)

    def _deliver(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_over or self._newest is not None)
                if self._is_over:
                    return
                sequence, self._newest = self._newest, None
            picture = self._slot.read(sequence)
            if picture is not None:
                self._on_picture(picture)


def _start(order: Order, descriptor: int) -> subprocess.Popen:
    """Start a reader that inherits the memory and nothing else; the order goes through its standard input."""
    variables = {name: os.environ[name] for name in INHERITED if name in os.environ}
    process = subprocess.Popen(
        [sys.executable, "-m", "streaming.reader"],
        cwd=HOME,
        env={**variables, **environment(order.kind)},
        pass_fds=(descriptor,),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        bufsize=1,
        start_new_session=True,
    )
    process.stdin.write(json.dumps({**asdict(order), "descriptor": descriptor}) + "\n")
    process.stdin.flush()
    return process
