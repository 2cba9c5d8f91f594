"""SQLite's file is copied while others write, and replaced without a moment in which there is none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from factoryai.backup import sqlite
from factoryai.backup.archive import create, read
from factoryai.backup.errors import BackupError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with a journal, as ours is, and three facts."""
    path = tmp_path / "facts.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE fact (number)")
        made.executemany("INSERT INTO fact VALUES (?)", [(1,), (2,), (3,)])
        made.commit()
    return path


@pytest.fixture
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody in the middle of writing."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as writing:
        writing.execute("BEGIN IMMEDIATE")
        writing.execute("INSERT INTO fact VALUES (4)")
        yield writing


def numbers(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as opened:
        return [number for (number,) in opened.execute("SELECT number FROM fact ORDER BY 1")]


def dump(path: Path, target: Path) -> Path:
    with create(target, is_forced=False) as writer:
        sqlite.dump(writer, target.parent, path)
    return target


def test_a_copy_holds_what_was_committed_and_holds_nobody_up(path, writing, tmp_path):
    archive = dump(path, tmp_path / "a.tar")
    writing.execute("COMMIT")
    assert numbers(path) == [1, 2, 3, 4]
    with read(archive) as tar:
        sqlite.load(tar, tmp_path / "copy.sqlite3", kept_as=None)
    assert numbers(tmp_path / "copy.sqlite3") == [1, 2, 3]
    assert not list(tmp_path.glob(".factoryai-*"))


def test_what_was_there_is_kept_whole_with_its_journal(path, tmp_path):
    archive = dump(path, tmp_path / "a.tar")
    with closing(sqlite3.connect(path)) as later:
        later.execute("INSERT INTO fact VALUES (5)")
        later.commit()
    with read(archive) as tar:
        sqlite.load(tar, path, kept_as=tmp_path / "kept.sqlite3")
    assert numbers(path) == [1, 2, 3]
    assert numbers(tmp_path / "kept.sqlite3") == [1, 2, 3, 5]
    assert path.stat().st_mode & 0o077 == 0


def test_a_journal_of_the_old_database_never_meets_the_new_one(path, tmp_path):
    archive = dump(path, tmp_path / "a.tar")
    path.write_bytes(b"no database " * 500)
    Path(f"{path}-wal").write_bytes(b"half a journal")
    with read(archive) as tar:
        sqlite.load(tar, path, kept_as=tmp_path / "kept.sqlite3")
    assert numbers(path) == [1, 2, 3]
    assert not Path(f"{path}-wal").exists()
    assert (tmp_path / "kept.sqlite3").read_bytes().startswith(b"no database")


def test_a_damaged_database_makes_no_backup(path, tmp_path):
    data = bytearray(path.read_bytes())
    data[4096 + 8 : 4096 + 200] = b"\x00" * 192
    data[4096:4104] = b"\x0d\xff\xff\xff\xff\xff\xff\xff"
    path.write_bytes(data)
    with pytest.raises(BackupError) as refusal:
        dump(path, tmp_path / "a.tar")
    assert refusal.value.code == "damaged"
    assert not (tmp_path / "a.tar").exists()
