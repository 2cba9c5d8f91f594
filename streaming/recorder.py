"""Writes observations as facts, in order, and keeps them in a bounded file while the database is away.

An observation carries its own uuid, so writing it twice is one fact: a crash between writing and forgetting does no
harm.
"""

from __future__ import annotations

import base64
import fcntl
import io
import itertools
import json
import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from streaming.frames import Observation

log = logging.getLogger(__name__)

SPOOL_LIMIT_BYTES = 256 * 1024 * 1024
RETRY_EVERY_S = 2.0
QUEUE_LIMIT = 10_000
PATIENCE_S = 1.0


class Recorder:
    """One thread that writes what `put` is given with ``write``.

    ``write`` raises one of ``absent`` when the store is away: the observation goes to the file, and so does what
    follows, until the file is written off. Any other error is logged and the observation put aside in a file beside
    it, so that a poisoned one neither stops the others nor is lost.
    """

    def __init__(
        self,
        write: Callable[[Observation], None],
        spool: Path,
        absent: tuple[type[Exception], ...],
        *,
        limit_bytes: int = SPOOL_LIMIT_BYTES,
        retry_every_s: float = RETRY_EVERY_S,
    ) -> None:
        self._write, self._spool, self._absent = write, spool, absent
        self._limit_bytes, self._retry_every_s = limit_bytes, retry_every_s
        self._queue: queue.Queue[Observation | None] = queue.Queue(QUEUE_LIMIT)
        self._is_away = spool.exists()
        self._written_bytes = 0
        self._retry_at = 0.0
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write or spool everything that was put, then end."""
        self._queue.put(None)
        self._thread.join()

    def put(self, observation: Observation) -> None:
        """Take an observation; returns at once unless ten thousand wait, and then drops it after a second."""
        try:
            self._queue.put(observation, timeout=PATIENCE_S)
        except queue.Full:
            self._lose("too many wait")

    def _run(self) -> None:
        while True:
            try:
                observation = self._queue.get(timeout=self._retry_every_s)
            except queue.Empty:
                self._replay()
                continue
            if observation is None:
                return
            self._replay()
            self._record(observation)

    def _record(self, observation: Observation) -> None:
        if self._is_away or not self._try(observation):
            self._is_away = True
            self._keep(observation)

    def _try(self, observation: Observation) -> bool:
        """Write one observation; False when the store is away."""
        try:
            self._write(observation)
        except self._absent as error:
            if not self._is_away:
                log.warning("Facts cannot be written (%s); they wait in a file.", type(error).__name__)
            return False
        except Exception:
            log.exception("An observation of %s cannot be recorded; it is put aside.", observation.camera)
            self._append(self._spool.with_suffix(".refused"), observation)
        return True

    def _replay(self) -> None:
        """Write off the file when the store is back, from where the last try ended; at most every ``retry_every_s``.

        Only what was read is remembered, not rewritten: a process that dies in between writes some facts again, and
        their uuids make that no difference.
        """
        if not self._is_away or time.monotonic() < self._retry_at:
            return
        self._retry_at = time.monotonic() + self._retry_every_s
        if not self._write_off():
            return
        self._spool.unlink(missing_ok=True)
        self._is_away, self._written_bytes = False, 0
        log.info("The facts that waited in a file are written.")

    def _write_off(self) -> bool:
        """Write what waits, oldest first; False when the store is still away."""
        if not self._spool.exists():
            return True
        with self._spool.open("rb") as file:
            file.seek(self._written_bytes)
            for line in file:
                observation = _decode_or_none(line, self._spool.name)
                if observation is not None and not self._try(observation):
                    return False
                self._written_bytes += len(line)
        return True

    def _keep(self, observation: Observation) -> None:
        self._append(self._spool, observation)

    def _append(self, path: Path, observation: Observation) -> None:
        """Add a line to a file that never grows beyond its limit."""
        try:
            line = encode(observation).encode() + b"\n"
            with path.open("ab") as file:
                if file.tell() > self._limit_bytes:
                    self._lose(f"{path.name} is full")
                    return
                file.write(line)
        except (OSError, TypeError, ValueError) as error:
            self._lose(type(error).__name__)

    def _lose(self, why: str) -> None:
        self.dropped += 1
        log.error("A fact could not be kept (%s); %d were lost.", why, self.dropped)


def claim_spool(folder: Path) -> tuple[Path, TextIO]:
    """Return a file for waiting facts that no other process of this folder uses, and the lock that keeps it so.

    The lowest free number is taken, so what a process that ended has left is written by the next. The lock holds
    until it is closed or the process ends, however that happens.
    """
    for number in itertools.count(1):
        lock = (folder / f"observations-{number}.lock").open("a", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return folder / f"observations-{number}.jsonl", lock
    raise OSError("no file for waiting facts is free")


def encode(observation: Observation) -> str:
    """Return an observation as one line of JSON; bytes and arrays become base64. Raises TypeError or ValueError."""
    return json.dumps(asdict(observation) | {"data": dict(observation.data)}, default=_plain)


def decode(line: str) -> Observation:
    """Read what `encode` wrote; raises ValueError, KeyError or TypeError for anything else."""
    return Observation(**json.loads(line, object_hook=_rich))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, np.ndarray):
        content = io.BytesIO()
        np.save(content, value, allow_pickle=False)
        return {"array": base64.b64encode(content.getvalue()).decode()}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot wait in a file")


def _rich(value: dict[str, Any]) -> Any:
    if value.keys() == {"base64"}:
        return base64.b64decode(value["base64"])
    if value.keys() == {"array"}:
        return np.load(io.BytesIO(base64.b64decode(value["array"])), allow_pickle=False)
    return value


def _decode_or_none(line: bytes, name: str) -> Observation | None:
    """Read one line; None for one that was torn by a crash."""
    try:
        return decode(line.decode(errors="replace"))
    except (ValueError, KeyError, TypeError):
        log.warning("A torn line in %s is passed over.", name)
        return None
