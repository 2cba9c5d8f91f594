"""SQLite: a copy as of one instant while others write, and its way back."""

from __future__ import annotations

import gzip
import os
import secrets
import shutil
import sqlite3
import tarfile
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

from factoryai.backup.archive import BLOCK, Writer, nameless
from factoryai.backup.errors import BackupError

MEMBER = "database.sqlite3.gz"
COMPRESSION = 3
JOURNALS = ("-wal", "-shm")


def dump(writer: Writer, folder: Path, path: Path) -> None:
    """Add the database at ``path`` as of now; ``folder`` takes the copy meanwhile, in a file that has lost its name.

    Raises `BackupError` for a damaged one.
    """
    copy = folder / f".factoryai-{secrets.token_hex(8)}"
    copy.touch(mode=0o600)
    with copy.open("rb") as file:
        with closing(sqlite3.connect(copy)) as target:
            target.execute("PRAGMA journal_mode=OFF")
            copy.unlink()  # from here on nothing stays, however this process ends
            _copy_into(target, path)
        with nameless(folder) as packed:
            _pack(file, packed)
            size = packed.seek(0, os.SEEK_END)
            packed.seek(0)
            writer.add(MEMBER, packed, size)


def _copy_into(target: sqlite3.Connection, path: Path) -> None:
    """Copy in one step, from one snapshot: with the journal (WAL) nobody who writes has to wait."""
    with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as source:
        try:
            source.execute("BEGIN")
            (verdict,) = source.execute("PRAGMA quick_check(1)").fetchone()
            if verdict == "ok":
                source.backup(target, pages=-1)
        except sqlite3.DatabaseError as error:
            verdict = str(error)
        if verdict != "ok":
            raise BackupError("damaged", f"The database cannot be copied ({verdict}). Keep the last good backup.")


def _pack(source: IO[bytes], target: IO[bytes]) -> None:
    with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=COMPRESSION, mtime=0) as packed:
        shutil.copyfileobj(source, packed, BLOCK)


def load(tar: tarfile.TarFile, path: Path, *, kept_as: Path | None) -> None:
    """Put the database of an archive at ``path``, and what was there under ``kept_as`` (None: it held nothing).

    A run that is killed leaves either the one or the other there, never nothing. Nobody else may have it open.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f"{path.name}.restoring")
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        with gzip.open(tar.extractfile(MEMBER)) as packed:
            shutil.copyfileobj(packed, file, BLOCK)
        file.flush()
        os.fsync(file.fileno())
    if path.exists():
        _fold(path)
    if kept_as is not None:
        os.link(path, kept_as)
    for part in JOURNALS:  # of a damaged database: the next one must not take it for its own
        if (journal := Path(f"{path}{part}")).exists():
            journal.replace(f"{kept_as}{part}") if kept_as else journal.unlink()
    staged.replace(path)


def _fold(path: Path) -> None:
    """Fold the journal into the file, as far as it is whole."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path, timeout=20)) as old:
        old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
