"""Files in a folder and in a bucket: the same promises, and no way out of the folder."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.files import Files, FolderFiles, UnsafeFileError, files_at
from identity.models import file_name_of
from identity.tests.s3_server import S3Server

NAME = file_name_of(uuid.UUID("ab" + "1" * 30))
OTHER = file_name_of(uuid.UUID("cd" + "2" * 30))
BUCKET = {"region_name": "ap-south-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture(params=["folder", "bucket"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Files]:
    if request.param == "folder":
        yield files_at(str(tmp_path / "media"))
        return
    with S3Server() as server:
        yield files_at("s3://factory/pictures", endpoint_url=server.url, **BUCKET)


def test_what_is_written_is_read_sized_and_removed(files: Files) -> None:
    assert files.write(NAME, b"sealed") == 6
    assert (files.read(NAME), files.size(NAME), files.remove(NAME)) == (b"sealed", 6, 6)
    assert (files.size(NAME), files.remove(NAME)) == (None, None)
    with pytest.raises(FileNotFoundError):
        files.read(NAME)


def test_a_file_is_never_written_over(files: Files) -> None:
    files.write(NAME, b"first")
    with pytest.raises(FileExistsError):
        files.write(NAME, b"second")
    assert files.read(NAME) == b"first"


def test_a_file_is_replaced_whole(files: Files) -> None:
    files.write(NAME, b"old")
    assert files.replace(NAME, b"newer") == 5
    assert (files.read(NAME), [entry.name for entry in files.entries()]) == (b"newer", [NAME])


def test_everything_in_the_place_is_listed(files: Files) -> None:
    files.write(NAME, b"one")
    files.write(OTHER, b"three")
    assert [(entry.name, entry.size_bytes, entry.is_ours) for entry in files.entries()] == [
        (NAME, 3, True),
        (OTHER, 5, True),
    ]


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "ab/../../x", "ab/notes.txt", "cd/" + NAME[3:], ""])
def test_a_name_that_is_not_ours_is_refused(files: Files, name: str) -> None:
    for act in (files.read, files.size, files.remove, lambda name: files.write(name, b"")):
        with pytest.raises(ValueError, match="not the name"):
            act(name)


def test_a_bucket_that_refuses_is_an_error_of_the_place() -> None:
    with S3Server() as server:
        server.is_refusing = True
        with pytest.raises(OSError, match="AccessDenied"):
            files_at("s3://factory", endpoint_url=server.url, **BUCKET).write(NAME, b"x")


@pytest.fixture
def folder(tmp_path: Path) -> FolderFiles:
    return FolderFiles(tmp_path / "media")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    path = tmp_path / "payroll.csv"
    path.write_bytes(b"do not touch")
    return path


def test_a_link_in_the_place_of_a_file_is_neither_read_nor_removed(folder: FolderFiles, outside: Path) -> None:
    (folder.root / "ab").mkdir(parents=True)
    (folder.root / NAME).symlink_to(outside)
    for act in (folder.read, folder.size, folder.remove):
        with pytest.raises(UnsafeFileError):
            act(NAME)
    assert outside.read_bytes() == b"do not touch"
    assert [entry.is_ours for entry in folder.entries()] == [False]


def test_a_linked_shelf_is_not_entered(folder: FolderFiles, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / NAME[3:]).write_bytes(b"do not touch")
    folder.root.mkdir()
    (folder.root / "ab").symlink_to(elsewhere)
    for act in (folder.read, folder.size, folder.remove, lambda name: folder.write(name, b"x")):
        with pytest.raises(UnsafeFileError):
            act(NAME)
    assert (elsewhere / NAME[3:]).read_bytes() == b"do not touch"


def test_a_content_that_another_name_still_holds_frees_nothing(folder: FolderFiles, tmp_path: Path) -> None:
    folder.write(NAME, b"sealed")
    os.link(folder.root / NAME, tmp_path / "copy")
    assert folder.remove(NAME) == 0


def test_files_are_for_their_owner_only(folder: FolderFiles) -> None:
    folder.write(NAME, b"sealed")
    assert (folder.root / NAME).stat().st_mode & 0o777 == 0o600
