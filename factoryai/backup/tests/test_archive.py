"""An archive is whole or not there, and half of one is known as such."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from factoryai.backup.archive import MANIFEST, create, verify
from factoryai.backup.errors import BackupError
from tests.installation import PROJECT


def make(path: Path, **options: bool) -> None:
    with create(path, is_forced=options.get("is_forced", False)) as writer:
        writer.add_bytes("media/a", b"a" * 5000)
        writer.add_bytes(MANIFEST, b'{"format": 1}')


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    make(tmp_path / "whole.tar")
    return tmp_path / "whole.tar"


def test_a_whole_archive_is_verified_and_private(whole):
    assert verify(whole) == {"format": 1}
    assert whole.stat().st_mode & 0o077 == 0
    assert [path.name for path in whole.parent.iterdir()] == ["whole.tar"]


@pytest.mark.parametrize("length", [0, 1000, 5700, 6700, 7200])
def test_a_part_of_an_archive_is_none(whole, length):
    os.truncate(whole, length)
    with pytest.raises(BackupError) as refusal:
        verify(whole)
    assert refusal.value.code == "not_whole"


def test_one_changed_byte_is_noticed(whole):
    data = bytearray(whole.read_bytes())
    data[data.index(b"aaaa") + 100] ^= 1
    whole.write_bytes(data)
    with pytest.raises(BackupError, match="not a whole backup"):
        verify(whole)


@pytest.mark.parametrize("text", [b"", b"SQLite format 3\0" * 1000], ids=["empty", "another file"])
def test_another_file_is_no_archive(tmp_path, text):
    (tmp_path / "x.tar").write_bytes(text)
    with pytest.raises(BackupError):
        verify(tmp_path / "x.tar")


def test_an_existing_file_is_replaced_only_when_told_to(whole):
    before = whole.read_bytes()
    with pytest.raises(BackupError, match="--force") as refusal:
        make(whole)
    assert refusal.value.code == "exists"
    assert whole.read_bytes() == before
    whole.write_bytes(b"old")
    make(whole, is_forced=True)
    assert whole.read_bytes() == before


def test_what_fails_half_way_leaves_what_was_there(whole):
    before = whole.read_bytes()
    with pytest.raises(TypeError), create(whole, is_forced=True) as writer:
        writer.add_bytes("media/b", None)
    assert whole.read_bytes() == before
    assert [path.name for path in whole.parent.iterdir()] == ["whole.tar"]


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(BackupError, match="No archive can be written") as refusal:
        make(tmp_path / "nowhere" / "x.tar")
    assert refusal.value.code == "no_place"


def test_being_killed_half_way_leaves_nothing_at_all(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from factoryai.backup.archive import create\n"
        "with create(Path(sys.argv[1]), is_forced=False) as writer:\n"
        "    writer.add_bytes('media/a', b'a' * 3_000_000); print('half', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "x.tar")], cwd=PROJECT, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"half\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []
