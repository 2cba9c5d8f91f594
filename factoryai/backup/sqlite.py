"""SQLite: a copy as of one instant while others write, and its way back."""

from __future__ import annotations

import gzip
import os
import secrets
import shutil
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import IO

from django.db import connection

from factoryai.backup.archive import BLOCK, Writer, nameless
from factoryai.backup.errors import BackupError

MEMBER = "database.sqlite3.gz"
COMPRESSION = 3
BESIDE = ("", "-wal", "-shm")


def dump(writer: Writer, folder: Path) -> None:
    """Add the database as of now; ``folder`` takes the copy meanwhile, in a file that has lost its name."""
    copy = folder / f".factoryai-{secrets.token_hex(8)}"
    copy.touch(mode=0o600)
    with copy.open("rb") as file:
        with closing(sqlite3.connect(copy)) as target:
            target.execute("PRAGMA journal_mode=OFF")
            copy.unlink()  # from here on nothing stays, however this process ends
            _copy_into(target)
        with nameless(folder) as packed:
            _pack(file, packed)
            size = packed.seek(0, os.SEEK_END)
            packed.seek(0)
            writer.add(MEMBER, packed, size)


def _copy_into(target: sqlite3.Connection) -> None:
    """Copy in one step, from one snapshot: with the journal (WAL) nobody who writes has to wait."""
    path = Path(connection.settings_dict["NAME"])
    with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as source:
        source.execute("BEGIN")
        (verdict,) = source.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise BackupError("damaged", f"The database is damaged ({verdict}). Keep the last good backup.")
        source.backup(target, pages=-1)


def _pack(source: IO[bytes], target: IO[bytes]) -> None:
    with gzip.GzipFile(fileobj=target, mode="wb", compresslevel=COMPRESSION, mtime=0) as packed:
        shutil.copyfileobj(source, packed, BLOCK)


def load(tar: tarfile.TarFile, *, suffix: str) -> str:
    """Put the database of an archive in its place, what was there beside it; return the name it got, or nothing."""
    connection.close()
    path = Path(connection.settings_dict["NAME"])
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f"{path.name}.restoring")
    with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        with gzip.open(tar.extractfile(MEMBER)) as packed:
            shutil.copyfileobj(packed, file, BLOCK)
        file.flush()
        os.fsync(file.fileno())
    kept = path.with_name(f"{path.name}{suffix}")
    has_content = path.exists() and path.stat().st_size > 0  # asking an absent one whether it is empty made it
    for part in BESIDE:
        if (beside := Path(f"{path}{part}")).exists():
            beside.replace(f"{kept}{part}") if has_content else beside.unlink()
    staged.replace(path)
    return kept.name if has_content else ""
