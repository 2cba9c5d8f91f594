"""Child processes that are started again when they end or hang, each with its own log file; none outlives `up`."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from factoryai.embedded.liveness import Sign, Silence
from factoryai.embedded.tether import tied_to_parent

BACKOFF_FIRST_S = 1.0
BACKOFF_LIMIT_S = 30.0
GOOD_AFTER_S = 60.0
"""A child that ran this long is healthy again: its next restart is quick."""
POLITE_S = 3.5
"""What a child gets to end by itself; with the killing after it, everything is gone within five seconds."""
STACKS_WITHIN_S = 2.0
"""What a hanging child gets to write where each of its threads stands."""
LOG_LIMIT_BYTES = 5_000_000
LOGS_KEPT = 3


@dataclass
class Child:
    """One program: how to start it, and how it has fared. What the others stand on (`is_ground`) ends last."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(repr=False, default_factory=dict)
    descriptors: Sequence[int] = ()
    is_ground: bool = False
    sign: Sign | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    due_at: float = 0.0
    silence: Silence = field(default_factory=Silence)
    aborted_at: float | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self, now: float) -> None:
        """Start the program in a session of its own, so that Ctrl-C reaches only `up`, which ends it in order."""
        with self._open_log() as log:
            self.process = subprocess.Popen(  # noqa: S603  every command is written in supervisor.py
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                pass_fds=self.descriptors,
                start_new_session=True,
                preexec_fn=_prepare(),
            )
        self.started_at, self.silence, self.aborted_at = now, Silence(), None

    def _open_log(self) -> BinaryIO:
        """Open the log; where that is impossible the program runs without one, which is better than not at all."""
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            return self.log.open("ab")
        except OSError:
            return Path(os.devnull).open("ab")

    def end(self) -> None:
        """Ask the program to end; it may take a moment."""
        if self.is_running:
            self.process.terminate()

    def abort(self, now: float) -> None:
        """Have a program that hangs write its stacks into its log (`PYTHONFAULTHANDLER`) and end."""
        self.aborted_at = now
        self.process.send_signal(signal.SIGABRT)

    def kill(self) -> None:
        """End the program and whatever it started."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
        finally:
            self.process.poll()

    def last_words(self) -> str:
        """Return the last line of the log that says something, for the console; empty when there is none."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 4096))
                lines = log.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")[:200]


def _prepare() -> Callable[[], None]:
    """Return what a child does before its program: it holds keys and faces, so it never leaves its memory on a disk."""
    tie = tied_to_parent()

    def prepare() -> None:
        tie()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return prepare


def backoff_s(failures: int) -> float:
    """Return the pause before the next start after so many failures in a row: 1, 2, 4 … 30 s."""
    return min(BACKOFF_FIRST_S * 2 ** max(0, failures - 1), BACKOFF_LIMIT_S)


class Family:
    """The children of one `up`, in the order they were started."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.children: list[Child] = []
        self._say, self._clock = say, clock

    def add(self, child: Child) -> Child:
        """Start ``child`` and watch it from now on."""
        child.start(self._clock())
        self.children.append(child)
        return child

    def look_after(self) -> None:
        """End what hangs and start again what has ended and is due; call it a few times a second."""
        now = self._clock()
        for child in self.children:
            if child.is_running:
                self._end_hanging(child, now)
                if child.failures and now - child.started_at >= GOOD_AFTER_S:
                    child.failures = 0
            elif child.due_at == 0.0:
                self._note_end(child, now)
            elif now >= child.due_at:
                self._start_again(child, now)

    def note_sign(self, name: str, is_alive: bool) -> None:
        """Take the answer of a child that was asked for a sign of life; one that does not run cannot give any."""
        for child in self.children:
            if child.name == name and child.is_running:
                child.silence.note(is_alive)

    def signs(self) -> Mapping[str, Sign]:
        """Return how each child that can be asked is asked."""
        return {child.name: child.sign for child in list(self.children) if child.sign}

    def rotate_logs(self) -> None:
        """Start a log over when it is full, keeping the last ones. The writers append, so they just go on."""
        for child in self.children:
            try:
                if child.log.exists() and child.log.stat().st_size > LOG_LIMIT_BYTES:
                    rotate(child.log)
            except OSError as error:
                self._say(f"{child.log} cannot be started over ({error.strerror}); it goes on growing.")

    def stop(self, pause: Callable[[float], None] = time.sleep) -> None:
        """End every child within `POLITE_S`, the broker after those that use it; then kill the rest."""
        deadline = self._clock() + POLITE_S
        for is_ground in (False, True):
            group = [child for child in self.children if child.is_ground == is_ground]
            for child in group:
                child.end()
            while any(child.is_running for child in group) and self._clock() < deadline:
                pause(0.05)
        for child in reversed(self.children):
            child.kill()
        for child in self.children:
            if child.process:
                child.process.wait()

    def kill(self) -> None:
        """End everything at once."""
        for child in reversed(self.children):
            child.kill()

    def _end_hanging(self, child: Child, now: float) -> None:
        """Ask a child that hangs for its stacks, and kill it when it cannot even do that."""
        if child.aborted_at is not None:
            if now - child.aborted_at >= STACKS_WITHIN_S:
                child.kill()
        elif child.silence.is_too_long:
            self._say(f"{child.name} hangs: no sign of life for {child.silence.seconds:.0f} s. It is ended.")
            child.abort(now)

    def _start_again(self, child: Child, now: float) -> None:
        """Start a child that is due; one that cannot be started now is tried again later."""
        child.due_at = 0.0
        try:
            child.start(now)
        except OSError as error:
            child.failures += 1
            child.due_at = now + backoff_s(child.failures)
            self._say(f"{child.name} cannot be started ({error.strerror}), trying again in {child.due_at - now:.0f} s.")

    def _note_end(self, child: Child, now: float) -> None:
        child.kill()  # what it started may still run
        how, child.process = _how(child.process.returncode), None  # its number may soon be another's
        child.failures += 1
        pause = backoff_s(child.failures)
        child.due_at = now + pause
        words = child.last_words()
        self._say(
            f"{child.name} ended ({how}), starting it again in {pause:.0f} s. "
            f"{child.log}{': ' + words if words else ''}"
        )


def rotate(log: Path) -> None:
    """Copy ``log`` to ``log.1`` (and that to ``log.2`` …) and empty it in place."""
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    log.with_name(f"{log.name}.1").write_bytes(log.read_bytes())
    os.truncate(log, 0)


def _how(code: int | None) -> str:
    """Say in words how a process ended."""
    if code is not None and code < 0:
        return f"by signal {signal.Signals(-code).name}"
    return f"exit code {code}"
